//! One io_uring: its queues, what is in flight, and how it ends. Knows no Lua.

pub mod asking;
pub mod buffers;
pub mod callbacks;
pub mod cancel;
pub mod chains;
pub mod control;
mod descriptor;
mod drain;
pub mod fixed_buffers;
mod fork;
pub mod groups;
pub mod hold;
pub mod in_flight;
pub mod messages;
mod pages;
#[cfg(test)]
mod played;
mod queues;
pub mod received;
pub mod region;
pub mod registered;
mod resize;
mod setup;
pub mod slab;
mod state;
pub mod unsubmitted;
mod waiting;

use crate::sys::{self, flag};
use buffers::{Buffer, Pool};
use callbacks::Callbacks;
use chains::Amendments;
use descriptor::Identity;
use fixed_buffers::FixedBuffers;
use fork::ForkGuard;
use groups::Group;
use in_flight::{Completion, InFlight, Reply};
use messages::Messages;
use queues::Queues;
pub use setup::{KNOWN, Params};
use slab::{Full, Key, Slab};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

/// The key of the ring's own cancellations: more than a `Key` has bits.
const CANCELLATION: u64 = 1 << 62;

/// An io_uring and everything that belongs to it.
pub struct Ring {
    uring: sys::io_uring,
    identity: Option<Identity>,
    queues: Queues,
    in_flight: Slab<InFlight>,
    buffers: Pool,
    /// The callbacks of what is in flight.
    pub callbacks: Callbacks,
    fork: ForkGuard,
    fixed_buffers: FixedBuffers,
    /// The completion that a callback has got, until it is seen. It is the queue's head.
    delivered: Option<Key>,
    /// The same for a completion that is not its action's last, with its place in the queue.
    delivered_more: Option<(Key, u32)>,
    /// The completion that was seen before a callback got it, and its flags, until that returns.
    seen_before: Option<(Key, u32)>,
    /// The action whose block is lent, while a value is made of it, and the block.
    lent: Option<(Key, Buffer)>,
    /// The groups of buffers that the kernel has.
    groups: Vec<Group>,
    /// The number that the next of them may have.
    group_id: u16,
    amendments: Amendments,
    /// What other rings send.
    pub messages: Messages,
    /// Whether a full queue submits, instead of refusing an action.
    pub auto_submit: bool,
    /// Whether a completion is seen before its callback is called.
    pub auto_seen: bool,
    /// Whether it runs, as far as is known: an error may have ended that.
    pub running: bool,
    /// Whether it was told to stop.
    pub stopped: bool,
}

/// A system error number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

impl Ring {
    /// Makes a ring of `entries` SQEs. See io_uring_queue_init_params(3).
    pub fn new(entries: u32, params: Params) -> Result<Box<Ring>, Errno> {
        let mut room = setup::room().ok_or(Errno(sys::ENOMEM as i32))?;
        let fork = ForkGuard::new().ok_or(Errno(sys::ENOMEM as i32))?;
        let uring = setup::init(entries, params)?;
        let identity = Identity::of(uring.ring_fd);
        // SAFETY: `init` filled it in.
        room.write(unsafe { Ring::of(uring, identity, fork, params) });
        // SAFETY: written above.
        Ok(unsafe { room.assume_init() })
    }

    /// # Safety
    /// `uring` is set up, and liburing's pointers in it don't point into the struct itself.
    unsafe fn of(uring: sys::io_uring, identity: Option<Identity>, fork: ForkGuard, params: Params) -> Ring {
        static RINGS: AtomicU32 = AtomicU32::new(0);
        Ring {
            identity,
            // SAFETY: the caller's promise.
            queues: unsafe { Queues::new(&uring) },
            uring,
            in_flight: Slab::new(RINGS.fetch_add(1, Ordering::Relaxed)),
            buffers: Pool::new(),
            callbacks: Callbacks::new(),
            fork,
            fixed_buffers: FixedBuffers::new(),
            delivered: None,
            delivered_more: None,
            seen_before: None,
            lent: None,
            groups: Vec::new(),
            group_id: 0,
            amendments: Amendments::new(),
            messages: Messages::new(),
            auto_submit: params.auto_submit,
            auto_seen: params.auto_seen,
            running: false,
            stopped: false,
        }
    }

    /// Whether this process is a forked child that only inherited the ring.
    #[inline]
    pub fn inherited(&self) -> bool {
        self.fork.in_child()
    }

    // ---- submission ----

