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

/// What a ring is asked for, beside its size: IORING_SETUP_ flags, and what else there is.
#[derive(Clone, Copy, Default)]
pub struct Params {
    /// The flags, which the caller has checked.
    pub flags: u32,
    /// How many CQEs there is room for.
    pub cq_entries: Option<u32>,
    /// How long the kernel's thread waits for SQEs before it sleeps, in milliseconds.
    pub sq_thread_idle: Option<u32>,
    /// The processor that it runs on.
    pub sq_thread_cpu: Option<u32>,
    /// The ring whose workers it shares.
    pub wq_fd: Option<u32>,
    /// Whether a full queue submits, instead of refusing an action.
    pub auto_submit: bool,
    /// Whether a completion is seen before its callback is called.
    pub auto_seen: bool,
}

impl From<u32> for Params {
    fn from(flags: u32) -> Params {
        Params { flags, ..Params::default() }
    }
}

impl Params {
    /// The flags that say which of the others count.
    fn implied(&self) -> u32 {
        let flag = |value: Option<u32>, flag| if value.is_some() { flag } else { 0 };
        flag(self.cq_entries, sys::IORING_SETUP_CQSIZE)
            | flag(self.sq_thread_cpu, sys::IORING_SETUP_SQ_AFF)
            | flag(self.wq_fd, sys::IORING_SETUP_ATTACH_WQ)
    }
}

/// Sets up a ring, whose descriptor is above those of the standard streams.
pub fn init(entries: u32, params: Params) -> Result<sys::io_uring, Errno> {
    let flags = match params.flags {
        0 => QUIET,
        // Without the bit, do_cqes would never see a completion.
        flags if flags & flag::IORING_SETUP_DEFER_TASKRUN != 0 => flags | flag::IORING_SETUP_TASKRUN_FLAG,
        flags => flags,
    };
    match init_exactly(entries, params, flags) {
        Err(Errno(error)) if flags == QUIET && error == sys::EINVAL as i32 => {
            init_exactly(entries, params, 0)
        }
        result => result,
    }
}

fn init_exactly(entries: u32, params: Params, flags: u32) -> Result<sys::io_uring, Errno> {
    // SAFETY: structs of numbers and pointers may be all zeros.
    let (mut uring, mut asked): (sys::io_uring, sys::io_uring_params) = unsafe { (zeroed(), zeroed()) };
    asked.flags = flags | params.implied();
    asked.cq_entries = params.cq_entries.unwrap_or(0);
    asked.sq_thread_idle = params.sq_thread_idle.unwrap_or(0);
    asked.sq_thread_cpu = params.sq_thread_cpu.unwrap_or(0);
    asked.wq_fd = params.wq_fd.unwrap_or(0);
    // SAFETY: both are writable.
    match unsafe { sys::io_uring_queue_init_params(entries, &mut uring, &mut asked) } {
        error if error < 0 => Err(Errno(-error)),
        _ => descriptor::lift(&mut uring).map(|()| uring),
    }
}
