//! One io_uring: its queues, what is in flight, and how it ends. Knows no Lua.

pub mod buffers;
pub mod callbacks;
mod drain;
mod fork;
mod queues;
mod setup;
pub mod slab;

use crate::sys;
use buffers::{Buffer, Pool};
use callbacks::{Callbacks, Id};
use fork::ForkGuard;
use queues::Queues;
use slab::{Full, Key, Slab};
use std::ptr::{null_mut, slice_from_raw_parts};
use std::sync::atomic::{AtomicU32, Ordering};

/// The key of the ring's own cancellations: more than a `Key` has bits.
const CANCELLATION: u64 = 1 << 62;

/// What a completion brings to its callback.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// `(cqe, res)`.
    Nothing,
    /// `(cqe, res, result)`: the first `res` bytes of the buffer.
    Data,
}

/// An action from its SQE to its last CQE.
#[derive(Clone, Copy)]
pub struct InFlight {
    /// The memory that the kernel reads into.
    pub buffer: Buffer,
    /// What the callback gets.
    pub reply: Reply,
    /// The callback, which Lua keeps under this number.
    pub callback: Option<Id>,
    /// Whether a string is anchored under the slot's number.
    pub content: bool,
}

/// The completion at the head of the completion queue.
#[derive(Clone, Copy)]
pub struct Completion {
    /// Whose it is.
    pub key: Key,
    /// What the kernel returned: a system call's result, or `-errno`.
    pub res: i32,
    /// What was kept for it.
    pub action: InFlight,
    /// The head of the queue at this time.
    position: u32,
}

impl Completion {
    /// What was read: `res` bytes of the buffer, and not more than it has.
    #[inline]
    pub fn bytes(&self) -> *const [u8] {
        let buffer = self.action.buffer;
        let len = self.res.clamp(0, buffer.size().min(i32::MAX as u32) as i32);
        slice_from_raw_parts(buffer.ptr(), len as usize)
    }
}
/// An io_uring and everything that belongs to it.
pub struct Ring {
    uring: sys::io_uring,
    queues: Queues,
    in_flight: Slab<InFlight>,
    buffers: Pool,
    /// The callbacks of what is in flight.
    pub callbacks: Callbacks,
    fork: ForkGuard,
    /// The completion that a callback has got, until it is seen. It is the queue's head.
    delivered: Option<Key>,
    /// The action whose buffer is lent, while a string is made of it.
    #[cfg(not(copies_first))]
    lent: Option<Key>,
}

/// A system error number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