    /// Whether there is no SQE to be had until the next submit.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.sq_ready() >= self.queues.sq_entries
    }

    /// Makes sure there is a slot for the next action, and gives its number.
    #[inline]
    pub fn reserve(&mut self) -> Result<u32, Full> {
        self.in_flight.reserve()
    }

    /// Makes sure that the next `take_block` of this room succeeds.
    pub fn reserve_block(&mut self, room: usize) -> bool {
        self.buffers.reserve(room)
    }

    /// A block for the next action; `None` when there is no memory.
    #[inline]
    pub fn take_block(&mut self, room: usize) -> Option<Buffer> {
        self.buffers.take(room)
    }

    /// Queues an action. `prep` fills in the SQE, which is all zeros, but its key.
    ///
    /// # Safety
    /// The queue is not full and a slot is reserved. What `prep` points the kernel to is
    /// in `action`'s block, or in a Lua value that is anchored until the slot is free.
    #[inline(always)]
    pub unsafe fn queue(&mut self, action: InFlight, prep: impl FnOnce(*mut sys::io_uring_sqe)) -> Key {
        let key = self.in_flight.insert(action);
        // SAFETY: there is room for an SQE, the caller says.
        unsafe { self.push(key.raw() as u64, prep) };
        key
    }

    /// # Safety
    /// The queue is not full, and `prep` fills in what the kernel may do.
    #[inline]
    unsafe fn push(&mut self, key: u64, prep: impl FnOnce(*mut sys::io_uring_sqe)) {
        debug_assert!(!self.is_full());
        let sqe = self.sqe(self.uring.sq.sqe_tail);
        // SAFETY: the slot at the tail is the process's own until the tail passes it.
        unsafe {
            sqe.write_bytes(0, 1);
            prep(sqe);
            (*sqe).user_data = key;
        }
        self.uring.sq.sqe_tail = self.uring.sq.sqe_tail.wrapping_add(1);
    }

    #[inline]
    fn sqe(&self, position: u32) -> *mut sys::io_uring_sqe {
        let index = (position & self.queues.sq_mask) << self.queues.sqe_shift;
        // SAFETY: masked, so it is within the mapped array.
        unsafe { self.uring.sq.sqes.add(index as usize) }
    }

    /// Submits what is queued and waits for `wait` completions: the number of SQEs
    /// submitted, or `-errno`. See io_uring_submit_and_wait(3).
    pub fn submit(&mut self, wait: u32) -> i32 {
        // SAFETY: the ring is set up, and what the SQEs point to is kept.
        let submitted = unsafe {
            match wait {
                0 => sys::io_uring_submit(&mut self.uring),
                _ => sys::io_uring_submit_and_wait(&mut self.uring, wait),
            }
        };
        self.note_submitted();
        submitted
    }

    // ---- completion ----

    /// The completion at the head of the queue, without waiting for one. The kernel is
    /// entered only if the queue is empty, and for what `work` says. There may be a message
    /// instead.
    #[inline(always)]
    pub fn peek(&mut self, work: Work) -> Option<Completion> {
        loop {
            let cqe = self.head(work)?;
            // SAFETY: the kernel has published this entry, and keeps it until it is seen.
            let (raw, res) = unsafe { ((*cqe).user_data, (*cqe).res) };
            let position = self.position();
            // On a 32-bit machine a foreign number could be cut to a live key.
            let key = Key::from_raw(usize::try_from(raw).unwrap_or(0));
            if let Some(action) = self.in_flight.get(key) {
                return Some(Completion { key, res, action: *action, position });
            }
            if self.hear(raw, res) {
                return None;
            }
        }
    }

    #[inline(always)]
    fn head(&mut self, work: Work) -> Option<*const sys::io_uring_cqe> {
        let queues = &self.queues;
        // SAFETY: the queue is mapped as long as the ring lives.
        let (head, tail) =
            unsafe { ((*queues.cq_head).load(Ordering::Relaxed), (*queues.cq_tail).load(Ordering::Acquire)) };
        if head == tail {
            return self.enter(work);
        }
        let index = (head & self.queues.cq_mask) << self.queues.cqe_shift;
        // SAFETY: masked, so it is within the mapped array.
        Some(unsafe { self.queues.cqes.add(index as usize) })
    }

    /// Lets the kernel run what it has put off and move what overflowed: the head then.
    #[inline(never)]
    fn enter(&mut self, work: Work) -> Option<*const sys::io_uring_cqe> {
        // SAFETY: the queue is mapped as long as the ring lives.
        let flags = unsafe { (*self.queues.sq_flags).load(Ordering::Relaxed) };
        let wanted = match work {
            Work::All => {
                flags & (sys::IORING_SQ_CQ_OVERFLOW | flag::IORING_SQ_TASKRUN) != 0 || self.queues.polled
            }
            Work::Overflowed => flags & sys::IORING_SQ_CQ_OVERFLOW != 0,
        };
        if !wanted {
            return None;
        }
        let mut cqe = null_mut();
        // SAFETY: the ring is set up.
        let found = unsafe { sys::io_uring_peek_cqe(&mut self.uring, &mut cqe) == 0 && !cqe.is_null() };
        found.then_some(cqe.cast_const())
    }

    /// Whether the completion at the head is not its action's last (IORING_CQE_F_MORE), and
    /// all its flags.
    pub fn head_flags(&self) -> u32 {
        let index = (self.position() & self.queues.cq_mask) << self.queues.cqe_shift;
        // SAFETY: masked, so it is within the mapped array; the caller has seen a head.
        unsafe { (*self.queues.cqes.add(index as usize)).flags }
    }

    /// Notes that the callback of the head, which is `key`'s, is about to get it.
    #[inline]
    pub fn deliver(&mut self, key: Key) {
        self.delivered = Some(key);
    }

    /// As `deliver`, for a completion that more will follow.
    pub fn deliver_more(&mut self, key: Key) {
        self.delivered = None;
        self.delivered_more = Some((key, self.position()));
    }

    /// Whether the completion that `peek` gave is still at the head.
    #[inline]
    pub fn is_head(&self, completion: &Completion) -> bool {
        self.position() == completion.position
    }

    #[inline]
    fn position(&self) -> u32 {
        // SAFETY: the queue is mapped as long as the ring lives.
        unsafe { (*self.queues.cq_head).load(Ordering::Relaxed) }
    }

    /// Whether a callback has got the head, which is `key`'s and its last, and it has not
    /// been seen.
    #[inline]
    pub fn has_delivered(&self, key: Key) -> bool {
        self.delivered == Some(key)
    }

    /// As `has_delivered`, for a completion that more will follow.
    pub fn has_delivered_more(&self, key: Key) -> bool {
        self.delivered_more == Some((key, self.position()))
    }

    /// Ends the completion at the head, which is `key`'s last: the memory of its action may
    /// be used again. Returns the action, for what Lua keeps for it.
    #[inline(always)]
    pub fn seen(&mut self, key: Key) -> Option<InFlight> {
        self.delivered = None;
        self.advance();
        self.release(key)
    }

    /// Ends the completion at the head, which more of the same action will follow: its
    /// memory stays the kernel's.
    pub fn seen_more(&mut self, key: Key) {
        self.delivered = None;
        self.delivered_more = None;
        self.advance();
        if let Some(group) = self.in_flight.get(key).and_then(|action| action.group()) {
            group.finish();
        }
    }

    /// Notes that a completion has been seen, while its callback runs. Returns what was noted
    /// before.
    pub fn note_seen(&mut self, now: Option<(Key, u32)>) -> Option<(Key, u32)> {
        std::mem::replace(&mut self.seen_before, now)
    }

    /// The flags of a completion that was seen before the callback that now runs.
    pub fn flags_seen(&self, key: Key) -> Option<u32> {
        self.seen_before.filter(|(seen, _)| *seen == key).map(|(_, flags)| flags)
    }

    /// Ends the head where no callback gets it: a descriptor that it brings is closed, unless
    /// a callback has got it before. Returns the action if this was its last completion.
    pub fn discard(&mut self, completion: &Completion) -> Option<InFlight> {
        let key = completion.key;
        let mut completion = *completion;
        if let Some((_, block)) = self.lent.filter(|(lent, _)| *lent == key) {
            completion.action.block = block; // where its descriptors stand
        }
        let flags = if completion.action.reply.is_cold() { self.head_flags() } else { 0 };
        if !self.has_delivered(key) && !self.has_delivered_more(key) {
            match completion.action.reply {
                Reply::Amended => self.amended(completion).0.close(flags),
                _ => completion.close(flags),
            }
        }
        if completion.action.reply.is_cold() {
            completion.note(flags);
            completion.select(flags);
            if flags & sys::IORING_CQE_F_MORE != 0 {
                self.seen_more(key);
                return None;
            }
        }
        self.seen(key)
    }

    #[inline(always)]
    fn release(&mut self, key: Key) -> Option<InFlight> {
        let action = self.in_flight.remove(key)?;
        // SAFETY: the pool handed it out for this action, whose last completion is there,
        // or which the kernel has never got.
        unsafe { self.buffers.give(action.block) };
        Some(action)
    }

    #[inline]
    fn advance(&mut self) {
        // SAFETY: the queue is mapped; the head is the process's to move.
        unsafe {
            (*self.queues.cq_head).store(self.position().wrapping_add(1), Ordering::Release);
        }
    }

    /// Takes the block away from an action, so that nothing frees it meanwhile.
    pub fn lend_block(&mut self, key: Key) -> Buffer {
        debug_assert!(self.lent.is_none());
        let block = self
            .in_flight
            .get(key)
            .map_or(Buffer::EMPTY, |action| std::mem::replace(&mut action.block, Buffer::EMPTY));
        self.lent = Some((key, block));
        block
    }

    /// Whether a block is lent, so that nothing can be delivered meanwhile.
    #[inline]
    pub fn is_lent(&self) -> bool {
        self.lent.is_some()
    }

    /// Gives back the block that `lend_block` took.
    ///
    /// # Safety
    /// It was lent by this ring and is returned once.
    pub unsafe fn return_block(&mut self, block: Buffer) {
        match self.lent.take().and_then(|(key, _)| self.in_flight.get(key)) {
            Some(action) => action.block = block,
            // SAFETY: its action has ended, so the kernel is done with it.
            None => unsafe { self.buffers.give(block) },
        }
    }
}

/// What the kernel is entered for when the completion queue is empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Whatever it has put off, and completions that had no room.
    All,
    /// Completions that had no room.
    Overflowed,
}
