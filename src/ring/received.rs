//! The message in a buffer that recvmsg_multishot has filled: a header, room for the sender's
//! address and for control data, and the data behind.

use super::in_flight::{Completion, Reply};
use super::region::Span;
use crate::sys;
use std::mem::zeroed;

/// The kernel's struct io_uring_recvmsg_out, which older headers lack.
#[repr(C)]
#[derive(Clone, Copy)]
struct Header {
    name: u32,
    control: u32,
    data: u32,
    flags: u32,
}

/// How many bytes come before the data, with so much room for the rest.
pub const fn overhead(name: u32, control: u32) -> u32 {
    size_of::<Header>() as u32 + name + control
}

/// What was received.
pub struct Received {
    /// What recvmsg(2) would return.
    pub res: i32,
    /// What it would have filled in: the name lies in the buffer, and the control data.
    pub message: sys::msghdr,
    /// The bytes.
    pub data: Span,
}

impl Completion {
    /// The message, if it is one of recvmsg_multishot's. The flags are the CQE's.
    #[allow(clippy::unnecessary_cast)] // the C libraries differ in the types of lengths
    pub fn received(&self, flags: u32) -> Option<Received> {
        if self.action.reply != Reply::Messages || self.res < 0 {
            return None;
        }
        let span = self.select(flags)?.span;
        // SAFETY: the block begins with the message that the action was queued with.
        let asked = unsafe { self.action.block.ptr().cast::<sys::msghdr>().read() };
        let (name, control) = (asked.msg_namelen as u32, asked.msg_controllen as u32);
        let before = overhead(name, control);
        if span.len < before {
            return None;
        }
        // SAFETY: it lies in the buffer; numbers and pointers may be zeros.
        let (header, mut message) =
            unsafe { (span.ptr().cast::<Header>().read_unaligned(), zeroed::<sys::msghdr>()) };
        let start = span.ptr().wrapping_add(size_of::<Header>());
        message.msg_name = start.cast();
        message.msg_namelen = header.name.min(name) as _;
        message.msg_control = start.wrapping_add(name as usize).cast();
        message.msg_controllen = header.control.min(control) as _;
        message.msg_flags = header.flags as _;
        let data = Span { start: span.start + before as usize, len: span.len - before, ..span };
        Some(Received { res: header.data as i32, message, data })
    }
}
