//! The functions that make, enter and end a ring.

use crate::handle::{Handle, RING};
use crate::lua::{Lua, RawState};
use crate::ring::{KNOWN, Ring};
use crate::system::refusal;
use crate::values::integers::integer;
use std::ffi::c_int;

/// `queue_init(entries, flags)`: a new ring.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn queue_init(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let entries = integer(lua, 1, 0, u32::MAX.into()) as u32;
    let flags = integer(lua, 2, 0, u32::MAX.into()) as u32;
    let unknown = flags & !KNOWN;
    if unknown != 0 {
        lua.error(refusal::unknown_flags(unknown));
    }
    // All that can raise comes before the ring, which would be lost.
    let handle = Handle::push(lua);
    match Ring::new(entries, flags) {
        Ok(ring) => handle.put(ring),
        Err(errno) => lua.error(refusal::message(errno, entries)),
    }
    1
}

/// `queue_exit(ring)`: ends the ring.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn queue_exit(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    Handle::check(lua).exit(lua);
    0
}

/// `submit(ring)`: the number of SQEs submitted, or `-errno`.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn submit(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let submitted = Handle::check(lua).ring(lua).submit(0);
    lua.push_integer(submitted.into());
    1
}

/// `submit_and_wait(ring, wait_nr)`: as `submit`, and waits for `wait_nr` completions.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn submit_and_wait(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    let wait = integer(lua, RING + 1, 0, u32::MAX.into()) as u32;
    let submitted = handle.ring(lua).submit(wait);
    lua.push_integer(submitted.into());
    1
}
