//! Where the kernel and the process share the two queues.

use crate::sys::{self, flag};
use std::sync::atomic::AtomicU32;

/// Where the kernel and the process share the two queues.
pub struct Queues {
    pub sq_head: *const AtomicU32,
    pub sq_tail: *const AtomicU32,
    pub sq_flags: *const AtomicU32,
    pub sq_mask: u32,
    pub sq_entries: u32,
    pub sqe_shift: u32,
    pub cq_head: *const AtomicU32,
    pub cq_tail: *const AtomicU32,
    pub cqes: *const sys::io_uring_cqe,
    pub cq_mask: u32,
    pub cqe_shift: u32,
    pub polled: bool,
    pub kernel_thread: bool,
}

impl Queues {
    /// # Safety
    /// liburing has set `uring` up.
    pub unsafe fn new(uring: &sys::io_uring) -> Queues {
        let (sq, cq) = (&uring.sq, &uring.cq);
        // SAFETY: liburing's pointers lead into the mapped rings. The kernel's fields are
        // aligned 32-bit words, which may be read as atomics.
        unsafe {
            Queues {
                sq_head: sq.khead.cast(),
                sq_tail: sq.ktail.cast(),
                sq_flags: sq.kflags.cast(),
                sq_mask: *sq.kring_mask,
                sq_entries: *sq.kring_entries,
                sqe_shift: (uring.flags & flag::IORING_SETUP_SQE128 != 0) as u32,
                cq_head: cq.khead.cast(),
                cq_tail: cq.ktail.cast(),
                cqes: cq.cqes,
                cq_mask: *cq.kring_mask,
                cqe_shift: (uring.flags & flag::IORING_SETUP_CQE32 != 0) as u32,
                polled: uring.flags & sys::IORING_SETUP_IOPOLL != 0,
                kernel_thread: uring.flags & sys::IORING_SETUP_SQPOLL != 0,
            }
        }
    }
}
