//! Slots of a ring's table of files: where an action puts the file that it makes, and what Lua
//! calls a slot.

use super::arg::{Arg, Place, room};
use super::descriptor::SLOTS;
use super::integers::{int, integer};
use super::open_how::{How, OpenHow};
use super::reply::Answer;
use crate::lua::{Lua, Message, RawState};
use crate::ring::in_flight::{Completion, Reply};
use crate::sys;
use std::ffi::c_int;

/// The largest slot, of any table that can be.
const LAST: i64 = (SLOTS - 1) as i64;

/// Any slot that is free: IORING_FILE_INDEX_ALLOC, which liburing 2.1 does not have.
pub const ALLOC: u32 = u32::MAX;

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

/// A slot of another ring's table, or nothing for any that is free.
#[derive(Clone, Copy)]
#[allow(dead_code)] // where liburing has no msg_ring_fd
pub struct SlotOrAny(u32);

impl Arg for SlotOrAny {
    type Wire = u32;

    fn check(lua: &mut Lua, index: c_int) -> SlotOrAny {
        SlotOrAny(if lua.absent(index) { ALLOC } else { slot(lua, index) })
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> u32 {
        self.0
    }
}

/// Makes an action put the file that it makes into a slot, or free the file in one.
pub fn set_file_index(sqe: &mut sys::io_uring_sqe, slot: u32) {
    // 0 is no slot at all, so they count from 1; and 2^32-1 is any that is free.
    // SAFETY: the SQE is the caller's.
    unsafe { sys::luring_set_file_index(sqe, if slot == ALLOC { ALLOC } else { slot + 1 }) }
}

/// A slot by its number, or what `luring.fixed` makes of that.
#[derive(Clone, Copy)]
pub struct FromSlot(u32);

impl Arg for FromSlot {
    type Wire = c_int;

    fn check(lua: &mut Lua, index: c_int) -> FromSlot {
        FromSlot(slot(lua, index))
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> c_int {
        self.0 as c_int
    }
}

/// Where a new file goes: a slot, or with IORING_FILE_INDEX_ALLOC one that is free.
///
/// liburing's helpers for that are not called: those of 2.1 know no free one.
#[derive(Clone, Copy)]
pub struct IntoSlot(u32);

impl Arg for IntoSlot {
    type Wire = u32;

    fn check(lua: &mut Lua, index: c_int) -> IntoSlot {
        match lua.integer(index) {
            Ok(number) if number == ALLOC.into() => IntoSlot(ALLOC),
            _ => IntoSlot(slot(lua, index)),
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

/// The first slot of several that get files; with IORING_FILE_INDEX_ALLOC any that are free.
#[derive(Clone, Copy)]
pub struct FirstSlot(IntoSlot);

impl Arg for FirstSlot {
    type Wire = c_int;

    fn check(lua: &mut Lua, index: c_int) -> FirstSlot {
        FirstSlot(IntoSlot::check(lua, index))
    }

    fn reply(self, reply: Reply) -> Reply {
        if self.0.0 == ALLOC { Reply::Slots } else { reply }
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> c_int {
        self.0.0 as c_int
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
        let flags = int(lua, index);
        refuse_cloexec(lua, index, flags as u64);
        SlotFlags(flags)
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> c_int {
        self.0
    }
}

/// The same in openat2's table.
#[derive(Clone, Copy)]
pub struct SlotHow(OpenHow);

impl Arg for SlotHow {
    type Wire = *mut How;

    fn check(lua: &mut Lua, index: c_int) -> SlotHow {
        let how = OpenHow::check(lua, index);
        refuse_cloexec(lua, index, how.flags());
        SlotHow(how)
    }

    fn room(self) -> usize {
        self.0.room()
    }

    fn place(self, lua: &Lua, block: &mut Place, index: c_int) -> *mut How {
        self.0.place(lua, block, index)
    }
}

fn refuse_cloexec(lua: &Lua, index: c_int, flags: u64) {
    if flags & CLOEXEC as u64 != 0 {
        lua.argument_error(index, Message::new(format_args!("O_CLOEXEC makes no sense for a slot")));
    }
}

/// The slot that the program has chosen, which the kernel doesn't repeat.
pub struct OwnSlot;

impl Answer for OwnSlot {
    const REPLY: Reply = Reply::OwnSlot;
    type Memory = *mut u32;
    const ROOM: usize = room(size_of::<u32>());

    fn place(block: &mut Place) -> *mut u32 {
        block.values(1)
    }
}

/// Several slots: the first that the program has chosen, and how many; the numbers follow that
/// the kernel writes where it has chosen them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Head {
    first: u32,
    count: u32,
}

impl Head {
    /// Of `count` that the kernel chooses.
    pub fn chosen(count: u32) -> Head {
        Head { first: ALLOC, count }
    }
}

/// Two slots.
pub struct Slots;

impl Answer for Slots {
    const REPLY: Reply = Reply::Slots;
    type Memory = *mut [u32; 4];
    const ROOM: usize = room(size_of::<[u32; 4]>());

    fn place(block: &mut Place) -> Self::Memory {
        block.values(1)
    }
}

#[cfg(prep = "pipe")]
impl Slots {
    /// Notes which slot is the first, and gives the place of the numbers.
    ///
    /// # Safety
    /// `slots` is what `place` gave.
    pub unsafe fn wire(slots: <Slots as Answer>::Memory, first: u32) -> *mut c_int {
        let head: *mut Head = slots.cast();
        // SAFETY: the caller's promise.
        unsafe {
            head.write(Head { first, count: 2 });
            head.add(1).cast()
        }
    }
}

/// Pushes the `luring.fixed` of each slot, or of as many as were done. May raise.
///
/// # Safety
/// The block begins with a head, and the kernel has filled in what follows it.
pub unsafe fn push_list(lua: &mut Lua, completion: &Completion) {
    let head: *const Head = completion.action.block.ptr().cast();
    // SAFETY: the caller's promise.
    let Head { first, count } = unsafe { head.read() };
    let done = if completion.res > 0 { count.min(completion.res as u32) } else { count };
    lua.push_table_for(done as c_int);
    for number in 0..done {
        // SAFETY: as above: there are `count` numbers.
        let chosen = unsafe { head.add(1).cast::<c_int>().add(number as usize).read() };
        lua.push_integer(fixed(if first == ALLOC { chosen } else { (first + number) as i32 }));
        lua.raw_set(-2, number + 1);
    }
}
