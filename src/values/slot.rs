//! Slots of a ring's table of files: where an action puts the file that it makes, and what Lua
//! calls a slot.

use super::arg::{Arg, Place};
use super::descriptor::SLOTS;
use super::integers::integer;
use crate::lua::{Lua, Message, RawState};
use crate::ring::in_flight::Reply;
use crate::sys;
use std::ffi::c_int;

/// The largest slot, of any table that can be.
const LAST: i64 = (SLOTS - 1) as i64;

/// Any slot that is free: IORING_FILE_INDEX_ALLOC, which liburing 2.1 does not have.
const ALLOC: u32 = u32::MAX;

/// The number that Lua has of a slot.
pub fn fixed(slot: i32) -> i64 {
    i64::from(SLOTS) + i64::from(slot)
}

/// The slot at `index`: its number, or what `luring.fixed` makes of that. Raises.
pub fn slot(lua: &mut Lua, index: c_int) -> u32 {
    match lua.integer(index) {
        Ok(number) if (fixed(0)..=fixed(LAST as i32)).contains(&number) => (number - fixed(0)) as u32,
        _ => integer(lua, index, 0, LAST) as u32,
    }
}

/// `fixed(slot)`: a slot in the place of a descriptor.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn fixed_of_slot(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let slot = slot(lua, 1);
    lua.push_integer(fixed(slot as i32));
    1
}

/// Makes an action put the file that it makes into a slot, or free the file in one.
pub fn set_file_index(sqe: &mut sys::io_uring_sqe, slot: u32) {
    // 0 is no slot at all, so they count from 1; and 2^32-1 is any that is free.
    // SAFETY: the SQE is the caller's.
    unsafe { sys::luring_set_file_index(sqe, if slot == ALLOC { ALLOC } else { slot + 1 }) }
}

/// A slot by its number, or what `luring.fixed` makes of that.
#[derive(Clone, Copy)]
pub struct Slot(u32);

impl Arg for Slot {
    type Wire = c_int;

    fn check(lua: &mut Lua, index: c_int) -> Slot {
        Slot(slot(lua, index))
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> c_int {
        self.0 as c_int
    }
}

/// Where a new file goes: a slot, or with IORING_FILE_INDEX_ALLOC one that is free.
///
/// liburing's helpers for that are not called: those of 2.1 know no free one.
#[derive(Clone, Copy)]
pub struct Target(u32);

impl Arg for Target {
    type Wire = u32;

    fn check(lua: &mut Lua, index: c_int) -> Target {
        match lua.integer(index) {
            Ok(number) if number == ALLOC.into() => Target(ALLOC),
            _ => Target(slot(lua, index)),
        }
    }

    /// The kernel says only which slot it has chosen itself.
    fn reply(self, reply: Reply) -> Reply {
        match reply {
            Reply::OwnSlot if self.0 == ALLOC => Reply::Slot,
            reply => reply,
        }
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> u32 {
        self.0
    }

    fn amend(self, sqe: &mut sys::io_uring_sqe) {
        set_file_index(sqe, self.0);
    }
}

/// What makes a new file close-on-exec: O_CLOEXEC, SOCK_CLOEXEC.
const CLOEXEC: c_int = sys::O_CLOEXEC as c_int;

/// Flags for a file that a slot gets. No program that is executed has the slot, so the kernel
/// refuses close-on-exec.
#[derive(Clone, Copy)]
pub struct SlotFlags(c_int);

impl Arg for SlotFlags {
    type Wire = c_int;

    fn check(lua: &mut Lua, index: c_int) -> SlotFlags {
        let flags = super::integers::int(lua, index);
        if flags & CLOEXEC != 0 {
            cloexec(lua, index);
        }
        SlotFlags(flags)
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> c_int {
        self.0
    }
}

/// Raises for close-on-exec in the argument at `index`.
pub fn cloexec(lua: &Lua, index: c_int) -> ! {
    lua.argument_error(index, Message::new(format_args!("CLOEXEC makes no sense for a slot")))
}
