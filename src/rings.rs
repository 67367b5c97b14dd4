//! The functions that make, enter and end a ring.

use crate::guard;
use crate::handle::{Handle, RING};
use crate::lua::{Lua, RawState};
use crate::ring::{Errno, KNOWN, Params, Ring};
use crate::sys;
use crate::system::refusal;
use crate::values::integers::integer;
use crate::values::{params, time};
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
    push_ring(lua, entries, flags.into())
}

/// `queue_init_params(entries, params)`: the same, and what else can be asked for.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn queue_init_params(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let entries = integer(lua, 1, 0, u32::MAX.into()) as u32;
    let params = params::check(lua, 2);
    push_ring(lua, entries, params)
}

fn push_ring(lua: &mut Lua, entries: u32, params: Params) -> c_int {
    let unknown = params.flags & !KNOWN;
    if unknown != 0 {
        lua.error(refusal::unknown_flags(unknown));
    }
    // All that can raise comes before the ring, which would be lost.
    guard::register(lua);
    let handle = Handle::push(lua);
    match make(lua, entries, params) {
        // SAFETY: `make` makes none where the guard isn't open, and no Lua code has run since.
        Ok(ring) => unsafe { handle.put(lua, ring) },
        Err(errno) => lua.error(refusal::message(errno, entries, params.cq_entries)),
    }
    1
}

/// Makes a ring. Where descriptors or memory are short, rings that are garbage may have
/// them: so it collects once, which may run any Lua code and raise, and tries again.
fn make(lua: &mut Lua, entries: u32, params: Params) -> Result<Box<Ring>, Errno> {
    match make_once(lua, entries, params) {
        Err(Errno(errno)) if [sys::EMFILE, sys::ENFILE, sys::ENOMEM].contains(&(errno as u32)) => {
            lua.collect();
            make_once(lua, entries, params)
        }
        result => result,
    }
}

/// Raises when the state would not end the ring.
fn make_once(lua: &Lua, entries: u32, params: Params) -> Result<Box<Ring>, Errno> {
    if let Some(why) = guard::obstacle(lua) {
        lua.error(refusal::because(why));
    }
    Ring::new(entries, params)
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

/// `submit_and_wait(ring, wait_nr, timeout?)`: as `submit`, and waits for `wait_nr` completions,
/// but no longer than `timeout`. -ETIME says that nothing was submitted and nothing completed.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn submit_and_wait(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    let wait = integer(lua, RING + 1, 0, u32::MAX.into()) as u32;
    let timeout = if lua.absent(RING + 2) { None } else { time::timeout(lua, RING + 2) };
    let ring = handle.ring(lua);
    let submitted = match timeout {
        None => ring.submit(wait),
        Some(time) => ring.submit_within(wait, time.kernel()),
    };
    lua.push_integer(submitted.into());
    1
}
