//! The ring's descriptor: a number that a program can close, and give to another file.

use super::{Errno, Ring};
use crate::sys;
use std::io;

/// A descriptor is above those of the standard streams: with its standard input closed, a
/// program would read its own ring.
const LOWEST: i32 = 3;

/// What no other open file has: its device and inode. Before Linux 5.16 rings share theirs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Identity([u64; 2]);

impl Identity {
    /// Of the file that `fd` is, if it is open.
    pub fn of(fd: i32) -> Option<Identity> {
        let mut identity = [0; 2];
        // SAFETY: there is room for both numbers.
        let found = unsafe { sys::luring_identity(fd, identity.as_mut_ptr()) == 0 };
        found.then_some(Identity(identity))
    }
}

impl Ring {
    /// The number of its descriptor, or -EBADF where that has been closed.
    pub fn descriptor(&self) -> i32 {
        if self.has_descriptor() { self.uring.ring_fd } else { -(sys::EBADF as i32) }
    }

    /// Whether `fd` is its descriptor.
    pub fn is_descriptor(&self, fd: i32) -> bool {
        self.uring.ring_fd == fd && self.has_descriptor()
    }

    /// Whether the descriptor is still the ring: a program can close any number.
    pub(super) fn has_descriptor(&self) -> bool {
        Identity::of(self.uring.ring_fd) == self.identity
    }
}

/// Moves the descriptor away from the standard streams. Where that fails the ring is gone.
pub fn lift(uring: &mut sys::io_uring) -> Result<(), Errno> {
    let low = uring.ring_fd;
    if low >= LOWEST {
        return Ok(());
    }
    // SAFETY: a copy of a descriptor touches nothing that exists.
    let fd = unsafe { sys::luring_copy_descriptor(low, LOWEST) };
    if fd < 0 {
        let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
        // SAFETY: set up by the caller, and ended once.
        unsafe { sys::io_uring_queue_exit(uring) };
        return Err(Errno(errno));
    }
    // SAFETY: nobody else knows the old number, and the new one is the same ring.
    unsafe {
        sys::close(low);
        sys::luring_set_descriptor(uring, fd);
    }
    Ok(())
}

/// Makes liburing use no descriptor at all: whatever enters the kernel fails with EBADF.
pub fn forget(uring: &mut sys::io_uring) {
    // SAFETY: only numbers are set.
    unsafe { sys::luring_set_descriptor(uring, -1) }
}
