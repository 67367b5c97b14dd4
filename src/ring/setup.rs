//! How the kernel is asked for a ring.

use super::Errno;
use crate::sys;
use std::mem::zeroed;

/// Flags that no program can tell from none, but by its speed: completions wait for
/// the process's next system call, instead of interrupting it, and a bit says so.
const QUIET: u32 = sys::LURING_SETUP_COOP_TASKRUN | sys::LURING_SETUP_TASKRUN_FLAG;

pub fn init(entries: u32, flags: u32) -> Result<sys::io_uring, Errno> {
    let flags = match flags {
        0 => QUIET,
        // Without the bit, do_cqes would never see a completion.
        _ if flags & sys::LURING_SETUP_DEFER_TASKRUN != 0 => flags | sys::LURING_SETUP_TASKRUN_FLAG,
        _ => flags,
    };
    match init_exactly(entries, flags) {
        Err(Errno(error)) if flags == QUIET && error == sys::EINVAL as i32 => init_exactly(entries, 0),
        result => result,
    }
}

fn init_exactly(entries: u32, flags: u32) -> Result<sys::io_uring, Errno> {
    // SAFETY: a struct of numbers and pointers may be all zeros.
    let mut uring: sys::io_uring = unsafe { zeroed() };
    // SAFETY: `uring` is writable.
    match unsafe { sys::io_uring_queue_init(entries, &mut uring, flags) } {
        error if error < 0 => Err(Errno(-error)),
        _ => Ok(uring),
    }
}