impl Ring {
    /// Makes a ring of `entries` SQEs, with IORING_SETUP_ `flags` that the caller has
    /// checked. See io_uring_queue_init(3).
    pub fn new(entries: u32, flags: u32) -> Result<Box<Ring>, Errno> {
        static RINGS: AtomicU32 = AtomicU32::new(0);
        let fork = ForkGuard::new().ok_or(Errno(sys::ENOMEM as i32))?;
        let uring = setup::init(entries, flags)?;
        let seed = RINGS.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Ring {
            // SAFETY: `init` filled them in, and liburing's pointers in them don't point
            // into the struct itself.
            queues: unsafe { Queues::new(&uring) },
            uring,
            in_flight: Slab::new(seed),
            buffers: Pool::new(),
            callbacks: Callbacks::new(),
            fork,
            delivered: None,
            #[cfg(not(copies_first))]
            lent: None,
        }))
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
        // SAFETY: the queue is mapped as long as the ring lives.
        let head = unsafe { (*self.queues.sq_head).load(Ordering::Acquire) };
        self.uring.sq.sqe_tail.wrapping_sub(head) >= self.queues.sq_entries
    }

    /// Makes sure there is a slot for the next action, and gives its number.
    #[inline]
    pub fn reserve(&mut self) -> Result<u32, Full> {
        self.in_flight.reserve()
    }

    /// A buffer for the next action; `None` when there is no memory.
    #[inline]
    pub fn take_buffer(&mut self, size: u32) -> Option<Buffer> {
        self.buffers.take(size)
    }

    /// Queues an action. `prep` fills in the SQE, which is all zeros, but its key.
    ///
    /// # Safety
    /// The queue is not full and a slot is reserved. What `prep` points the kernel to is
    /// `action`'s buffer, or a string that is anchored until the slot is free.
    #[inline]
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
        let sqe = self.sqe(self.uring.sq.sqe_tail);
        // SAFETY: the slot at the tail is the process's own until the tail passes it.
        unsafe {
            sqe.write_bytes(0, 1);
            prep(sqe);
            (*sqe).user_data = key;
        }
        self.uring.sq.sqe_tail = self.uring.sq.sqe_tail.wrapping_add(1);
    }

    fn sqe(&self, position: u32) -> *mut sys::io_uring_sqe {
        let index = (position & self.queues.sq_mask) << self.queues.sqe_shift;
        // SAFETY: masked, so it is within the mapped array.
        unsafe { self.uring.sq.sqes.add(index as usize) }
    }

    /// Submits what is queued and waits for `wait` completions: the number of SQEs
    /// submitted, or `-errno`. See io_uring_submit_and_wait(3).
    pub fn submit(&mut self, wait: u32) -> i32 {
        // SAFETY: the ring is set up, and what the SQEs point to is kept.
        unsafe {
            match wait {
                0 => sys::io_uring_submit(&mut self.uring),
                _ => sys::io_uring_submit_and_wait(&mut self.uring, wait),
            }
        }
    }

    // ---- completion ----

    /// The completion at the head of the queue, without waiting for one.
    #[inline]
    pub fn peek(&mut self) -> Option<Completion> {
        loop {
            let cqe = self.head()?;
            // SAFETY: the kernel has published this entry, and keeps it until it is seen.
            let (raw, res) = unsafe { ((*cqe).user_data, (*cqe).res) };
            let position = self.position();
            // On a 32-bit machine a foreign number could be cut to a live key.
            let key = Key::from_raw(usize::try_from(raw).unwrap_or(0));
            match self.in_flight.get(key) {
                Some(action) => return Some(Completion { key, res, action: *action, position }),
                None => self.advance(), // the ring's own cancellations
            }
        }
    }

    #[inline]
    fn head(&mut self) -> Option<*const sys::io_uring_cqe> {
        let queues = &self.queues;
        // SAFETY: the queue is mapped as long as the ring lives.
        let (head, tail, flags) = unsafe {
            let head = (*queues.cq_head).load(Ordering::Relaxed);
            let tail = (*queues.cq_tail).load(Ordering::Acquire);
            (head, tail, (*queues.sq_flags).load(Ordering::Relaxed))
        };
        if head == tail {
            if !(queues.polled || flags & queues.wants_enter != 0) {
                return None;
            }
            return self.enter();
        }
        let index = (head & self.queues.cq_mask) << self.queues.cqe_shift;
        // SAFETY: masked, so it is within the mapped array.
        Some(unsafe { self.queues.cqes.add(index as usize) })
    }

    /// Lets the kernel run what it has put off and move what overflowed: the head then.
    #[cold]
    fn enter(&mut self) -> Option<*const sys::io_uring_cqe> {
        let mut cqe = null_mut();
        // SAFETY: the ring is set up.
        let found = unsafe { sys::io_uring_peek_cqe(&mut self.uring, &mut cqe) == 0 && !cqe.is_null() };
        found.then_some(cqe.cast_const())
    }

    /// Notes that the callback of the head, which is `key`'s, is about to get it.
    #[inline]
    pub fn deliver(&mut self, key: Key) {
        self.delivered = Some(key);
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

    /// Whether a callback has got the head, which is `key`'s, and it has not been seen.
    #[inline]
    pub fn has_delivered(&self, key: Key) -> bool {
        self.delivered == Some(key)
    }

    /// Ends the completion at the head, which is `key`'s: the memory of its action may be
    /// used again. Returns the action, for what Lua keeps for it.
    #[inline]
    pub fn seen(&mut self, key: Key) -> Option<InFlight> {
        self.delivered = None;
        self.advance();
        self.release(key)
    }

    #[inline]
    fn release(&mut self, key: Key) -> Option<InFlight> {
        let action = self.in_flight.remove(key)?;
        // SAFETY: the pool handed it out for this action, whose last completion is there,
        // or which the kernel has never got.
        unsafe { self.buffers.give(action.buffer) };
        Some(action)
    }

    #[inline]
    fn advance(&mut self) {
        // SAFETY: the queue is mapped; the head is the process's to move.
        unsafe {
            (*self.queues.cq_head).store(self.position().wrapping_add(1), Ordering::Release);
        }
    }

    /// Takes the buffer away from an action, so that nothing frees it meanwhile.
    #[cfg(not(copies_first))]
    pub fn lend_buffer(&mut self, key: Key) -> Buffer {
        self.lent = Some(key);
        self.in_flight
            .get(key)
            .map_or(Buffer::EMPTY, |action| std::mem::replace(&mut action.buffer, Buffer::EMPTY))
    }

    /// Whether the head's buffer is lent, so that it can't be delivered meanwhile.
    pub fn is_lent(&self) -> bool {
        #[cfg(copies_first)]
        return false;
        #[cfg(not(copies_first))]
        self.lent.is_some()
    }

    /// Gives back the buffer that `lend_buffer` took.
    ///
    /// # Safety
    /// It was lent by this ring and is returned once.
    #[cfg(not(copies_first))]
    pub unsafe fn return_buffer(&mut self, buffer: Buffer) {
        match self.lent.take().and_then(|key| self.in_flight.get(key)) {
            Some(action) => action.buffer = buffer,
            // SAFETY: its action has ended, so the kernel is done with it.
            None => unsafe { self.buffers.give(buffer) },
        }
    }
}
