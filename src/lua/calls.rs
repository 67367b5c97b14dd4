//! Who calls whom, and Lua's hooks.

use super::{Function, Lua, RawState};
use mlua::ffi;
use std::ffi::{c_int, c_void};
use std::mem::zeroed;

impl Lua {
    /// Pushes the coroutine that runs.
    pub fn push_thread(&self) {
        // SAFETY: `new`'s promise; one slot.
        unsafe { ffi::lua_pushthread(self.0) };
    }

    /// Whether the coroutine at `index` is in a call of `function` with the userdata `memory` as
    /// its first argument: besides the one that asks.
    pub fn is_in_call(&self, index: c_int, function: Function, memory: *const c_void) -> bool {
        // SAFETY: `new`'s promise; any index may be asked about.
        let thread: RawState = unsafe { ffi::lua_tothread(self.0, index) };
        // SAFETY: the coroutine is on the stack. One that an error has ended keeps its calls.
        if thread.is_null() || unsafe { ffi::lua_status(thread) } != 0 {
            return false;
        }
        let first = c_int::from(thread == self.0);
        (first..).map_while(|level| call_at(thread, level)).any(|call| call == (Some(function), memory))
    }

    /// Raises where there is no memory for a call, or no C stack. May run any Lua code.
    pub fn rehearse(&mut self) {
        // SAFETY: `new`'s promise.
        if unsafe { ffi::lua_checkstack(self.0, FRAME) } == 0 {
            self.out_of_memory();
        }
        self.push_function(nothing);
        self.call(0);
    }

    /// Runs a little Lua code, so that hooks are called: an interpreter's Ctrl-C sets one.
    /// Raises what they raise.
    pub fn run_hooks(&mut self) {
        self.push_chunk("for _ = 1, 100 do end", c"for _ = 1, 100 do end");
        self.call(0);
    }
}

/// More slots than a function of Lua's has, and its arguments here.
const FRAME: c_int = 300;

/// A function for Lua.
pub(super) unsafe extern "C-unwind" fn nothing(_state: RawState) -> c_int {
    0
}

/// The C function that a coroutine is in at this level, and the userdata that is its first
/// argument. None above the last level.
fn call_at(thread: RawState, level: c_int) -> Option<(Option<Function>, *const c_void)> {
    // SAFETY: the caller's coroutine is alive. Every call has two free slots; what is pushed is
    // popped again. Lua fills in the record.
    unsafe {
        let mut record: ffi::lua_Debug = zeroed();
        if ffi::lua_getstack(thread, level, &mut record) == 0 {
            return None;
        }
        ffi::lua_getinfo(thread, c"f".as_ptr(), &mut record);
        let function = ffi::lua_tocfunction(thread, -1);
        ffi::lua_settop(thread, -2);
        let mut memory = std::ptr::null_mut();
        if !ffi::lua_getlocal(thread, &record, 1).is_null() {
            memory = ffi::lua_touserdata(thread, -1);
            ffi::lua_settop(thread, -2);
        }
        Some((function, memory.cast_const()))
    }
}
