//! Keeps SIGPIPE off: a write whose reader is gone is an error of the write's, and no reason to
//! end the program.
//!
//! Blocking the signal around a system call does not do: a write that waits may fail in any later
//! one. Linux can be told of each write; where it can't, a handler that does nothing takes the
//! signal, unless the program has one of its own or ignores it. A handler is reset by exec, so
//! that other programs are not affected.

use crate::sys;
use std::ffi::c_int;
use std::sync::atomic::{AtomicU32, Ordering};

/// The flag of pwritev2(2), Linux 6.18: headers of today lack it.
const RWF_NOSIGNAL: u32 = 0x100;

/// The flag, or zero where the kernel doesn't know it, and `UNKNOWN` before the first write.
static FLAG: AtomicU32 = AtomicU32::new(UNKNOWN);
const UNKNOWN: u32 = u32::MAX;

/// Makes a write one that never raises the signal.
///
/// # Safety
/// `sqe` is the caller's and prepared.
#[inline]
pub unsafe fn keep_off(sqe: *mut sys::io_uring_sqe) {
    let flag = match FLAG.load(Ordering::Relaxed) {
        UNKNOWN => look(),
        flag => flag,
    };
    // SAFETY: the caller's promise.
    unsafe { (*sqe).__bindgen_anon_3.rw_flags |= flag as c_int };
}

/// Finds out what the kernel can, and installs the handler if that is needed.
#[cold]
#[inline(never)]
fn look() -> u32 {
    let flag = if kernel_knows() { RWF_NOSIGNAL } else { 0 };
    if flag == 0 {
        install();
    }
    FLAG.store(flag, Ordering::Relaxed);
    flag
}

/// Whether the kernel takes the flag: asked of a pipe, which it knows best.
fn kernel_knows() -> bool {
    let mut ends = [-1; 2];
    let mut byte = 0u8;
    // SAFETY: there is room for two descriptors; the byte outlives the call.
    unsafe {
        if sys::pipe2(ends.as_mut_ptr(), (sys::O_CLOEXEC | sys::O_NONBLOCK) as c_int) != 0 {
            return false;
        }
        let iovec = sys::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        let written = sys::luring_pwritev2(ends[1], &iovec, 1, -1, RWF_NOSIGNAL as c_int);
        sys::close(ends[0]);
        sys::close(ends[1]);
        written == 1
    }
}

extern "C" fn nothing(_signal: c_int) {}

/// Installs a handler that does nothing where the signal would end the program.
fn install() {
    // SAFETY: the handler does nothing, whenever it runs.
    unsafe { sys::luring_handle_by_default(sys::SIGPIPE as c_int, Some(nothing)) };
}
