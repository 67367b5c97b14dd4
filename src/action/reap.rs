//! How completions reach their callbacks, and end.

use super::cancel::result;
use super::{run, select};
use crate::handle::{self, Handle, RING};
use crate::lua::{Lua, Message, RawState, Type};
use crate::ring::callbacks::Id;
use crate::ring::in_flight::{Completion, InFlight, Reply};
use crate::ring::slab::Key;
use crate::ring::{Ring, Work};
use crate::sys::{self, flag};
use crate::values::integers::integer;
use crate::values::{buffer, reply, zero_copy};
use std::ffi::c_int;

/// The place of the ring's table in do_cqes' stack.
pub(super) const TABLE: c_int = RING + 1;

/// What do_cqes returns when no completion is left.
const DRAINED: i64 = -(sys::EAGAIN as i64);

/// `do_cqes(ring, max?)`: calls the callback of each completion that is there or arrives
/// meanwhile, or of the first `max`. Never waits.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn do_cqes(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    let ring = handle.ring(lua);
    if ring.auto_seen || ring.running || !lua.absent(RING + 1) {
        return do_some(lua, handle);
    }
    lua.set_top(RING);
    handle::push_table(lua); // at TABLE
    let mut work = Work::All;
    loop {
        // A callback may exit the ring, or run in a forked child from some point on.
        while let Some(ring) = usable(lua, handle) {
            let Some(completion) = ring.peek(work) else { break };
            work = Work::Overflowed;
            dispatch(lua, handle, completion);
        }
        if !deliver_message(lua, handle) {
            break;
        }
        work = Work::Overflowed;
    }
    lua.push_integer(DRAINED);
    1
}

/// `do_cqes` with a `max`, or for a ring whose completions are seen before their callbacks run: one
/// that was made so, or one within `run`.
#[cold]
#[inline(never)]
fn do_some(lua: &mut Lua, handle: Handle) -> c_int {
    let limited = !lua.absent(RING + 1);
    let most = if limited { integer(lua, RING + 1, 1, u32::MAX.into()) as u32 } else { u32::MAX };
    lua.set_top(RING);
    handle::push_table(lua); // at TABLE
    let auto = run::is_running(lua, handle) || handle.ring(lua).auto_seen;
    let handled = reap(lua, handle, limited.then_some(most), auto, |_| false);
    lua.push_integer(if limited && handled > 0 { handled.into() } else { DRAINED });
    1
}

/// Handles completions and messages, at most `most`, and until `enough`; how many there were.
/// The ring's table is at TABLE.
#[inline(never)]
pub fn reap(lua: &mut Lua, handle: Handle, most: Option<u32>, auto: bool, enough: fn(&Ring) -> bool) -> u32 {
    let mut handled = 0u32;
    let mut work = Work::All;
    while most.is_none_or(|most| handled < most) {
        let Some(ring) = usable(lua, handle).filter(|ring| !enough(ring)) else { break };
        match ring.peek(work) {
            Some(completion) => match completion.action.callback {
                Some(callback) if auto => deliver_seen(lua, handle, completion, callback),
                _ => dispatch(lua, handle, completion),
            },
            None if deliver_message(lua, handle) => {}
            None => break,
        }
        work = Work::Overflowed;
        handled = handled.saturating_add(1);
    }
    handled
}

/// The ring, if its completions can be handled.
#[inline(always)]
fn usable(lua: &Lua, handle: Handle) -> Option<&mut Ring> {
    handle.get(lua).filter(|ring| !ring.inherited() && !ring.is_lent())
}

/// Calls the callback of the completion at the head, if it has one. Raises what it raises.
#[inline(always)]
fn dispatch(lua: &mut Lua, handle: Handle, completion: Completion) {
    match completion.action.callback {
        Some(callback) if !completion.action.reply.is_cold() => deliver(lua, handle, completion, callback),
        _ => dispatch_cold(lua, handle),
    }
}

/// As `dispatch`, for what is not frequent. It peeks for itself: a completion that is handed over
/// would cost the others its way through memory.
#[inline(never)]
fn dispatch_cold(lua: &mut Lua, handle: Handle) {
    let Some(ring) = handle.get(lua) else { return };
    let Some(completion) = ring.peek(Work::Overflowed) else { return };
    match completion.action.callback {
        Some(callback) => deliver_cold(lua, handle, completion, callback),
        None => discard(lua, ring, &completion),
    }
}

/// Ends a completion that no callback gets.
#[inline]
fn discard(lua: &Lua, ring: &mut Ring, completion: &Completion) {
    let ended = ring.discard(completion);
    release(lua, ring, completion.key, ended);
    lua.set_top(TABLE);
}

