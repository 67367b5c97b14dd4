//! How a ring ends.

use super::cancel::Wanted;
use super::descriptor;
use super::groups::Group;
use super::in_flight::{InFlight, Reply};
use super::slab::{Key, Slab};
use super::{CANCELLATION, Ring, Work};
use crate::sys;
use std::mem::replace;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

/// A time to wait: none.
const AT_ONCE: sys::__kernel_timespec = sys::__kernel_timespec { tv_sec: 0, tv_nsec: 0 };

impl Ring {
    /// Ends the ring: drops what was not submitted, cancels what is in flight, reaps it,
    /// and frees everything. In a forked child it only lets go of the ring, and of its copy of
    /// what is in flight, which is the parent's.
    ///
    /// False when something could not be reaped. The kernel goes on cancelling it then,
    /// since the ring is closed, and nothing tells when it has: so its blocks are kept for
    /// good, and what else the kernel uses must stay as well.
    pub fn exit(mut self: Box<Ring>) -> bool {
        if !self.has_descriptor() {
            // The number may be another file's by now, or even another ring's.
            descriptor::forget(&mut self.uring);
        }
        let inherited = self.inherited();
        if inherited {
            self.free_copies();
        }
        let reaped = inherited || self.drain();
        let groups = self.end_groups(reaped);
        // SAFETY: set up by `new`, ended once. The pool frees no block that is out.
        unsafe { sys::io_uring_queue_exit(&mut self.uring) };
        if !reaped {
            keep(replace(&mut self.in_flight, Slab::new(0)), groups);
        }
        reaped
    }

    /// Frees what a forked child has of the actions in flight: the kernel uses the parent's memory,
    /// of which this is a copy.
    fn free_copies(&mut self) {
        let mut from = 0;
        while let Some(key) = self.in_flight.next_live(from) {
            from = key.index() + 1;
            self.release(key);
        }
    }

    /// Cancels and reaps until nothing is in flight. False when the kernel refuses to be
    /// entered for good (the ring is another thread's, say), or when nothing ends any more.
    fn drain(&mut self) -> bool {
        self.messages.ignore();
        self.drop_unsubmitted();
        self.reap_all();
        let mut patience = Patience::new();
        while self.busy() > 0 {
            // A request that is just moving between two of the kernel's lists is not
            // found: cancel again until all are gone.
            if !self.cancel_all() {
                return false;
            }
            if self.reap_all() {
                patience = Patience::new();
                continue;
            }
            // What was queued behind an IOSQE_IO_DRAIN waits, and so do cancellations: but not
            // this one, which Linux has since 6.0.
            self.cancel_now(Wanted { all: true, ..Wanted::default() }, Some(AT_ONCE));
            if !patience.wait() {
                return false;
            }
        }
        self.in_flight.len() == 0
    }

    /// Ends the completions there are, for nobody to see, but not more than the queue has room
    /// for: a multishot that goes on has to be cancelled again. Whether there were any.
    fn reap_all(&mut self) -> bool {
        for reaped in 0..=self.queues.cq_mask {
            let Some(completion) = self.peek(Work::All) else { return reaped > 0 };
            if self.discard(&completion).is_some_and(|action| action.reply == Reply::Amended) {
                self.end_amended(completion.key, |_, _, _| {});
            }
        }
        true
    }

    /// Takes back the SQEs that the kernel hasn't got.
    fn drop_unsubmitted(&mut self) {
        let tail = self.uring.sq.sqe_tail;
        let start = self.first_unsubmitted();
        for position in 0..tail.wrapping_sub(start) {
            // SAFETY: an entry between head and tail is filled in.
            let key = unsafe { (*self.sqe(start.wrapping_add(position))).user_data };
            self.release(Key::from_raw(usize::try_from(key).unwrap_or(0)));
        }
        self.uring.sq.sqe_head = start;
        self.uring.sq.sqe_tail = start;
        if !self.queues.kernel_thread {
            // SAFETY: only entering makes the kernel read the tail.
            unsafe { (*self.queues.sq_tail).store(start, Ordering::Release) }
        }
    }

    /// Asks the kernel to cancel each action in flight.
    fn cancel_all(&mut self) -> bool {
        let mut from = 0;
        while let Some(key) = self.in_flight.next_live(from) {
            if self.is_full() {
                if !self.submit_all() {
                    return false;
                }
                self.reap_all();
                continue;
            }
            // SAFETY: there is room, and a cancellation touches no memory.
            unsafe { self.push(CANCELLATION, |sqe| sys::luring_prep_cancel(sqe, key.raw() as u64)) };
            from = key.index() + 1;
        }
        self.submit_all()
    }

    /// Submits until there is room, however often it is interrupted; false when it can't
    /// be done.
    fn submit_all(&mut self) -> bool {
        let mut patience = Patience::new();
        loop {
            match -self.submit(0) {
                // Otherwise the kernel's thread has yet to take them.
                error if error <= 0 && !self.is_full() => return true,
                error if error <= 0 || error == sys::EINTR as i32 => {}
                // The completion queue is full or the kernel short of memory: reap first.
                error if [sys::EAGAIN, sys::EBUSY, sys::ENOMEM].contains(&(error as u32)) => {
                    if self.reap_all() {
                        continue;
                    }
                }
                _ => return false,
            }
            if !patience.wait() {
                return false;
            }
        }
    }
}

/// What the kernel may still use. Nobody takes it out again: it is here to be found by what
/// looks for memory that is lost.
static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

#[allow(dead_code)]
struct Kept(Slab<InFlight>, Vec<Group>);

// SAFETY: nobody looks at what it points to.
unsafe impl Send for Kept {}

fn keep(in_flight: Slab<InFlight>, groups: Vec<Group>) {
    let Ok(mut kept) = KEPT.try_lock() else { return };
    if kept.try_reserve(1).is_ok() {
        kept.push(Kept(in_flight, groups));
    }
}

/// Waits for the kernel, each twice as long as the one before up to a tenth of a second,
/// and ten seconds in all. It sleeps, since waiting for a completion has no end that holds
/// on every kernel and liburing.
struct Patience {
    next: Duration,
    left: Duration,
}

impl Patience {
    fn new() -> Patience {
        Patience { next: Duration::from_micros(50), left: Duration::from_secs(10) }
    }

    /// False at its end.
    fn wait(&mut self) -> bool {
        if self.left.is_zero() {
            return false;
        }
        sleep(self.next);
        self.left = self.left.saturating_sub(self.next);
        self.next = (self.next * 2).min(Duration::from_millis(100));
        true
    }
}
