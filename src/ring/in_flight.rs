//! What is known of an action from its SQE to its last CQE.

use super::buffers::Buffer;
use super::callbacks::Id;
use super::control;
use super::groups::{Group, Selected};
use super::hold::Held;
use super::slab::Key;
use crate::sys::{self, flag};
use std::ptr::slice_from_raw_parts;

/// What a completion brings to its callback.
///
/// The first three are those of the original module: their CQE's flags are not looked at,
/// so an action that may complete more than once has one of the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// `(cqe, res)`.
    Nothing,
    /// `(cqe, res, data)`: the first `res` bytes of the block.
    Data,
    /// `(cqe, fd)`: a descriptor.
    Accepted,
    /// `(cqe, res, nil, flags)`, as the rest has values and flags.
    Plain,
    /// The first `res` bytes of the block.
    Bytes,
    /// The buffer that was read into.
    Into,
    /// What the kernel put into a buffer that it has selected.
    Selected,
    /// `res` is a descriptor.
    Descriptor,
    /// `luring.fixed(res)`.
    Slot,
    /// `luring.fixed` of the number in the block.
    OwnSlot,
    /// The two descriptors in the block.
    Pair,
    /// The two slots in the block.
    Slots,
    /// What was read into several buffers.
    Strings,
    /// A statx.
    Stat,
    /// A siginfo.
    Child,
    /// A socket's address; `res` is a descriptor.
    Peer,
    /// A socket's address.
    Name,
    /// What recvmsg got.
    Message,
    /// What it got, in a buffer that the kernel has selected.
    Messages,
    /// What epoll_wait got.
    Events,
    /// A zero-copy send, whose second completion only says that its memory may go.
    ZeroCopy,
    /// One whose second completion says how it went.
    ZeroCopyReport,
    /// A socket's option that is a C int.
    Option,
    /// `res` is how many were cancelled, and those in the block besides.
    Cancelled,
    /// The action was changed after it was queued: see `chains`.
    Amended,
}

impl Reply {
    /// Whether the callback gets the CQE's flags, and the action may complete several times.
    #[inline]
    pub fn is_cold(self) -> bool {
        !matches!(self, Reply::Nothing | Reply::Data | Reply::Accepted)
    }

    /// Whether `res` is a descriptor that somebody has to close.
    pub fn is_descriptor(self) -> bool {
        matches!(self, Reply::Accepted | Reply::Descriptor | Reply::Peer)
    }

    /// Whether it may bring any.
    pub fn has_descriptors(self) -> bool {
        self.is_descriptor() || matches!(self, Reply::Pair | Reply::Message | Reply::Messages)
    }
}

/// An action from its SQE to its last CQE.
#[derive(Clone, Copy)]
pub struct InFlight {
    /// The memory that the kernel reads and writes: one block an action.
    pub block: Buffer,
    /// What the callback gets.
    pub reply: Reply,
    /// Whether a Lua value is anchored under the slot's number.
    pub anchored: bool,
    /// The callback, which Lua keeps under this number.
    pub callback: Option<Id>,
}

impl InFlight {
    /// The group that it selects from.
    pub fn group(&self) -> Option<Group> {
        self.block.holds().find_map(|hold| {
            // SAFETY: the action is in flight, so its holds have begun.
            match unsafe { (*hold).held() } {
                Held::Group(group) => Some(group),
                _ => None,
            }
        })
    }
}

/// The completion at the head of the completion queue.
#[derive(Clone, Copy)]
pub struct Completion {
    /// Whose it is.
    pub key: Key,
    /// What the kernel returned: a system call's result, or `-errno`.
    pub res: i32,
    /// What was kept for it.
    pub action: InFlight,
    /// The head of the queue at this time.
    pub(super) position: u32,
}

impl Completion {
    /// What was read: `res` bytes of the block, and not more than were asked for.
    #[inline]
    pub fn bytes(&self) -> *const [u8] {
        let block = self.action.block;
        let len = self.res.clamp(0, block.size().min(i32::MAX as u32) as i32);
        slice_from_raw_parts(block.ptr(), len as usize)
    }

    /// Notes what it says for what the action holds, which may depend on that. The flags are
    /// the CQE's.
    pub fn note(&self, flags: u32) {
        if flags & flag::IORING_CQE_F_NOTIF == 0 {
            // SAFETY: the action is in flight, so its holds have begun.
            self.action.block.holds().for_each(|hold| unsafe { (*hold).note(self.res) });
        }
    }

    /// What the kernel has put into a buffer of the action's group. Asked again, it says the
    /// same.
    pub fn select(&self, flags: u32) -> Option<Selected> {
        self.action.group()?.select(self.position, self.res, flags)
    }

    /// How many the block of a cancellation says were cancelled besides.
    pub fn count(&self) -> i32 {
        // SAFETY: that is what the block begins with, up to its alignment, and it is the action's.
        unsafe { count_in(self.action.block).read() }
    }

    /// Closes the descriptors that came with it. The flags are the CQE's.
    pub fn close(&self, flags: u32) {
        if self.res < 0 {
            return;
        }
        let close = |fd| {
            // SAFETY: the kernel has just made it, and nobody else knows it.
            unsafe { sys::close(fd) };
        };
        match self.action.reply {
            reply if reply.is_descriptor() => close(self.res),
            Reply::Pair => {
                // SAFETY: the block holds what pipe2 fills in.
                let pair = unsafe { self.action.block.ptr().cast::<[i32; 2]>().read() };
                pair.into_iter().for_each(close);
            }
            // SAFETY: the block begins with the message that the kernel has filled in.
            Reply::Message => unsafe {
                let message: sys::msghdr = self.action.block.ptr().cast::<sys::msghdr>().read();
                control::brought(&message).for_each(close);
            },
            Reply::Messages => {
                if let Some(received) = self.received(flags) {
                    // SAFETY: the kernel has filled the buffer in, which is not given back yet.
                    unsafe { control::brought(&received.message).for_each(close) };
                }
            }
            _ => {}
        }
    }
}

/// Where a cancellation's block has its count.
pub(super) fn count_in(block: Buffer) -> *mut i32 {
    block.ptr().cast()
}
