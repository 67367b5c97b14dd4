//! The SQEs that the kernel has not got yet: they can still be changed.

use super::Ring;
use super::slab::Key;
use crate::sys;
use std::sync::atomic::Ordering;

/// IORING_FEAT_CQE_SKIP, which liburing has since 2.2.
const FEATURE_SKIP: u32 = 1 << 11;

impl Ring {
    /// The place of the first SQE that the kernel has not got.
    pub(super) fn first_unsubmitted(&self) -> u32 {
        if self.queues.kernel_thread {
            return self.uring.sq.sqe_head; // the thread may be taking what is before it right now
        }
        // SAFETY: the queue is mapped as long as the ring lives.
        unsafe { (*self.queues.sq_head).load(Ordering::Acquire) }
    }

    /// How many SQEs the kernel has not got.
    pub fn unsubmitted(&self) -> u32 {
        self.uring.sq.sqe_tail.wrapping_sub(self.first_unsubmitted())
    }

    /// How many SQEs fit in until the next submit.
    pub fn space(&self) -> u32 {
        // SAFETY: the queue is mapped as long as the ring lives.
        let head = unsafe { (*self.queues.sq_head).load(Ordering::Acquire) };
        self.queues.sq_entries.saturating_sub(self.uring.sq.sqe_tail.wrapping_sub(head))
    }

    /// How many SQEs the queue holds.
    pub fn entries(&self) -> u32 {
        self.queues.sq_entries
    }

    /// Where an action's SQE is, if the kernel has not got it. The newest are looked at first.
    pub fn find_unsubmitted(&self, key: Key) -> Option<Place> {
        let tail = self.uring.sq.sqe_tail;
        (1..=self.unsubmitted()).map(|back| Place(tail.wrapping_sub(back))).find(|place| {
            // SAFETY: an entry between head and tail is filled in.
            unsafe { (*self.sqe(place.0)).user_data == key.raw() as u64 }
        })
    }

    /// The SQE that was queued last, if the kernel has not got it.
    pub fn newest(&self) -> Option<Place> {
        (self.unsubmitted() > 0).then(|| Place(self.uring.sq.sqe_tail.wrapping_sub(1)))
    }

    /// The SQE before this one, if the kernel has not got it.
    pub fn before(&self, place: Place) -> Option<Place> {
        (place.0 != self.first_unsubmitted()).then(|| Place(place.0.wrapping_sub(1)))
    }

    /// An SQE that `find_unsubmitted` and its kin have found, with nothing submitted since.
    pub fn unsubmitted_sqe(&mut self, place: Place) -> &mut sys::io_uring_sqe {
        // SAFETY: the entry is filled in, and the process's own until it is submitted.
        unsafe { &mut *self.sqe(place.0) }
    }

    /// Whether an action can complete in silence. The kernel's thread may take a part of a chain
    /// at any time, and nothing tells then when the silent ones have ended.
    pub fn can_skip(&self) -> bool {
        self.uring.features & FEATURE_SKIP != 0 && !self.queues.kernel_thread
    }

    /// Whether an action has a callback.
    pub fn has_callback(&mut self, key: Key) -> Option<bool> {
        self.in_flight.get(key).map(|action| action.callback.is_some())
    }

    /// The place that the next SQE will have.
    pub fn end(&self) -> Place {
        Place(self.uring.sq.sqe_tail)
    }
}

/// The place of an SQE in the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(pub(super) u32);

impl Place {
    /// The place behind it.
    pub fn next(self) -> Place {
        Place(self.0.wrapping_add(1))
    }
}
