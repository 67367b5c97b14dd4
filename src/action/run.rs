//! A loop that a program need not write.

use super::reap::{TABLE, reap};
use crate::handle::{self, Handle, RING};
use crate::lua::{Lua, Message, RawState, Type};
use crate::sys;
use crate::values::integers::integer;
use std::ffi::{CStr, c_int};

/// Where the ring's table has the coroutine that runs it, and what `stop` was given.
const THREAD: &CStr = c"thread";
const VALUE: &CStr = c"value";

/// `run(ring)`: submits, waits and calls the callbacks until nothing is in flight, or `stop` is
/// called: 0, what `stop` was given, or `-errno`.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn run(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    lua.set_top(RING);
    handle::push_table(lua); // at TABLE
    if is_running(lua, handle) {
        lua.error(Message::new(format_args!("the ring runs already")));
    }
    lua.push_nil();
    lua.set_field(TABLE, VALUE);
    lua.push_thread();
    lua.set_field(TABLE, THREAD);
    let ring = handle.ring(lua);
    (ring.running, ring.stopped) = (true, false);

    let result = turn(lua, handle);

    let stopped = handle.get(lua).is_some_and(|ring| {
        ring.running = false;
        ring.stopped
    });
    if !stopped || lua.get_field(TABLE, VALUE) == Type::Nil {
        lua.push_integer(result.into());
    }
    1
}

/// The loop. Raises what callbacks and hooks raise.
fn turn(lua: &mut Lua, handle: Handle) -> i32 {
    // A callback may exit the ring, or run in a forked child from some point on.
    while let Some(ring) = handle.get(lua).filter(|ring| !ring.inherited() && !ring.stopped) {
        if ring.busy() == 0 && !ring.messages.are_wanted() {
            break;
        }
        if ring.is_lent() {
            return -(sys::EBUSY as i32); // in a finalizer, while a value is made: nothing is delivered
        }
        let submitted = ring.submit(1);
        let passing = [-(sys::EINTR as i32), -(sys::EAGAIN as i32), -(sys::EBUSY as i32)];
        if submitted < 0 && !passing.contains(&submitted) {
            return submitted;
        }
        if reap(lua, handle, None, true, |ring| ring.stopped) == 0 {
            if submitted < 0 && submitted != passing[0] {
                return submitted;
            }
            lua.run_hooks(); // a signal has come
        }
    }
    0
}

/// Whether the ring is in a call of `run`. The ring's table is on top. An error that ends a run
/// tells nobody: so it is looked up who calls whom, and noted.
pub(super) fn is_running(lua: &mut Lua, handle: Handle) -> bool {
    if !handle.ring(lua).running {
        return false;
    }
    lua.get_field(-1, THREAD);
    let running = lua.is_in_call(-1, run, handle.memory());
    lua.pop();
    handle.ring(lua).running = running;
    running
}

/// `stop(ring, value?)`: makes `run` return the value, or 0, when the callback has returned.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn stop(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    let value = RING + 1;
    lua.set_top(value);
    handle::push_table(lua);
    if !is_running(lua, handle) {
        lua.error(Message::new(format_args!("the ring does not run")));
    }
    lua.push_copy(value);
    lua.set_field(-2, VALUE);
    handle.ring(lua).stopped = true;
    0
}

/// `reserve(ring, n)`: submits if there is no room for `n` actions: true, or `-errno`.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn reserve(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    let entries = handle.ring(lua).entries();
    let count = integer(lua, RING + 1, 0, entries.into()) as u32;
    match handle.ring(lua).make_room(count) {
        0 => lua.push_boolean(true),
        error => lua.push_integer(error.into()),
    }
    1
}
