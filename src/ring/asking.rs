//! A ring of its own that the kernel is asked with what it can do.

use super::registered::{self, OPERATIONS};
use super::{Errno, KNOWN, Ring};
use crate::sys::{self, flag};
use std::ffi::c_void;
use std::mem::zeroed;
use std::ptr::{null, null_mut, without_provenance};

/// The fields of an SQE, wherever the headers have them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Sqe {
    pub opcode: u8,
    pub flags: u8,
    pub ioprio: u16,
    pub fd: i32,
    pub off: u64,
    pub addr: u64,
    pub len: u32,
    pub op_flags: u32,
    pub user_data: u64,
    pub buf_index: u16,
    pub personality: u16,
    pub file_index: u32,
    pub addr3: [u64; 2],
}

impl Sqe {
    /// All zeros.
    pub const EMPTY: Sqe = Sqe {
        opcode: 0,
        flags: 0,
        ioprio: 0,
        fd: 0,
        off: 0,
        addr: 0,
        len: 0,
        op_flags: 0,
        user_data: 0,
        buf_index: 0,
        personality: 0,
        file_index: 0,
        addr3: [0; 2],
    };
}

/// Where no memory ever is.
const NOWHERE: *const c_void = without_provenance(1);

/// A ring that nobody else has.
pub struct Asking(sys::io_uring);

impl Asking {
    /// A new one, that knows resize_rings where any does.
    pub fn new() -> Result<Asking, Errno> {
        let flags = flag::IORING_SETUP_SINGLE_ISSUER | flag::IORING_SETUP_DEFER_TASKRUN;
        Asking::with(flags).or_else(|_| Asking::with(0))
    }

    fn with(flags: u32) -> Result<Asking, Errno> {
        // SAFETY: a struct of numbers and pointers may be all zeros.
        let mut uring = unsafe { zeroed() };
        // SAFETY: `uring` is writable.
        match unsafe { sys::io_uring_queue_init(2, &mut uring, flags) } {
            error if error < 0 => Err(Errno(-error)),
            _ => Ok(Asking(uring)),
        }
    }

    /// Whether both luring and the kernel make rings with these IORING_SETUP_ flags.
    pub fn can_have(flags: u32) -> bool {
        flags & !KNOWN == 0 && Asking::with(flags).is_ok()
    }

    /// The IORING_FEAT_ bits.
    pub fn features(&self) -> u32 {
        self.0.features
    }

    /// The operations that there are, by their numbers.
    pub fn operations(&self) -> [bool; OPERATIONS] {
        registered::operations(self.0.ring_fd)
    }

    /// What comes of an SQE that leads to no memory: its `res`.
    pub fn submit(&mut self, sqe: Sqe) -> i32 {
        let mut cqe: *mut sys::io_uring_cqe = null_mut();
        // SAFETY: the ring is set up; an SQE is 64 bytes, as this one is, and leads nowhere.
        unsafe {
            let free = sys::io_uring_get_sqe(&mut self.0);
            if free.is_null() {
                return -(sys::EBUSY as i32);
            }
            free.cast::<Sqe>().write(sqe);
            if sys::io_uring_submit_and_wait(&mut self.0, 1) != 1
                || sys::io_uring_peek_cqe(&mut self.0, &mut cqe) != 0
            {
                return -(sys::EINVAL as i32);
            }
            let res = (*cqe).res;
            sys::io_uring_cqe_seen(&mut self.0, cqe);
            res
        }
    }

    /// What comes of an operation of io_uring_register that is given no memory.
    pub fn register(&self, op: u32, count: u32) -> i32 {
        // SAFETY: there is no memory that it could touch.
        unsafe { sys::luring_register(self.0.ring_fd, op, NOWHERE, count) }
    }

    /// What comes of one that takes nothing.
    pub fn unregister(&self, op: u32) -> i32 {
        // SAFETY: it takes no memory.
        unsafe { sys::luring_register(self.0.ring_fd, op, null(), 0) }
    }

    /// What comes of a group of buffers with the IOU_PBUF_RING_ flags, in the kernel's memory.
    pub fn register_buffers(&self, flags: u16) -> i32 {
        registered::register_group(self.0.ring_fd, flags)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // SAFETY: set up by `new`, ended once.
        unsafe { sys::io_uring_queue_exit(&mut self.0) }
    }
}

impl Ring {
    /// The operations that there are, by their numbers.
    pub fn operations(&self) -> [bool; OPERATIONS] {
        registered::operations(self.descriptor())
    }
}

#[cfg(test)]
mod tests {
    use super::{Asking, Sqe};
    use crate::sys;

    #[test]
    #[cfg_attr(miri, ignore = "asks the kernel")]
    fn what_no_kernel_has_is_invalid() {
        let Ok(mut asking) = Asking::new() else { return };
        let nowhere = Sqe { fd: -1, ..Sqe::EMPTY };
        let invalid = -(sys::EINVAL as i32);
        assert_eq!(asking.submit(Sqe { opcode: 255, ..nowhere }), invalid);
        assert_eq!(asking.submit(Sqe { opcode: 27, ioprio: 1 << 14, ..nowhere }), invalid); // a recv
        assert_eq!(asking.submit(Sqe { opcode: 27, ..nowhere }), -(sys::EBADF as i32));
        assert_eq!(asking.submit(Sqe { opcode: 0, ..nowhere }), 0);
        assert_eq!((asking.register(1000, 1), asking.unregister(1000)), (invalid, invalid));
        assert_eq!(asking.register_buffers(1 << 15), invalid);
        assert!(!Asking::can_have(1 << 31) && Asking::can_have(0));
        assert!(!asking.operations()[127]);
    }
}
