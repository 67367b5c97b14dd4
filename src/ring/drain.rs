//! How a ring ends.

use super::slab::Key;
use super::{CANCELLATION, Ring, Work};
use crate::sys;
use std::mem::forget;
use std::ptr::null_mut;
use std::sync::atomic::Ordering;

impl Ring {
    /// Ends the ring: drops what was not submitted, cancels what is in flight, reaps it,
    /// and frees everything. In a forked child it only lets go of the ring: what is in
    /// flight is the parent's.
    pub fn exit(mut self: Box<Ring>) {
        if !self.inherited() && !self.drain() {
            // The kernel may still write into the buffers: never free them.
            return forget(self);
        }
        // SAFETY: set up by `new`, ended once.
        unsafe { sys::io_uring_queue_exit(&mut self.uring) }
    }

    /// Cancels and reaps until nothing is in flight. False when the kernel refuses to
    /// be entered for good (the ring is another thread's, say).
    fn drain(&mut self) -> bool {
        self.drop_unsubmitted();
        let mut patience = Wait::milliseconds(10);
        loop {
            self.reap_all();
            if self.in_flight.len() == 0 {
                return true;
            }
            // A request that is just moving between two of the kernel's lists is not
            // found: cancel again until all are gone.
            if !self.cancel_all() {
                return false;
            }
            self.wait(&mut patience);
        }
    }

    /// Ends all completions there are, for nobody to see.
    fn reap_all(&mut self) {
        while let Some(completion) = self.peek(Work::All) {
            self.discard(&completion);
        }
    }

    /// Takes back the SQEs that the kernel hasn't got.
    fn drop_unsubmitted(&mut self) {
        let tail = self.uring.sq.sqe_tail;
        let start = if self.queues.kernel_thread {
            self.uring.sq.sqe_head // the thread may be taking what is before it right now
        } else {
            // SAFETY: the queue is mapped as long as the ring lives.
            unsafe { (*self.queues.sq_head).load(Ordering::Acquire) }
        };
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

    /// Submits, however often it is interrupted; false when it can't be done.
    fn submit_all(&mut self) -> bool {
        loop {
            match -self.submit(0) {
                0 if self.is_full() && self.queues.kernel_thread => std::thread::yield_now(),
                error if error <= 0 => return true,
                error if error == sys::EINTR as i32 => {}
                // The completion queue is full or the kernel short of memory: reap first.
                error if [sys::EAGAIN, sys::EBUSY, sys::ENOMEM].contains(&(error as u32)) => {
                    self.reap_all();
                    std::thread::yield_now();
                }
                _ => return false,
            }
        }
    }

    /// Waits for a completion, at most as long as `patience` says, which grows.
    fn wait(&mut self, patience: &mut Wait) {
        let mut cqe = null_mut();
        let mut time = patience.next();
        // SAFETY: the ring is set up; both pointers outlive the call.
        unsafe { sys::io_uring_wait_cqe_timeout(&mut self.uring, &mut cqe, &mut time) };
    }
}

/// A waiting time that doubles up to a second.
struct Wait {
    milliseconds: i64,
}

impl Wait {
    fn milliseconds(milliseconds: i64) -> Wait {
        Wait { milliseconds }
    }

    fn next(&mut self) -> sys::__kernel_timespec {
        let now = self.milliseconds;
        self.milliseconds = (now * 2).min(1000);
        sys::__kernel_timespec { tv_sec: (now / 1000) as _, tv_nsec: (now % 1000 * 1_000_000) as _ }
    }
}
