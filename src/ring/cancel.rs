//! Cancelling, before the kernel has got an action and after.

use super::Ring;
use super::in_flight::count_in;
use super::registered::op;
use super::slab::Key;
use super::unsubmitted::Place;
use super::waiting::moment_after;
use crate::sys::{self, flag};
use std::time::{Duration, Instant};

/// A key that no request has: cancelling it fails.
const NOBODY: u64 = 1 << 61;

/// How long a wait is that is followed by another.
const MOMENT: Duration = Duration::from_millis(1);

/// Flags of an SQE that tie it to its neighbours.
const TIES: u8 =
    (flag::IOSQE_IO_DRAIN | flag::IOSQE_IO_LINK | flag::IOSQE_IO_HARDLINK | flag::IOSQE_CQE_SKIP_SUCCESS)
        as u8;

/// Which requests to cancel: those for which all of this holds. Any, where it says nothing.
#[derive(Clone, Copy, Default)]
pub struct Wanted {
    /// The action's key.
    pub key: Option<u64>,
    /// The descriptor, and whether it is a slot.
    pub fd: Option<(i32, bool)>,
    /// IORING_OP_...
    pub op: Option<u8>,
    /// All that match, instead of one.
    pub all: bool,
}

impl Wanted {
    /// As the kernel has it.
    fn flags(self) -> u32 {
        let several =
            [self.key.is_some(), self.fd.is_some(), self.op.is_some()].into_iter().filter(|it| *it).count();
        let mut flags = if self.all { flag::IORING_ASYNC_CANCEL_ALL } else { 0 };
        flags |= match several {
            0 => flag::IORING_ASYNC_CANCEL_ANY,
            _ if self.key.is_some() && several > 1 => flag::IORING_ASYNC_CANCEL_USERDATA,
            _ => 0,
        };
        if let Some((_, fixed)) = self.fd {
            flags |=
                flag::IORING_ASYNC_CANCEL_FD | if fixed { flag::IORING_ASYNC_CANCEL_FD_FIXED } else { 0 };
        }
        if self.op.is_some() {
            flags |= flag::IORING_ASYNC_CANCEL_OP;
        }
        flags
    }

    /// What a cancellation that is queued wants, whose descriptor may be a slot.
    pub fn of(flags: u32, key: u64, fd: (i32, bool)) -> Wanted {
        let by_key = flags
            & (flag::IORING_ASYNC_CANCEL_FD | flag::IORING_ASYNC_CANCEL_ANY | flag::IORING_ASYNC_CANCEL_OP)
            == 0
            || flags & flag::IORING_ASYNC_CANCEL_USERDATA != 0;
        Wanted {
            key: by_key.then_some(key),
            fd: (flags & flag::IORING_ASYNC_CANCEL_FD != 0).then_some(fd),
            op: None,
            all: flags & (flag::IORING_ASYNC_CANCEL_ALL | flag::IORING_ASYNC_CANCEL_ANY) != 0,
        }
    }
}

impl Ring {
    /// Turns the unsubmitted SQEs that match, and were queued before `end`, into what the kernel
    /// ends at once; their actions get -ECANCELED. Returns how many, at most one unless all are
    /// wanted. There is memory for as many amendments as there are unsubmitted SQEs.
    pub fn withdraw(&mut self, wanted: Wanted, end: Place) -> u32 {
        let mut withdrawn = 0;
        let mut place = Place(self.first_unsubmitted());
        while place != end && (withdrawn == 0 || wanted.all) {
            if self.is_wanted(wanted, place) {
                self.turn(place);
                withdrawn += 1;
            }
            place = place.next();
        }
        withdrawn
    }

    /// Notes how many actions a cancellation has withdrawn.
    pub fn set_count(&mut self, key: Key, count: i32) {
        if let Some(action) = self.in_flight.get(key) {
            // SAFETY: a cancellation's block begins with it.
            unsafe { count_in(action.block).write(count) }
        }
    }

    fn is_wanted(&mut self, wanted: Wanted, place: Place) -> bool {
        // SAFETY: an entry between head and tail is filled in.
        let sqe = unsafe { &*self.sqe(place.0) };
        let key = Key::from_raw(usize::try_from(sqe.user_data).unwrap_or(0));
        let fixed = sqe.flags & flag::IOSQE_FIXED_FILE as u8 != 0;
        self.in_flight.get(key).is_some()
            && !self.is_withdrawn(key)
            && wanted.key.is_none_or(|key| key == sqe.user_data)
            && wanted.op.is_none_or(|op| op == sqe.opcode)
            && wanted.fd.is_none_or(|fd| fd == (sqe.fd, fixed) && has_file(sqe.opcode))
    }

