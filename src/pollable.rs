//! A ring for other libraries' loops to wait for.

use crate::handle::{Handle, RING};
use crate::lua::{Function, Lua, Message, RawState};
use std::ffi::{CStr, c_int};

/// What cqueues' `poll` and LuaSocket's `select` ask an object for.
const METHODS: [(&CStr, Function); 5] =
    [(c"pollfd", pollfd), (c"events", events), (c"timeout", timeout), (c"getfd", pollfd), (c"dirty", dirty)];

const SILENT: &str = "a ring with IORING_SETUP_DEFER_TASKRUN or IOPOLL wakes no loop (see register_eventfd)";

/// `pollable(ring)`: an object that is readable when the ring has completions.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn pollable(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    if !handle.ring(lua).wakes() {
        // A loop would wait for ever.
        lua.argument_error(RING, Message::new(format_args!("{SILENT}")));
    }
    lua.push_table();
    lua.push_copy(RING);
    lua.raw_set(-2, 1);
    for (name, method) in METHODS {
        lua.push_function(method);
        lua.set_field(-2, name);
    }
    1
}

/// The ring of the object that is the first argument, which it replaces. Raises.
fn ring(lua: &mut Lua) -> Handle {
    if lua.kind(1) == crate::lua::Type::Table {
        lua.raw_get(1, 1);
        lua.replace(RING);
    }
    Handle::check(lua)
}

unsafe extern "C-unwind" fn pollfd(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let fd = ring(lua).ring(lua).descriptor();
    lua.push_integer(fd.into());
    1
}

unsafe extern "C-unwind" fn events(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    lua.push_text(c"r");
    1
}

/// 0 while completions wait, which a loop that was told of them need not be told again.
unsafe extern "C-unwind" fn timeout(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let ready = ring(lua).ring(lua).has_completions();
    if ready {
        lua.push_integer(0);
    } else {
        lua.push_nil();
    }
    1
}

unsafe extern "C-unwind" fn dirty(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let ready = ring(lua).ring(lua).has_completions();
    lua.push_boolean(ready);
    1
}
