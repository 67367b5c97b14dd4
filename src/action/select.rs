//! How a callback gets what the kernel has put into a buffer that it selected: a copy, or a
//! view of the buffer, which is the program's until it goes back.

use super::reap::TABLE;
use crate::handle::{self, Handle};
use crate::lua::Lua;
use crate::ring::groups::{Group, Lease, Selected};
use crate::ring::in_flight::Completion;
use crate::values::buffer::{self, Bytes};
use crate::values::inbox;
use std::ptr::slice_from_raw_parts;

/// Pushes it. False when the completion is gone, since a finalizer has ended it. May raise.
pub fn push(lua: &mut Lua, handle: Handle, completion: Completion, flags: u32) -> bool {
    let Some(group) = completion.action.group() else { return false };
    match completion.select(flags) {
        Some(selected) if completion.res > 0 => {
            if selected.is_leased {
                handle::push_head(lua, TABLE); // as it was delivered before
                true
            } else if group.is_manual() {
                push_view(lua, handle, completion, flags, group)
            } else {
                push_string(lua, handle, completion, group, selected)
            }
        }
        _ if completion.res == 0 && !group.is_manual() => {
            lua.push_text(c"");
            true
        }
        _ => {
            lua.push_nil();
            true
        }
    }
}

/// Pushes the table of a message, whose data is a string or a view. False when the completion is
/// gone. May raise.
pub fn push_message(lua: &mut Lua, handle: Handle, completion: Completion, flags: u32) -> bool {
    let Some(received) = completion.received(flags) else {
        lua.push_nil();
        return true;
    };
    let (Some(group), Some(selected)) = (completion.action.group(), completion.select(flags)) else {
        return false;
    };
    if selected.is_leased {
        handle::push_head(lua, TABLE); // as it was delivered before
    } else if group.is_manual() && received.data.len > 0 {
        if !push_view(lua, handle, completion, flags, group) {
            return false;
        }
    } else {
        lua.push_nil();
    }
    // All pushed before anything is kept: see `lend`.
    lua.push_function(inbox::build);
    lua.push_light((&raw const received).addr());
    lua.push_copy(-3);
    if !handle.get(lua).is_some_and(|ring| ring.is_head(&completion)) {
        return false;
    }
    group.keep();
    let built = lua.call_protected(2);
    // SAFETY: kept above.
    unsafe { group.release() };
    if !built {
        lua.raise();
    }
    lua.remove(-2);
    true
}

fn push_view(lua: &mut Lua, handle: Handle, completion: Completion, flags: u32, group: Group) -> bool {
    let view = buffer::push(lua);
    // Making it may have run finalizers, and those may have ended the completion or the ring.
    if !handle.get(lua).is_some_and(|ring| ring.is_head(&completion)) {
        return false;
    }
    let Some(mut selected) = completion.select(flags) else { return false };
    if selected.is_leased {
        // Or have had it delivered: there is a view of it already.
        lua.pop();
        handle::push_head(lua, TABLE);
        return true;
    }
    handle::keep_head(lua, TABLE);
    if let Some(received) = completion.received(flags) {
        selected.span = received.data;
    }
    let lease = Lease::new(group, selected).unwrap_or_else(|| lua.out_of_memory());
    // SAFETY: it is on the stack.
    unsafe { (*view).fill(Bytes { span: selected.span, lease: Some(lease) }) };
    true
}

fn push_string(
    lua: &mut Lua,
    handle: Handle,
    completion: Completion,
    group: Group,
    selected: Selected,
) -> bool {
    let bytes = slice_from_raw_parts(selected.span.ptr().cast_const(), selected.span.len as usize);
    if bytes.len() <= Lua::SMALL {
        // SAFETY: no Lua code has run since the completion was peeked at.
        unsafe { lua.push_small(bytes) };
        return true;
    }
    push_large(lua, handle, completion, group, bytes)
}

#[cfg(copies_first)]
fn push_large(
    lua: &mut Lua,
    _handle: Handle,
    _completion: Completion,
    _group: Group,
    bytes: *const [u8],
) -> bool {
    // SAFETY: only Lua code could free the group.
    unsafe { lua.push_volatile(bytes) };
    true
}

/// These Luas run the collector before they copy, and a finalizer may end the ring: so the
/// group's memory is kept meanwhile.
#[cfg(not(copies_first))]
fn push_large(
    lua: &mut Lua,
    handle: Handle,
    completion: Completion,
    group: Group,
    bytes: *const [u8],
) -> bool {
    // Both pushed before anything is kept: see `lend`.
    lua.push_function(crate::lua::copy_bytes);
    lua.push_light((&raw const bytes).addr());
    if !handle.get(lua).is_some_and(|ring| ring.is_head(&completion)) {
        return false;
    }
    group.keep();
    let copied = lua.call_protected(1);
    // SAFETY: kept above.
    unsafe { group.release() };
    if !copied {
        lua.raise();
    }
    true
}
