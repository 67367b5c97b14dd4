//! How every action is queued: check, anchor, prep.

use crate::args::{self, Args};
use crate::handle::{self, Handle, RING};
use crate::lua::{Lua, Message, RawState};
use crate::ring::{InFlight, Reply};
use crate::slab::Full;
use crate::sys;
use std::ffi::c_int;

/// Contents up to this size, in bytes, are copied: keeping the string costs more.
const SMALL: u32 = 1024;

/// An SQE, as liburing's helpers take it.
pub type Sqe = *mut sys::io_uring_sqe;

/// What tells one action from another: see `crate::actions`.
pub trait Action {
    /// The arguments between the ring and the callback.
    type Args: Args;
    /// What the callback gets.
    const REPLY: Reply;

    /// Fills in the SQE.
    ///
    /// # Safety
    /// `sqe` is zeroed and the caller's. `memory` is where the content is, or has the size
    /// that `args` ask for: in either case until the last completion.
    unsafe fn prep(sqe: Sqe, memory: *mut u8, args: Self::Args);
}

/// Queues `A` with the arguments on the stack, and returns its key to Lua, or nil when
/// the queue is full.
///
/// An error anywhere leaves nothing behind: what can raise comes before anything is
/// taken, and nothing here has a destructor that an error would skip.
///
/// # Safety
/// Lua has called with `state`.
#[inline]
pub unsafe fn queue<A: Action>(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = unsafe { Lua::new(state) };

    // Check. Reading an argument may run the collector, and so any Lua code: the ring is
    // looked at only then.
    let handle = Handle::check(lua);
    let first = RING + 1;
    let args = A::Args::check(lua, first);
    let callback_at = first + A::Args::COUNT;
    let address = lua.address(callback_at);
    let mut ring = handle.ring(lua);
    let mut known = ring.callbacks.find(address);
    let callback = known.is_some() || args::callback(lua, callback_at);
    if known.is_none() {
        ring = handle.ring(lua);
    }
    if ring.is_full() {
        lua.push_nil();
        return 1;
    }
    let slot = match ring.reserve() {
        Ok(slot) => slot,
        Err(Full::Memory) => lua.out_of_memory(),
        Err(Full::Keys) => lua.error(Message::new(format_args!("too many actions in flight"))),
    };

    // Anchor. Growing a table may raise, and runs no Lua code. What stands in one for an
    // action that is not queued after all is overwritten by the next.
    let content = args.content();
    let copied = content.is_none_or(|content| content.len <= SMALL);
    if callback && known.is_none() || !copied {
        handle::push_table(lua);
        if callback && known.is_none() {
            let id = ring.callbacks.reserve().unwrap_or_else(|| lua.out_of_memory());
            handle::keep_callback(lua, id, callback_at);
            known = Some(id);
        }
        if let Some(number) = A::Args::CONTENT.filter(|_| !copied) {
            handle::keep_content(lua, slot, first + number);
        }
    }

    // Prep. Nothing raises any more, but for want of memory.
    let copy = content.filter(|_| copied);
    let size = copy.map_or(args.buffer(), |content| content.len);
    let Some(buffer) = ring.take_buffer(size) else {
        lua.set_top(callback_at);
        handle::push_table(lua);
        if let Some(id) = known.filter(|_| ring.callbacks.find(address).is_none()) {
            handle::release_callback(lua, id);
        }
        lua.out_of_memory()
    };
    let memory = match content {
        None => buffer.ptr(),
        Some(content) if copied => {
            // SAFETY: the string is on the stack, and the buffer has its size.
            unsafe { buffer.ptr().copy_from_nonoverlapping(content.ptr, content.len as usize) };
            buffer.ptr()
        }
        Some(content) => content.ptr.cast_mut(),
    };
    if let Some(id) = known {
        ring.callbacks.keep(id, address);
    }
    let action = InFlight { buffer, reply: A::REPLY, callback: known, content: !copied };
    // SAFETY: there is room, and a slot, both tested above with nothing queued since. The
    // buffer is the ring's, and a content that is not copied is kept: both until the slot
    // is free.
    let key = unsafe { ring.queue(action, |sqe| A::prep(sqe, memory, args)) };
    lua.push_light(key.raw());
    1
}
