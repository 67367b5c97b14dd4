//! Waiting that ends: after a time, or when there is room.

use super::Ring;
use crate::sys::{self, flag};
use std::ptr::null_mut;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// When so much time will have passed; None where that is too far away.
pub(super) fn moment_after(time: sys::__kernel_timespec) -> Option<Instant> {
    Instant::now().checked_add(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

impl Ring {
    /// As `submit`, and waits no longer than `time`: -ETIME if nothing was submitted and nothing
    /// has completed.
    pub fn submit_within(&mut self, wait: u32, mut time: sys::__kernel_timespec) -> i32 {
        let submitted = self.submit(0);
        if submitted < 0 || wait == 0 {
            return submitted;
        }
        // With IORING_SETUP_IOPOLL the kernel looks for completions, and returns when it likes.
        let looks_until = self.queues.polled.then(|| moment_after(time));
        let waited = loop {
            let mut cqe = null_mut();
            // SAFETY: the ring is set up; both pointers outlive the call.
            let waited =
                unsafe { sys::io_uring_wait_cqes(&mut self.uring, &mut cqe, wait, &mut time, null_mut()) };
            let is_over = looks_until.is_none_or(|end| end.is_some_and(|end| end <= Instant::now()));
            if waited != -(sys::ETIME as i32) || is_over {
                break waited;
            }
        };
        let arrived = waited == -(sys::ETIME as i32) && self.has_completions();
        if submitted > 0 || waited >= 0 || arrived { submitted } else { waited }
    }

    /// Whether the completion queue holds anything.
    pub fn has_completions(&self) -> bool {
        // SAFETY: the queue is mapped as long as the ring lives.
        self.position() != unsafe { (*self.queues.cq_tail).load(Ordering::Acquire) }
    }

    /// Whether who waits for the descriptor is woken: not for what is put off until the program
    /// enters the kernel, though whoever asks then finds it readable.
    pub fn wakes(&self) -> bool {
        self.uring.flags & (flag::IORING_SETUP_DEFER_TASKRUN | sys::IORING_SETUP_IOPOLL) == 0
    }

    /// Makes room for `count` SQEs, of as many as the queue holds, by submitting: 0, or `-errno`.
    pub fn make_room(&mut self, count: u32) -> i32 {
        while self.space() < count {
            let submitted = self.submit(0);
            if submitted < 0 {
                return submitted;
            }
            if self.space() >= count {
                break; // the kernel's thread may have taken some meanwhile, and nothing was to submit
            }
            if self.queues.kernel_thread {
                // SAFETY: the ring is set up.
                let waited = unsafe { sys::io_uring_sqring_wait(&mut self.uring) };
                if waited < 0 {
                    return waited;
                }
                std::thread::yield_now(); // it waits for the first SQE's room only
            } else if submitted == 0 {
                return -(sys::EAGAIN as i32);
            }
        }
        0
    }

    /// How many actions have not ended, but for those that nothing will tell of.
    pub fn busy(&self) -> usize {
        self.in_flight.len() - self.amendments.lost()
    }
}
