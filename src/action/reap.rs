//! How completions reach their callbacks, and end.

use super::select;
use crate::handle::{self, Handle, RING};
use crate::lua::{Lua, Message, RawState, Type};
use crate::ring::callbacks::Id;
use crate::ring::in_flight::{Completion, InFlight, Reply};
use crate::ring::slab::Key;
use crate::ring::{Ring, Work};
use crate::sys::{self, flag};
use crate::values::{buffer, reply, zero_copy};
use std::ffi::c_int;

/// The place of the ring's table in do_cqes' stack.
pub(super) const TABLE: c_int = RING + 1;

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
    let mut work = Work::All;
    // A callback may exit the ring, or run in a forked child from some point on.
    while let Some(ring) = handle.get(lua).filter(|ring| !ring.inherited() && !ring.is_lent()) {
        let Some(completion) = ring.peek(work) else { break };
        work = Work::Overflowed;
        match completion.action.callback {
            Some(callback) => deliver(lua, handle, completion, callback),
            None => {
                let ended = ring.discard(&completion);
                release(lua, ring, completion.key, ended);
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
    if completion.action.reply.is_cold() {
        return deliver_cold(lua, handle, completion, callback);
    }
    handle::push_callback(lua, TABLE, callback);
    lua.push_light(completion.key.raw());
    lua.push_integer(completion.res.into());
    let mut arguments = 2;
    if completion.action.reply == Reply::Data {
        arguments = 3;
        if !push_data(lua, handle, completion) {
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

/// As `deliver`, for the replies that have a value of their own and the CQE's flags.
#[inline(never)]
fn deliver_cold(lua: &mut Lua, handle: Handle, completion: Completion, callback: Id) {
    let Some(ring) = handle.get(lua) else { return };
    let flags = ring.head_flags();
    completion.note(flags);
    let is_notification = flags & flag::IORING_CQE_F_NOTIF != 0;
    if is_notification && completion.action.reply == Reply::ZeroCopy {
        end(lua, ring, completion.key);
        return lua.set_top(TABLE);
    }
    handle::push_callback(lua, TABLE, callback);
    lua.push_light(completion.key.raw());
    if is_notification {
        lua.push_integer(0);
        lua.push_text(zero_copy::usage(completion.res));
    } else {
        lua.push_integer(completion.res.into());
        if !push_value(lua, handle, completion, flags) {
            return lua.set_top(TABLE);
        }
    }
    lua.push_integer(flags.into());
    match handle.get(lua) {
        Some(ring) if ring.is_head(&completion) => match flags & sys::IORING_CQE_F_MORE {
            0 => ring.deliver(completion.key),
            _ => ring.deliver_more(completion.key),
        },
        _ => return lua.set_top(TABLE),
    }
    lua.call(4);
}

/// Pushes the value of a cold reply. False when the completion is gone. May raise.
fn push_value(lua: &mut Lua, handle: Handle, completion: Completion, flags: u32) -> bool {
    match completion.action.reply {
        Reply::Bytes if completion.res >= 0 => push_data(lua, handle, completion),
        Reply::Selected => select::push(lua, handle, completion, flags),
        Reply::Into => {
            push_buffer(lua, completion.key);
            true
        }
        _ if completion.res < 0 || !reply::has_value(completion.action.reply) => {
            lua.push_nil();
            true
        }
        _ => lend(lua, handle, completion, reply::build, completion),
    }
}

/// Pushes the buffer that an action has read into: the value that its slot keeps, or the one
/// among several.
fn push_buffer(lua: &mut Lua, key: Key) {
    handle::push_value(lua, TABLE, key.index());
    if lua.kind(-1) == Type::Table {
        let mut number = 1;
        while lua.raw_get(-1, number) != Type::Nil && !buffer::is_buffer(lua, -1) {
            lua.pop();
            number += 1;
        }
        lua.remove(-2);
    }
}

/// Pushes what a completion read. False when the completion is gone, since a finalizer
/// has ended it. May raise.
#[cfg(copies_first)]
#[inline]
fn push_data(lua: &mut Lua, _handle: Handle, completion: Completion) -> bool {
    // SAFETY: only Lua code could free the action's block.
    unsafe { lua.push_volatile(completion.bytes()) };
    true
}

/// As above. These Luas run the collector before they copy, and a finalizer may free
/// the block in between: so small results are copied first, and a large one's block is
/// lent.
#[cfg(not(copies_first))]
#[inline]
fn push_data(lua: &mut Lua, handle: Handle, completion: Completion) -> bool {
    let bytes = completion.bytes();
    if bytes.len() <= Lua::SMALL {
        // SAFETY: no Lua code has run since the completion was peeked at.
        unsafe { lua.push_small(bytes) };
        return true;
    }
    lend(lua, handle, completion, crate::lua::copy_bytes, bytes)
}

/// Pushes the value that `build` makes of `source`, in protected mode, with the action's
/// block taken away from it: finalizers run meanwhile, and may end the action. False when
/// the completion is gone. Raises what `build` raises.
fn lend<T: Copy>(
    lua: &mut Lua,
    handle: Handle,
    completion: Completion,
    build: unsafe extern "C-unwind" fn(RawState) -> c_int,
    source: T,
) -> bool {
    // Both pushed before anything is lent: the first may run finalizers, and LuaJIT may
    // have no number left for a light userdata.
    lua.push_function(build);
    lua.push_light((&raw const source).addr());
    let Some(ring) = handle.get(lua).filter(|ring| !ring.is_lent() && ring.is_head(&completion)) else {
        return false;
    };
    let block = ring.lend_block(completion.key);
    let built = lua.call_protected(1);
    match handle.get(lua) {
        // SAFETY: lent above, by this ring: a handle never gets another.
        Some(ring) => unsafe { ring.return_block(block) },
        // SAFETY: lent above, and its ring has reaped everything and is gone.
        None => unsafe { block.free() },
    }
    if !built {
        lua.raise();
    }
    true
}

/// Ends the completion at the head, which is `key`'s last, and lets go of what Lua keeps for
/// it, which runs no Lua code. Leaves a table on the stack.
#[inline(always)]
fn end(lua: &Lua, ring: &mut Ring, key: Key) {
    let ended = ring.seen(key);
    release(lua, ring, key, ended);
}

#[inline(always)]
fn release(lua: &Lua, ring: &mut Ring, key: Key, ended: Option<InFlight>) {
    let Some(action) = ended else { return };
    let callback = action.callback.filter(|id| ring.callbacks.release(*id));
    if callback.is_none() && !action.anchored {
        return;
    }
    handle::push_table(lua);
    if let Some(id) = callback {
        handle::release_callback(lua, id);
    }
    if action.anchored {
        if action.reply == Reply::Selected {
            handle::release_head(lua);
        }
        handle::release_value(lua, key.index());
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
    if ring.has_delivered(key) {
        end(lua, ring, key);
    } else if ring.has_delivered_more(key) {
        ring.seen_more(key);
        handle::push_table(lua);
        handle::release_head(lua);
    } else {
        not_delivered(lua, cqe);
    }
    0
}

#[cold]
#[inline(never)]
fn not_delivered(lua: &Lua, cqe: c_int) -> ! {
    if lua.kind(cqe) != Type::Light {
        lua.type_error(cqe, c"cqe");
    }
    let why = "not the cqe that a callback of this ring has got, or already seen";
    lua.argument_error(cqe, Message::new(format_args!("{why}")))
}
