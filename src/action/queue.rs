//! How every action is queued: check, anchor, place.

use crate::handle::{self, Handle, RING};
use crate::lua::{Lua, Message, RawState, Type};
use crate::ring::Ring;
use crate::ring::callbacks::Id;
use crate::ring::in_flight::InFlight;
use crate::ring::slab::Full;
use crate::sys;
use crate::values::arg::{Args, Place};
use crate::values::reply::Answer;
use crate::values::{buffer, group, integers};
use std::ffi::c_int;

/// An SQE, as liburing's helpers take it.
pub type Sqe = *mut sys::io_uring_sqe;

/// What tells one action from another: see `crate::actions`.
pub trait Action {
    /// The arguments between the ring and the callback.
    type Args: Args;
    /// What most calls have, of the same wires, tried first.
    type Simple: Args<Wires = <Self::Args as Args>::Wires>;
    /// What the callback gets.
    type Answer: Answer;

    /// Fills in the SQE.
    ///
    /// # Safety
    /// - `sqe` is zeroed and the caller's.
    /// - What `memory` and `wires` point to stays until the last completion.
    unsafe fn prep(sqe: Sqe, memory: <Self::Answer as Answer>::Memory, wires: <Self::Args as Args>::Wires);
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
    if A::Answer::REPLY.is_cold() {
        return queue_any::<A>(lua, handle);
    }
    match A::Simple::quick(lua, FIRST) {
        Some(args) => queue_checked::<A, A::Simple>(lua, handle, args),
        None => queue_any::<A>(lua, handle),
    }
}

/// As `queue`, from the arguments on: a function of its own, so that the simple kind of them
/// costs nothing for the others.
#[cold]
#[inline(never)]
fn queue_any<A: Action>(lua: &mut Lua, handle: Handle) -> c_int {
    let args = A::Args::check(lua, FIRST);
    queue_checked::<A, A::Args>(lua, handle, args)
}

/// As `queue`, once the arguments are checked.
#[inline(always)]
fn queue_checked<A: Action, T>(lua: &mut Lua, handle: Handle, args: T) -> c_int
where
    T: Args<Wires = <A::Args as Args>::Wires>,
{
    let anchors = args.anchors();
    if anchors > 1 {
        push_bundle(lua, args, anchors);
    }
    let index = FIRST + A::Args::COUNT;
    let mut ring = handle.ring(lua);
    let callback = match ring.callbacks.find(lua.address(index)) {
        Some(id) => Callback::Known(id),
        None => {
            let callback = Callback::check(lua, index);
            ring = handle.ring(lua);
            callback
        }
    };
    if ring.is_full() && !has_made_room(ring) {
        lua.push_nil();
        return 1;
    }
    A::Answer::admit(lua, ring);

    // Anchor. Growing a table may raise, and runs no Lua code.
    let slot = reserve(lua, ring);
    let room = args.room().saturating_add(A::Answer::ROOM);
    if callback.is_new() || anchors > 0 {
        let mut value = 0;
        args.each_anchor(FIRST, |index| {
            check_again(lua, index);
            value = index;
        });
        if anchors > 1 {
            value = lua.top();
        }
        ring = handle.ring(lua);
        anchor(lua, ring, callback, index, slot, value, room);
    }

    // Place. Nothing raises any more, but for want of memory where nothing was anchored.
    let block = ring.take_block(room).unwrap_or_else(|| lua.out_of_memory());
    let mut place = Place::new(block, args.front());
    let memory = A::Answer::place(&mut place);
    let wires = args.place(lua, &mut place, FIRST);
    let action = InFlight {
        block: place.block().with_size(args.size()),
        reply: args.reply(A::Answer::REPLY),
        callback: callback.keep(ring),
        anchored: anchors > 0,
    };
    // SAFETY: there is room, and a slot, both tested above with nothing queued since. The
    // block is the ring's, and the Lua values are anchored: both until the slot is free.
    let key = unsafe {
        ring.queue(action, |sqe| {
            A::prep(sqe, memory, wires);
            args.amend(&mut *sqe);
        })
    };
    A::Answer::settle(ring, key);
    lua.push_light(key.raw());
    1
}

/// Raises if a buffer or a group can't be used any more: what has run since it was checked may have
/// given a view back or closed a group, and a state that is being closed finalizes what is in use.
fn check_again(lua: &mut Lua, index: c_int) {
    if lua.kind(index) == Type::Userdata {
        buffer::taken(lua, index);
        group::find(lua, index);
    }
}

/// Submits, if a full queue is to do that by itself: whether there is room now.
#[cold]
#[inline(never)]
fn has_made_room(ring: &mut Ring) -> bool {
    ring.auto_submit && ring.make_room(1) == 0
}

/// The place of the first argument after the ring.
const FIRST: c_int = RING + 1;

/// An action's callback.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Callback {
    None,
    /// Lua keeps it already, under this number.
    Known(Id),
    New,
}

impl Callback {
    /// A callback that is not known. Raises.
    #[inline(never)]
    fn check(lua: &mut Lua, index: c_int) -> Callback {
        if integers::callback(lua, index) { Callback::New } else { Callback::None }
    }

    #[inline(always)]
    fn is_new(self) -> bool {
        self == Callback::New
    }

    /// Counts one more action that has it. A new one has been anchored.
    #[inline(always)]
    fn keep(self, ring: &mut Ring) -> Option<Id> {
        match self {
            Callback::None => None,
            Callback::Known(id) => {
                ring.callbacks.keep(id);
                Some(id)
            }
            Callback::New => ring.callbacks.keep_reserved(),
        }
    }
}

/// The number of the next slot. Raises.
#[inline(always)]
pub(super) fn reserve(lua: &Lua, ring: &mut Ring) -> u32 {
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

/// Pushes a table of all values that must be kept: a slot keeps one. Raises.
#[cold]
#[inline(never)]
fn push_bundle<T: Args>(lua: &mut Lua, args: T, anchors: c_int) {
    lua.set_top(FIRST + T::COUNT);
    lua.push_table_for(anchors);
    let mut number = 0;
    args.each_anchor(FIRST, |index| {
        number += 1;
        lua.push_copy(index);
        lua.raw_set(-2, number);
    });
}

/// Makes Lua keep a callback that is new, which is at `index` of the stack, and a slot's value,
/// which is at `value` unless that is 0. What it keeps for an action that is not queued after
/// all, is overwritten by the next. Raises.
#[inline(never)]
fn anchor(
    lua: &Lua,
    ring: &mut Ring,
    callback: Callback,
    index: c_int,
    slot: u32,
    value: c_int,
    room: usize,
) {
    if !ring.reserve_block(room) {
        lua.out_of_memory();
    }
    handle::push_table(lua);
    if callback.is_new() {
        let id = ring.callbacks.reserve(lua.address(index)).unwrap_or_else(|| lua.out_of_memory());
        handle::keep_callback(lua, id, index);
    }
    if value != 0 {
        handle::keep_value(lua, slot, value);
    }
}
