//! What a ring can be given for good: files, an eventfd, how its workers run. The kernel keeps
//! what it needs of each: no descriptor has to stay open for it.
//!
//! liburing has a function for each, but an older one not for all: the system call is made
//! here, with the kernel's numbers and structs, which never change.

use super::Ring;
use crate::sys;
use std::ffi::c_void;
use std::ptr::null;

/// io_uring_register's operations.
pub(super) mod op {
    pub const BUFFERS: u32 = 0;
    pub const NO_BUFFERS: u32 = 1;
    pub const FILES: u32 = 2;
    pub const NO_FILES: u32 = 3;
    pub const EVENTFD: u32 = 4;
    pub const NO_EVENTFD: u32 = 5;
    pub const FILES_UPDATE: u32 = 6;
    pub const EVENTFD_ASYNC: u32 = 7;
    pub const PROBE: u32 = 8;
    pub const PERSONALITY: u32 = 9;
    pub const NO_PERSONALITY: u32 = 10;
    pub const BUFFERS_UPDATE: u32 = 16;
    pub const IOWQ_AFF: u32 = 17;
    pub const NO_IOWQ_AFF: u32 = 18;
    pub const IOWQ_MAX_WORKERS: u32 = 19;
    pub const GROUP: u32 = 22;
    pub const SYNC_CANCEL: u32 = 24;
    pub const FILE_ALLOC_RANGE: u32 = 25;
    pub const NAPI: u32 = 27;
    pub const NO_NAPI: u32 = 28;
    pub const CLOCK: u32 = 29;
}

/// The kernel's struct io_uring_files_update.
#[repr(C)]
struct FilesUpdate {
    offset: u32,
    resv: u32,
    files: u64,
}

/// The kernel's struct io_uring_file_index_range.
#[repr(C)]
struct Range {
    offset: u32,
    len: u32,
    resv: u64,
}

/// The kernel's struct io_uring_napi.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Napi {
    busy_poll_to: u32,
    prefer_busy_poll: u8,
    pad: [u8; 3],
    resv: u64,
}

impl Napi {
    /// To poll for so many microseconds.
    pub fn new(microseconds: u32, prefer: bool) -> Napi {
        Napi { busy_poll_to: microseconds, prefer_busy_poll: prefer.into(), pad: [0; 3], resv: 0 }
    }
}

/// The kernel's struct io_uring_clock_register.
#[repr(C)]
struct Clock {
    id: u32,
    resv: [u32; 3],
}

/// The operation that gives a ring queues of another size.
pub const RESIZE: u32 = 33;

/// How many operations the kernel is asked about.
pub const OPERATIONS: usize = 128;

/// The kernel's struct io_uring_probe, and that of each operation: its number, and whether it
/// is known.
#[repr(C)]
struct Probe {
    head: [u32; 4],
    operations: [ProbeOp; OPERATIONS],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct ProbeOp {
    op: u8,
    resv: u8,
    flags: u16,
    resv2: u32,
}

/// IO_URING_OP_SUPPORTED.
const SUPPORTED: u16 = 1;

/// The operations that the kernel has, by their numbers. None where it is too old to tell.
pub fn operations(ring: i32) -> [bool; OPERATIONS] {
    let nothing = ProbeOp { op: 0, resv: 0, flags: 0, resv2: 0 };
    let mut probe = Probe { head: [0; 4], operations: [nothing; OPERATIONS] };
    // SAFETY: the kernel reads and writes as many operations as there are.
    unsafe { sys::luring_register(ring, op::PROBE, (&raw mut probe).cast(), OPERATIONS as u32) };
    probe.operations.map(|it| it.flags & SUPPORTED != 0)
}

/// The kernel's struct io_uring_buf_reg.
#[repr(C)]
struct Group {
    address: u64,
    entries: u32,
    group: u16,
    flags: u16,
    resv: [u64; 3],
}

/// Registers a group of one buffer: 0 or `-errno`.
pub fn register_group(ring: i32, flags: u16) -> i32 {
    let group = Group { address: 0, entries: 1, group: 1, flags, resv: [0; 3] };
    // SAFETY: the kernel reads the struct; the memory of the group is its own.
    unsafe { sys::luring_register(ring, op::GROUP, (&raw const group).cast(), 1) }
}

impl Ring {
    /// See io_uring_register(2): its result, or `-errno`.
    ///
    /// # Safety
    /// The operation touches no memory but what `arg` leads to, and that only during the call.
    pub(super) unsafe fn register(&self, op: u32, arg: *const c_void, count: u32) -> i32 {
        // SAFETY: the caller's promise.
        unsafe { sys::luring_register(self.descriptor(), op, arg, count) }
    }

