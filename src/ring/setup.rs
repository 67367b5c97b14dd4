//! How a ring is had: its memory, and what the kernel makes.

use super::{Errno, descriptor};
use crate::sys::{self, flag};
use std::alloc::{Layout, alloc};
use std::mem::{MaybeUninit, zeroed};

/// The setup flags that both this liburing and the queues' code here know. Any other is
/// refused: the kernel might take it and lay out the rings in a way that one of us would
/// misread. A ring that is made disabled could never be enabled.
pub const KNOWN: u32 = sys::IORING_SETUP_IOPOLL
    | sys::IORING_SETUP_SQPOLL
    | sys::IORING_SETUP_SQ_AFF
    | sys::IORING_SETUP_CQSIZE
    | sys::IORING_SETUP_CLAMP
    | sys::IORING_SETUP_ATTACH_WQ
    | flag::IORING_SETUP_SUBMIT_ALL
    | flag::IORING_SETUP_COOP_TASKRUN
    | flag::IORING_SETUP_TASKRUN_FLAG
    | flag::IORING_SETUP_SQE128
    | flag::IORING_SETUP_CQE32
    | flag::IORING_SETUP_SINGLE_ISSUER
    | flag::IORING_SETUP_DEFER_TASKRUN
    | flag::IORING_SETUP_NO_SQARRAY;

/// Flags that no program can tell from none, but by its speed: completions wait for
/// the process's next system call, instead of interrupting it, and a bit says so.
const QUIET: u32 = flag::IORING_SETUP_COOP_TASKRUN | flag::IORING_SETUP_TASKRUN_FLAG;

/// Room for a `T`, which is no zero-sized type. Where there is no memory `Box::new` would
/// end the process.
pub fn room<T>() -> Option<Box<MaybeUninit<T>>> {
    // SAFETY: the layout's size is not zero; it is the one that the box frees with.
    unsafe {
        let room: *mut MaybeUninit<T> = alloc(Layout::new::<T>()).cast();
        (!room.is_null()).then(|| Box::from_raw(room))
    }
}

/// Sets up a ring, whose descriptor is above those of the standard streams.
pub fn init(entries: u32, flags: u32) -> Result<sys::io_uring, Errno> {
    let flags = match flags {
        0 => QUIET,
        // Without the bit, do_cqes would never see a completion.
        _ if flags & flag::IORING_SETUP_DEFER_TASKRUN != 0 => flags | flag::IORING_SETUP_TASKRUN_FLAG,
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
        _ => descriptor::lift(&mut uring).map(|()| uring),
    }
}