/// Calls the callback of the completion at the head, which is one of the original module's kinds.
/// Raises what it raises.
#[inline(always)]
fn deliver(lua: &mut Lua, handle: Handle, completion: Completion, callback: Id) {
    handle::push_callback(lua, TABLE, callback);
    lua.push_light(completion.key.raw());
    lua.push_integer(completion.res.into());
    let mut arguments = 2;
    match completion.action.reply {
        Reply::Data => {
            arguments = 3;
            if !push_data(lua, handle, completion) {
                return lua.set_top(TABLE);
            }
        }
        Reply::Accepted => lua.rehearse(), // as in `deliver_cold`
        _ => {}
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
    let Some((arguments, flags)) = push_call(lua, handle, completion, callback) else {
        return lua.set_top(TABLE);
    };
    if completion.action.reply.has_descriptors() {
        lua.rehearse(); // once delivered, they are not closed when the ring ends
    }
    match handle.get(lua) {
        Some(ring) if ring.is_head(&completion) => match flags & sys::IORING_CQE_F_MORE {
            0 => ring.deliver(completion.key),
            _ => ring.deliver_more(completion.key),
        },
        _ => return lua.set_top(TABLE),
    }
    lua.call(arguments);
}

/// As `deliver`, and the completion is seen before its callback is called.
#[inline(never)]
fn deliver_seen(lua: &mut Lua, handle: Handle, completion: Completion, callback: Id) {
    let Some((arguments, flags)) = push_call(lua, handle, completion, callback) else {
        return lua.set_top(TABLE);
    };
    // What is seen is not delivered again, so its callback must be called: not too deep for that.
    lua.rehearse();
    let top = lua.top();
    let Some(ring) = handle.get(lua).filter(|ring| ring.is_head(&completion)) else {
        return lua.set_top(TABLE);
    };
    let before = ring.note_seen(Some((completion.key, flags)));
    if completion.action.reply.is_cold() && flags & sys::IORING_CQE_F_MORE != 0 {
        ring.seen_more(completion.key);
        handle::push_table(lua);
        handle::release_head(lua);
    } else {
        end(lua, ring, completion.key);
    }
    lua.set_top(top);
    lua.call(arguments);
    if let Some(ring) = handle.get(lua) {
        ring.note_seen(before);
    }
}

/// Pushes the callback and what it gets: how many arguments, and the CQE's flags. None when
/// there is nothing to call. May raise.
fn push_call(
    lua: &mut Lua,
    handle: Handle,
    mut completion: Completion,
    callback: Id,
) -> Option<(c_int, u32)> {
    let ring = handle.get(lua)?;
    let flags = ring.head_flags();
    let whole = completion;
    let mut heard = true;
    if whole.action.reply == Reply::Amended {
        (completion, heard) = ring.amended(whole);
    }
    completion.note(flags);
    let is_notification = flags & flag::IORING_CQE_F_NOTIF != 0;
    if !heard || is_notification && completion.action.reply == Reply::ZeroCopy {
        discard(lua, ring, &whole);
        return None;
    }
    handle::push_callback(lua, TABLE, callback);
    lua.push_light(completion.key.raw());
    if is_notification {
        lua.push_integer(0);
        lua.push_text(zero_copy::usage(completion.res));
        lua.push_integer(flags.into());
        return Some((4, flags));
    }
    let res = completion.received(flags).map_or(result(&completion), |received| received.res);
    lua.push_integer(res.into());
    match completion.action.reply {
        Reply::Nothing | Reply::Accepted => Some((2, flags)),
        Reply::Data => push_data(lua, handle, completion).then_some((3, flags)),
        _ => {
            if !push_value(lua, handle, completion, flags) {
                return None;
            }
            lua.push_integer(flags.into());
            Some((4, flags))
        }
    }
}

/// Calls the handler of the message that has come, if one has. Raises what it raises.
fn deliver_message(lua: &mut Lua, handle: Handle) -> bool {
    if !usable(lua, handle).is_some_and(|ring| ring.messages.has_come()) {
        return false;
    }
    lua.set_top(TABLE);
    let handler = handle::push_handler(lua, TABLE);
    lua.rehearse(); // as in `deliver_seen`
    // Unless other code has taken it meanwhile.
    let message = usable(lua, handle).and_then(Ring::take_message);
    let Some(message) = message.filter(|_| handler != Type::Nil) else {
        lua.set_top(TABLE);
        return true;
    };
    lua.push_integer(message.res.into());
    lua.push_integer(message.data as i64);
    lua.push_integer(message.flags.into());
    lua.call(3);
    true
}

/// Pushes the value of a cold reply. False when the completion is gone. May raise.
fn push_value(lua: &mut Lua, handle: Handle, completion: Completion, flags: u32) -> bool {
    match completion.action.reply {
        Reply::Bytes if completion.res >= 0 => push_data(lua, handle, completion),
        Reply::Selected => select::push(lua, handle, completion, flags),
        Reply::Messages => select::push_message(lua, handle, completion, flags),
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
        release_anchored(lua, ring, key, action);
    }
}

/// Lets go of the value that a slot keeps, and of all that an amended action ends. The ring's
/// table is on top.
#[inline(never)]
fn release_anchored(lua: &Lua, ring: &mut Ring, key: Key, action: InFlight) {
    let (mut reply, mut anchored) = (action.reply, true);
    if reply == Reply::Amended {
        (reply, anchored) = ring.end_amended(key, |ring, key, action| {
            if let Some(id) = action.callback.filter(|id| ring.callbacks.release(*id)) {
                handle::release_callback(lua, id);
            }
            if action.anchored {
                handle::release_value(lua, key.index());
            }
        });
    }
    if matches!(reply, Reply::Selected | Reply::Messages) {
        handle::release_head(lua);
    }
    if anchored {
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
    } else if ring.flags_seen(key).is_none() {
        not_delivered(lua, cqe);
    }
    0
}

/// `cqe_flags(ring, cqe)`: the flags of the completion that the callback has got.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn cqe_flags(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check(lua);
    let cqe = RING + 1;
    let key = Key::from_raw(lua.pointer(cqe));
    let ring = handle.ring(lua);
    let flags = match ring.flags_seen(key) {
        Some(flags) => flags,
        None if ring.has_delivered(key) || ring.has_delivered_more(key) => ring.head_flags(),
        None => not_delivered(lua, cqe),
    };
    lua.push_integer(flags.into());
    1
}

/// `more(flags)`: whether the action's last completion is still to come.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn more(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let flags = integer(lua, 1, 0, u32::MAX.into()) as u32;
    lua.push_boolean(flags & sys::IORING_CQE_F_MORE != 0);
    1
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
