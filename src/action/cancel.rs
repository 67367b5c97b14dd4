//! Cancelling: as an action, and at once.

use crate::handle::{Handle, RING};
use crate::lua::{Lua, Message, RawState, Type};
use crate::ring::Ring;
use crate::ring::cancel::Wanted;
use crate::ring::in_flight::{Completion, Reply};
use crate::ring::slab::Key;
use crate::sys::{self, flag};
use crate::values::arg::{Arg, Place, room};
use crate::values::descriptor::{self, SLOTS};
use crate::values::reply::Answer;
use crate::values::{fields, integers, time};
use std::ffi::c_int;
use std::ops::RangeInclusive;

/// What a cancellation brings: `res` is 0, or how many were cancelled, or `-errno`.
///
/// The kernel knows nothing of the actions that it has not got yet. They are cancelled when the
/// cancellation is queued; how many of them count stands in the block, or `ONE`.
pub struct Cancelled;

/// What stands there where one action is to be cancelled. That it was is 0, though Linux counts
/// some kinds (futexes and children that are waited for, on 6.18).
const ONE: i32 = -1;

impl Answer for Cancelled {
    const REPLY: Reply = Reply::Cancelled;
    type Memory = ();
    const ROOM: usize = room(size_of::<i32>());

    fn place(block: &mut Place) {
        // SAFETY: the room was asked for.
        unsafe { block.put(0i32) };
    }

    fn admit(lua: &Lua, ring: &mut Ring) {
        if !ring.reserve_amendments(ring.unsubmitted() as usize) {
            lua.out_of_memory();
        }
    }

    fn settle(ring: &mut Ring, key: Key) {
        let Some(place) = ring.newest() else { return };
        let sqe = ring.unsubmitted_sqe(place);
        let fd = (sqe.fd, sqe.flags & flag::IOSQE_FIXED_FILE as u8 != 0);
        // SAFETY: a cancellation has these fields.
        let wanted =
            unsafe { Wanted::of(sqe.__bindgen_anon_3.rw_flags as u32, sqe.__bindgen_anon_2.addr, fd) };
        if !wanted.all {
            ring.set_count(key, ONE);
        }
        let withdrawn = ring.withdraw(wanted, place);
        if withdrawn == 0 {
            return;
        }
        if wanted.all {
            ring.set_count(key, withdrawn as i32);
        } else {
            let sqe = ring.unsubmitted_sqe(place);
            // SAFETY: the SQE is not submitted; what it was told to cancel is. Zeros first: a
            // newer liburing's helper leaves fields alone that mean something to a nop too.
            unsafe {
                (&raw mut *sqe).write_bytes(0, 1);
                sys::io_uring_prep_nop(sqe);
            }
            sqe.user_data = key.raw() as u64;
        }
    }
}

/// What a system call would begin anew after a signal: the kernel's own, and no errno. A worker
/// that is told to end a splice says so (Linux 6.18).
const BEGUN_ANEW: RangeInclusive<i32> = -516..=-512;

/// What the callback gets as `res`.
pub fn result(completion: &Completion) -> i32 {
    if completion.action.reply != Reply::Cancelled {
        let is_errno = !BEGUN_ANEW.contains(&completion.res);
        return if is_errno { completion.res } else { -(sys::EINTR as i32) };
    }
    match completion.count() {
        0 => completion.res,
        ONE => completion.res.min(0),
        withdrawn => completion.res.max(0) + withdrawn,
    }
}

/// How many an action cancels: 0 for one, or IORING_ASYNC_CANCEL_ALL. Nothing means `DEFAULT`.
#[derive(Clone, Copy)]
pub struct Which<const DEFAULT: u32>(u32);

impl<const DEFAULT: u32> Arg for Which<DEFAULT> {
    type Wire = u32;

    fn check(lua: &mut Lua, index: c_int) -> Self {
        if lua.absent(index) {
            return Which(DEFAULT);
        }
        match integers::integer(lua, index, 0, u32::MAX.into()) as u32 {
            flags @ (0 | flag::IORING_ASYNC_CANCEL_ALL) => Which(flags),
            _ => {
                let why = Message::new(format_args!("must be 0 or IORING_ASYNC_CANCEL_ALL"));
                lua.argument_error(index, why)
            }
        }
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> u32 {
        self.0
    }
}

/// One, unless the program says otherwise.
pub type One = Which<0>;
/// All, unless the program says otherwise.
pub type All = Which<{ flag::IORING_ASYNC_CANCEL_ALL }>;

/// Fills in a cancellation.
///
/// # Safety
/// The SQE is zeroed and the caller's.
pub unsafe fn prep(sqe: *mut sys::io_uring_sqe, key: u64, fd: c_int, flags: u32) {
    // SAFETY: the caller's promise.
    unsafe {
        sys::luring_prep_cancel(sqe, key);
        (*sqe).fd = fd;
        (*sqe).__bindgen_anon_3.rw_flags = flags as _;
    }
}

/// `sync_cancel(ring, {key=, fd=, op=, all=, any=}, timeout?)`: submits what is queued, but for
/// what it is to cancel, and waits until it is cancelled.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn sync_cancel(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    let wanted = wanted(lua, RING + 1);
    let timeout = time::timeout(lua, RING + 2).map(time::Time::kernel);
    let ring = handle.ring(lua);
    if !ring.reserve_amendments(ring.unsubmitted() as usize) {
        lua.out_of_memory();
    }
    let withdrawn = ring.withdraw(wanted, ring.end()) as i32;
    let submitted = ring.submit(0);
    let cancelled = match withdrawn {
        _ if submitted < 0 => submitted,
        1.. if !wanted.all => 0,
        _ => match ring.cancel_now(wanted, timeout) {
            none if none == -(sys::ENOENT as i32) && withdrawn > 0 => withdrawn,
            error if error < 0 => error,
            _ if !wanted.all => 0, // as `ONE`
            found => found + withdrawn,
        },
    };
    lua.push_integer(cancelled.into());
    1
}

/// What the table at `index` says. Raises, and may run any Lua code.
fn wanted(lua: &mut Lua, index: c_int) -> Wanted {
    if lua.kind(index) != Type::Table {
        lua.type_error(index, c"table");
    }
    fields::only(lua, index, &[c"key", c"fd", c"op", c"all", c"any"]);
    let key = match lua.get_field(index, c"key") {
        Type::Nil => None,
        Type::Light => Some(lua.pointer(-1) as u64),
        _ => fields::wrong(lua, index, c"key", format_args!("a key")),
    };
    lua.pop();
    let absent = i64::MIN;
    let fd = descriptor::field_or_slot(lua, index, c"fd");
    let op = fields::integer(lua, index, c"op", Some(absent), 0, u8::MAX.into());
    let all = fields::boolean(lua, index, c"all").unwrap_or(false);
    let any = fields::boolean(lua, index, c"any").unwrap_or(false);
    let wanted = Wanted {
        key,
        fd: fd.map(|fd| (fd & !SLOTS, fd >= SLOTS)),
        op: (op != absent).then_some(op as u8),
        all: all || any,
    };
    let named = key.is_some() || wanted.fd.is_some() || wanted.op.is_some();
    if named == any {
        let why = Message::new(format_args!("needs 'key', 'fd' or 'op', or else 'any'"));
        lua.argument_error(index, why);
    }
    wanted
}
