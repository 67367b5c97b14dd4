//! Whether a finalizer runs, and so what is made now may never be finalized.

use super::calls::nothing;
use super::{Lua, RawState};
use mlua::ffi;
use std::cell::Cell;

thread_local! {
    static CALLED: Cell<bool> = const { Cell::new(false) };
}

unsafe extern "C-unwind" fn note(_state: RawState, _call: *mut ffi::lua_Debug) {
    CALLED.set(true);
}

impl Lua {
    /// Whether Lua code runs as a finalizer, or as a debug hook, as far as can be told: no
    /// Lua calls hooks then. A coroutine of a finalizer's passes for none before Lua 5.4.4,
    /// which keeps its collector from everybody meanwhile. Raises where there is no memory or no C
    /// stack for a call.
    pub fn in_finalizer(&mut self) -> bool {
        // SAFETY: `new`'s promise; one slot. Whatever becomes of the call, the program's own hook is
        // there again.
        unsafe {
            let (hook, mask, count) =
                (ffi::lua_gethook(self.0), ffi::lua_gethookmask(self.0), ffi::lua_gethookcount(self.0));
            ffi::lua_pushcfunction(self.0, nothing);
            CALLED.set(false);
            ffi::lua_sethook(self.0, Some(note), ffi::LUA_MASKCALL, 0);
            let called = ffi::lua_pcall(self.0, 0, 0, 0) == 0;
            ffi::lua_sethook(self.0, hook, mask, count);
            if !called {
                self.raise();
            }
            !CALLED.get() || ffi::lua_gc(self.0, ffi::LUA_GCCOUNT, 0) < 0
        }
    }
}
