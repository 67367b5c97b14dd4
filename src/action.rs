//! How every action is queued: check, anchor, prep.

use crate::args::{self, Args};
use crate::buffers::Buffer;
use crate::handle::{self, Handle, RING};
use crate::lua::{Lua, Message, RawState};
use crate::ring::{InFlight, Reply};
use crate::slab::Full;
use crate::sys;
use std::ffi::c_int;

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
    /// `sqe` is zeroed and the caller's. `buffer` has the size that `args` ask for. It and
    /// the content among `args` stay as they are until the last completion.
    unsafe fn prep(sqe: Sqe, buffer: Buffer, args: Self::Args);
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
    let callback = args::callback(lua, callback_at);
    let content = A::Args::CONTENT.map(|number| first + number);
    let ring = handle.ring(lua);
    if ring.is_full() {
        lua.push_nil();
        return 1;
    }
    let slot = match ring.reserve() {
        Ok(slot) => slot,
        Err(Full::Memory) => lua.out_of_memory(),
        Err(Full::Keys) => lua.error(Message::new(format_args!("too many actions in flight"))),
    };

    // Anchor. Growing a table may raise, and runs no Lua code. What stands under a slot
    // that is not taken after all is overwritten by the slot's next action.
    handle::anchor(lua, slot, callback.then_some(callback_at), content);

    // Prep. Nothing raises any more, but for want of memory.
    let Some(buffer) = ring.take_buffer(args.buffer()) else {
        handle::push_table(lua);
        handle::release(lua, slot, callback, content.is_some());
        lua.out_of_memory()
    };
    let action = InFlight { buffer, reply: A::REPLY, callback, content: content.is_some() };
    // SAFETY: there is room, and a slot, both tested above with nothing queued since. The
    // buffer is the ring's, and the content anchored: both until the slot is free.
    let key = unsafe { ring.queue(action, |sqe| A::prep(sqe, buffer, args)) };
    lua.push_light(key.raw());
    1
}