    /// As `register`, with a struct that the kernel reads, or reads and writes.
    pub(super) fn register_value<T>(&self, op: u32, mut value: T, count: u32) -> i32 {
        // SAFETY: the callers know that the operation takes one `T`, or an array that it is.
        unsafe { self.register(op, (&raw mut value).cast(), count) }
    }

    /// As `register`, for an operation that takes nothing but a number.
    fn register_nothing(&self, op: u32, count: u32) -> i32 {
        // SAFETY: it takes no memory.
        unsafe { self.register(op, null(), count) }
    }

    /// Gives the ring a table of `len` files.
    pub fn register_files(&self, files: *const i32, len: u32) -> i32 {
        // SAFETY: the kernel reads the list, which is on Lua's stack.
        unsafe { self.register(op::FILES, files.cast(), len) }
    }

    /// Puts `len` files into slots from `offset` on.
    pub fn update_files(&self, offset: u32, files: *const i32, len: u32) -> i32 {
        self.register_value(op::FILES_UPDATE, FilesUpdate { offset, resv: 0, files: files as u64 }, len)
    }

    /// Takes the table of files away.
    pub fn unregister_files(&self) -> i32 {
        self.register_nothing(op::NO_FILES, 0)
    }

    /// Which slots are chosen from.
    pub fn file_alloc_range(&self, offset: u32, len: u32) -> i32 {
        self.register_value(op::FILE_ALLOC_RANGE, Range { offset, len, resv: 0 }, 0)
    }

    /// Signals an eventfd, for all completions or the asynchronous ones.
    pub fn register_eventfd(&self, fd: i32, only_async: bool) -> i32 {
        self.register_value(if only_async { op::EVENTFD_ASYNC } else { op::EVENTFD }, fd, 1)
    }

    /// Signals it no more.
    pub fn unregister_eventfd(&self) -> i32 {
        self.register_nothing(op::NO_EVENTFD, 0)
    }

    /// The processors that the kernel's workers run on, a bit each.
    pub fn register_iowq_aff(&self, cpus: &[u64; 16]) -> i32 {
        self.register_value(op::IOWQ_AFF, *cpus, size_of_val(cpus) as u32)
    }

    /// All of them.
    pub fn unregister_iowq_aff(&self) -> i32 {
        self.register_nothing(op::NO_IOWQ_AFF, 0)
    }

    /// How many workers there are at the most, for files and for all else, where 0 leaves it as
    /// it is: what it was before.
    pub fn register_iowq_max_workers(&self, mut counts: [u32; 2]) -> Result<[u32; 2], i32> {
        // SAFETY: the kernel reads and writes two numbers.
        match unsafe { self.register(op::IOWQ_MAX_WORKERS, (&raw mut counts).cast(), 2) } {
            error if error < 0 => Err(error),
            _ => Ok(counts),
        }
    }

    /// Polls the network while it waits.
    pub fn register_napi(&self, napi: Napi) -> i32 {
        self.register_value(op::NAPI, napi, 1)
    }

    /// Does so no more.
    pub fn unregister_napi(&self) -> i32 {
        self.register_nothing(op::NO_NAPI, 1)
    }

    /// The number of the program's rights of this moment.
    pub fn register_personality(&self) -> i32 {
        self.register_nothing(op::PERSONALITY, 0)
    }

    /// Forgets them.
    pub fn unregister_personality(&self, id: u32) -> i32 {
        self.register_nothing(op::NO_PERSONALITY, id)
    }

    /// The clock that timeouts of waiting are measured by.
    pub fn register_clock(&self, id: u32) -> i32 {
        self.register_value(op::CLOCK, Clock { id, resv: [0; 3] }, 0)
    }
}
