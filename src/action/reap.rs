//! How completions reach their callbacks, and end.

use crate::handle::{self, Handle, RING};
use crate::lua::{Lua, Message, RawState, Type};
use crate::ring::callbacks::Id;
use crate::ring::slab::Key;
use crate::ring::{Completion, Reply, Ring};
use crate::sys;
use std::ffi::c_int;

/// The place of the ring's table in do_cqes' stack.
const TABLE: c_int = RING + 1;

/// What do_cqes returns when no completion is left.
const DRAINED: i64 = -(sys::EAGAIN as i64);

/// `do_cqes(ring)`: calls the callback of each completion that is there or arrives
/// meanwhile. Never waits.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn do_cqes(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    lua.set_top(RING);
    handle::push_table(lua); // at TABLE
    // A callback may exit the ring, or run in a forked child from some point on.
    while let Some(ring) = handle.get(lua).filter(|ring| !ring.inherited() && !ring.is_lent()) {
        let Some(completion) = ring.peek() else { break };
        match completion.action.callback {
            Some(callback) => deliver(lua, handle, completion, callback),
            None => {
                end(lua, ring, completion.key);
                lua.set_top(TABLE);
            }
        }
    }
    lua.push_integer(DRAINED);
    1
}

/// Calls the callback of the completion at the head. Raises what it raises.
#[inline]
fn deliver(lua: &mut Lua, handle: Handle, completion: Completion, callback: Id) {
    handle::push_callback(lua, TABLE, callback);
    lua.push_light(completion.key.raw());
    lua.push_integer(completion.res.into());
    let mut arguments = 2;
    if completion.action.reply == Reply::Data {
        arguments = 3;
        if !push_result(lua, handle, completion) {
            return lua.set_top(TABLE);
        }
    }
    match handle.get(lua) {
        // Making a string may run finalizers, and those may end the completion or the ring.
        Some(ring) if ring.is_head(&completion) => ring.deliver(completion.key),
        _ => return lua.set_top(TABLE),
    }
    lua.call(arguments);
}

/// Pushes what a completion read. False when the completion is gone, since a finalizer
/// has ended it. May raise.
#[cfg(copies_first)]
#[inline]
fn push_result(lua: &mut Lua, _handle: Handle, completion: Completion) -> bool {
    // SAFETY: only Lua code could free the action's buffer.
    unsafe { lua.push_volatile(completion.bytes()) };
    true
}

/// As above. These Luas run the collector before they copy, and a finalizer may free
/// the buffer in between: so small results are copied first, and a large one's buffer is
/// taken away from the action meanwhile.
#[cfg(not(copies_first))]
#[inline]
fn push_result(lua: &mut Lua, handle: Handle, completion: Completion) -> bool {
    let bytes = completion.bytes();
    if bytes.len() <= Lua::SMALL {
        // SAFETY: no Lua code has run since the completion was peeked at.
        unsafe { lua.push_small(bytes) };
        return true;
    }
    lua.push_copier(); // may run finalizers
    let Some(ring) = handle.get(lua).filter(|ring| !ring.is_lent()) else {
        return false;
    };
    if !ring.is_head(&completion) {
        return false;
    }
    let buffer = ring.lend_buffer(completion.key);
    // SAFETY: nothing else has the buffer now.
    let pushed = unsafe { lua.call_copier(bytes) };
    match handle.get(lua) {
        // SAFETY: lent above, by this ring: a handle never gets another.
        Some(ring) => unsafe { ring.return_buffer(buffer) },
        // SAFETY: lent above, and its ring has reaped everything and is gone.
        None => unsafe { buffer.free() },
    }
    if !pushed {
        lua.raise();
    }
    true
}

/// Ends the completion at the head, which is `key`'s, and lets go of what Lua keeps for
/// it, which runs no Lua code. Leaves a table on the stack.
#[inline(always)]
fn end(lua: &Lua, ring: &mut Ring, key: Key) {
    let Some(action) = ring.seen(key) else { return };
    let callback = action.callback.filter(|id| ring.callbacks.release(*id));
    if callback.is_none() && !action.content {
        return;
    }
    handle::push_table(lua);
    if let Some(id) = callback {
        handle::release_callback(lua, id);
    }
    if action.content {
        handle::release_content(lua, key.index());
    }
}

/// `cqe_seen(ring, cqe)`: ends the completion that the callback has got.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn cqe_seen(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check(lua);
    let cqe = RING + 1;
    let key = Key::from_raw(lua.pointer(cqe));
    let ring = handle.ring(lua);
    if !ring.has_delivered(key) {
        not_delivered(lua, cqe);
    }
    end(lua, ring, key);
    0
}

#[cold]
#[inline(never)]
fn not_delivered(lua: &mut Lua, cqe: c_int) -> ! {
    if lua.kind(cqe) != Type::Light {
        lua.type_error(cqe, c"cqe");
    }
    let why = "not the cqe that a callback of this ring has got, or already seen";
    lua.argument_error(cqe, Message::new(format_args!("{why}")))
}
