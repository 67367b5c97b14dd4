//! What can be asked of a ring.

use super::Ring;
use crate::sys;
use std::sync::atomic::Ordering;

impl Ring {
    /// The IORING_FEAT_ bits of the kernel that made it.
    pub fn features(&self) -> u32 {
        self.uring.features
    }

    /// How many actions have a last completion that was not seen yet.
    pub fn count_in_flight(&self) -> u32 {
        self.in_flight.len() as u32
    }

    /// How many SQEs the kernel has not taken yet.
    #[inline]
    pub fn sq_ready(&self) -> u32 {
        // SAFETY: the queue is mapped as long as the ring lives.
        let head = unsafe { (*self.queues.sq_head).load(Ordering::Acquire) };
        self.uring.sq.sqe_tail.wrapping_sub(head)
    }

    /// How many more there is room for.
    pub fn sq_space_left(&self) -> u32 {
        self.queues.sq_entries - self.sq_ready()
    }

    /// How many CQEs there are.
    pub fn cq_ready(&self) -> u32 {
        // SAFETY: the queue is mapped as long as the ring lives.
        let tail = unsafe { (*self.queues.cq_tail).load(Ordering::Acquire) };
        tail.wrapping_sub(self.position())
    }

    /// Whether the kernel keeps completions that had no room in the queue.
    pub fn cq_has_overflow(&self) -> bool {
        // SAFETY: the queue is mapped as long as the ring lives.
        unsafe { (*self.queues.sq_flags).load(Ordering::Relaxed) & sys::IORING_SQ_CQ_OVERFLOW != 0 }
    }
}