    /// The kernel fails it, and so breaks its chain as a cancelled action does; a timeout does
    /// nothing instead, as one that ends before its time.
    fn turn(&mut self, place: Place) {
        let sqe: *mut sys::io_uring_sqe = self.sqe(place.0);
        // SAFETY: the entry is filled in, and the process's own until it is submitted; what is
        // put there touches no memory.
        unsafe {
            let (key, flags, opcode) = ((*sqe).user_data, (*sqe).flags, (*sqe).opcode);
            sqe.write_bytes(0, 1);
            if u32::from(opcode) == sys::IORING_OP_LINK_TIMEOUT {
                sys::io_uring_prep_nop(sqe);
            } else {
                sys::luring_prep_cancel(sqe, NOBODY);
            }
            (*sqe).flags = flags & TIES;
            (*sqe).user_data = key;
            self.set_withdrawn(Key::from_raw(usize::try_from(key).unwrap_or(0)));
        }
    }

    /// Asks the kernel to cancel, and waits until it has, but no longer than `timeout`: 0, or how
    /// many if all were wanted, or `-errno`.
    pub fn cancel_now(&self, wanted: Wanted, timeout: Option<sys::__kernel_timespec>) -> i32 {
        if self.uring.flags & flag::IORING_SETUP_DEFER_TASKRUN == 0 {
            return self.cancel_within(wanted, timeout);
        }
        // On such a ring what ends is put off until the kernel is entered, and that does not wake who
        // waits here: so it waits a moment, and again.
        let end = timeout.and_then(moment_after);
        let mut waited = false;
        loop {
            let left = end.map_or(MOMENT, |end| end.saturating_duration_since(Instant::now()).min(MOMENT));
            let time = sys::__kernel_timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
            match -self.cancel_within(wanted, Some(time)) as u32 {
                sys::ETIME if left == MOMENT => waited = true,
                sys::ENOENT if waited => return 0, // what was waited for has ended
                error => return -(error as i32),
            }
        }
    }

    fn cancel_within(&self, wanted: Wanted, timeout: Option<sys::__kernel_timespec>) -> i32 {
        let request = Request {
            key: wanted.key.unwrap_or(0),
            fd: wanted.fd.map_or(-1, |(fd, _)| fd),
            flags: wanted.flags(),
            timeout: timeout.unwrap_or(sys::__kernel_timespec { tv_sec: -1, tv_nsec: -1 }),
            opcode: wanted.op.unwrap_or(0),
            padding: [0; 31],
        };
        self.register_value(op::SYNC_CANCEL, request, 1)
    }
}

/// The kernel's struct io_uring_sync_cancel_reg.
#[repr(C)]
struct Request {
    key: u64,
    fd: i32,
    flags: u32,
    timeout: sys::__kernel_timespec,
    opcode: u8,
    padding: [u8; 31],
}

/// Whether requests of this kind have an open file, by which the kernel finds them: the others'
/// field for a descriptor may hold anything.
fn has_file(opcode: u8) -> bool {
    let opcode = opcode.into();
    opcode != sys::IORING_OP_NOP
        && [
            sys::IORING_OP_READV,
            sys::IORING_OP_WRITEV,
            sys::IORING_OP_FSYNC,
            sys::IORING_OP_READ_FIXED,
            sys::IORING_OP_WRITE_FIXED,
            sys::IORING_OP_POLL_ADD,
            sys::IORING_OP_SYNC_FILE_RANGE,
            sys::IORING_OP_SENDMSG,
            sys::IORING_OP_RECVMSG,
            sys::IORING_OP_ACCEPT,
            sys::IORING_OP_CONNECT,
            sys::IORING_OP_FALLOCATE,
            sys::IORING_OP_READ,
            sys::IORING_OP_WRITE,
            sys::IORING_OP_FADVISE,
            sys::IORING_OP_SEND,
            sys::IORING_OP_RECV,
            sys::IORING_OP_SPLICE,
            sys::IORING_OP_TEE,
            sys::IORING_OP_SHUTDOWN,
            flag::IORING_OP_MSG_RING,
            flag::IORING_OP_FSETXATTR,
            flag::IORING_OP_FGETXATTR,
            flag::IORING_OP_URING_CMD,
            flag::IORING_OP_SEND_ZC,
            flag::IORING_OP_SENDMSG_ZC,
            flag::IORING_OP_READ_MULTISHOT,
            flag::IORING_OP_FIXED_FD_INSTALL,
            flag::IORING_OP_FTRUNCATE,
            flag::IORING_OP_BIND,
            flag::IORING_OP_LISTEN,
            flag::IORING_OP_EPOLL_WAIT,
            flag::IORING_OP_READV_FIXED,
            flag::IORING_OP_WRITEV_FIXED,
        ]
        .contains(&opcode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_queued_cancellation_wants_is_what_its_flags_say() {
        for bits in 0..12 {
            let wanted = Wanted {
                key: (bits & 1 != 0).then_some(7),
                fd: (bits & 2 != 0).then_some((3, bits & 4 != 0)),
                op: None,
                all: bits & 8 != 0,
            };
            if flag::IORING_ASYNC_CANCEL_USERDATA == 0 && bits & 3 == 3 {
                continue; // this liburing can't say it
            }
            let again = Wanted::of(wanted.flags(), 7, (3, bits & 4 != 0));
            let any = wanted.key.is_none() && wanted.fd.is_none();
            assert_eq!((again.key, again.fd, again.all), (wanted.key, wanted.fd, wanted.all || any));
        }
    }
}
