//! Messages from other rings.

use crate::handle::{self, Handle, RING};
use crate::lua::{Lua, RawState};
use crate::values::integers;
use std::ffi::c_int;

/// `on_message(ring, handler)`: `handler(res, data, flags)` is called for each message that
/// another ring sends, nil for none: they are dropped then.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn on_message(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    let handler = RING + 1;
    let wanted = integers::callback(lua, handler);
    lua.set_top(handler);
    handle.ring(lua); // looking for `__call` may have run a finalizer, and that ended it
    handle::push_table(lua);
    lua.push_copy(handler);
    handle::keep_handler(lua);
    let messages = &mut handle.ring(lua).messages;
    if wanted {
        messages.want();
    } else {
        messages.ignore();
    }
    0
}
