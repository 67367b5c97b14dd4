//! How every action is queued: check, anchor, prep.

use crate::handle::{self, Handle, RING};
use crate::lua::{Lua, Message, RawState};
use crate::ring::callbacks::Id;
use crate::ring::slab::Full;
use crate::ring::{InFlight, Reply, Ring};
use crate::sys;
use crate::values::integers::{self as args, Args};
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
    let lua = &mut unsafe { Lua::new(state) };

    // Check. Reading an argument may run the collector, and so any Lua code: the ring is
    // looked at only then.
    let handle = Handle::check(lua);
    let args = A::Args::check(lua, FIRST);
    let callback = Callback::check::<A>(lua, handle);
    let ring = handle.ring(lua);
    if ring.is_full() {
        lua.push_nil();
        return 1;
    }

    // Anchor. Growing a table may raise, and runs no Lua code.
    let slot = reserve(lua, ring);
    let content = args.content();
    let large = content.is_some_and(|content| content.len > SMALL);
    if callback.is_new() || large {
        anchor::<A>(lua, ring, callback, large.then_some(slot));
    }

    // Prep. Nothing raises any more, but for want of memory.
    let copied = content.filter(|_| !large);
    let size = copied.map_or(args.buffer(), |content| content.len);
    let buffer = ring.take_buffer(size).unwrap_or_else(|| no_buffer(lua, ring, callback));
    if let Some(content) = copied {
        // SAFETY: the string is on the stack, and the buffer has its size.
        unsafe { buffer.ptr().copy_from_nonoverlapping(content.ptr, content.len as usize) };
    }
    let memory = content.filter(|_| large).map_or(buffer.ptr(), |content| content.ptr.cast_mut());
    let action = InFlight { buffer, reply: A::REPLY, callback: callback.keep(ring), content: large };
    // SAFETY: there is room, and a slot, both tested above with nothing queued since. The
    // buffer is the ring's, and a large content is anchored: both until the slot is free.
    let key = unsafe { ring.queue(action, |sqe| A::prep(sqe, memory, args)) };
    lua.push_light(key.raw());
    1
}

/// The place of the first argument after the ring.
const FIRST: c_int = RING + 1;

/// An action's callback, if it has one.
#[derive(Clone, Copy)]
struct Callback {
    /// Zero for none.
    address: usize,
    /// The number under which Lua keeps it already.
    known: Option<Id>,
}

impl Callback {
    /// The callback among the arguments, after all others. Raises.
    #[inline(always)]
    fn check<A: Action>(lua: &mut Lua, handle: Handle) -> Callback {
        let index = FIRST + A::Args::COUNT;
        let address = lua.address(index);
        let known = handle.ring(lua).callbacks.find(address);
        if known.is_some() {
            return Callback { address, known };
        }
        let address = if args::callback(lua, index) { address } else { 0 };
        Callback { address, known }
    }

    #[inline(always)]
    fn is_new(self) -> bool {
        self.address != 0 && self.known.is_none()
    }

    /// Counts one more action that has it. A new one has been anchored.
    #[inline(always)]
    fn keep(self, ring: &mut Ring) -> Option<Id> {
        let id = if self.is_new() { ring.callbacks.reserve() } else { self.known };
        if let Some(id) = id {
            ring.callbacks.keep(id, self.address);
        }
        id
    }
}

/// The number of the next slot. Raises.
#[inline(always)]
fn reserve(lua: &Lua, ring: &mut Ring) -> u32 {
    match ring.reserve() {
        Ok(slot) => slot,
        Err(full) => no_slot(lua, full),
    }
}

#[cold]
#[inline(never)]
fn no_slot(lua: &Lua, full: Full) -> ! {
    match full {
        Full::Memory => lua.out_of_memory(),
        Full::Keys => lua.error(Message::new(format_args!("too many actions in flight"))),
    }
}

/// Makes Lua keep a callback that is new, and a slot's content. What it keeps for an
/// action that is not queued after all, is overwritten by the next. Raises.
#[inline(never)]
fn anchor<A: Action>(lua: &Lua, ring: &mut Ring, callback: Callback, slot: Option<u32>) {
    handle::push_table(lua);
    if callback.is_new() {
        let id = ring.callbacks.reserve().unwrap_or_else(|| lua.out_of_memory());
        handle::keep_callback(lua, id, FIRST + A::Args::COUNT);
    }
    if let (Some(slot), Some(number)) = (slot, A::Args::CONTENT) {
        handle::keep_content(lua, slot, FIRST + number);
    }
}

#[cold]
#[inline(never)]
fn no_buffer(lua: &Lua, ring: &mut Ring, callback: Callback) -> ! {
    if let Some(id) = ring.callbacks.reserve().filter(|_| callback.is_new()) {
        handle::push_table(lua);
        handle::release_callback(lua, id);
    }
    lua.out_of_memory()
}
