//! The actions, a row each: all there is to say about one is here.

use crate::action::{Action, Sqe, queue};
use crate::lua::{Function, RawState};
use crate::ring::Reply;
use crate::sys;
use crate::values::integers::{Content, Fd, Flags, Offset, Size};
use std::ffi::{CStr, c_int};
use std::ptr::null_mut;

macro_rules! actions {
    ($($(#[$doc:meta])*
    fn $name:ident($($arg:ident: $kind:ty),*) -> $reply:ident = |$sqe:ident, $memory:ident| $prep:expr;)*) => {
        $(
            $(#[$doc])*
            unsafe extern "C-unwind" fn $name(state: RawState) -> c_int {
                struct Row;

                impl Action for Row {
                    type Args = ($($kind,)*);
                    const REPLY: Reply = Reply::$reply;

                    #[inline]
                    unsafe fn prep($sqe: Sqe, $memory: *mut u8, ($($arg,)*): Self::Args) {
                        // SAFETY: the SQE is free, and the memory there while in flight, the
                        // caller says.
                        unsafe { $prep }
                    }
                }

                // SAFETY: Lua calls with a live state.
                unsafe { queue::<Row>(state) }
            }
        )*

        /// Every action, by the name that Lua calls it by.
        pub const ACTIONS: &[(&CStr, Function)] = &[$((c_name(concat!(stringify!($name), "\0")), $name),)*];
    };
}

const fn c_name(name: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a name holds no NUL"), // at compile time
    }
}

actions! {
    /// Reads up to `size` bytes from `fd` at `offset`. See io_uring_prep_read(3).
    fn read(fd: Fd, size: Size, offset: Offset) -> Data =
        |sqe, memory| sys::io_uring_prep_read(sqe, fd.0, memory.cast(), size.0, offset.0);

    /// Writes `content` to `fd` at `offset`. See io_uring_prep_write(3).
    fn write(fd: Fd, content: Content, offset: Offset) -> Nothing =
        |sqe, memory| sys::io_uring_prep_write(sqe, fd.0, memory.cast(), content.len, offset.0);

    /// Receives up to `size` bytes from a socket. See io_uring_prep_recv(3).
    fn recv(fd: Fd, size: Size, flags: Flags) -> Data = |sqe, memory| {
        if flags.0 & sys::MSG_TRUNC as c_int != 0 {
            memory.write_bytes(0, size.0 as usize); // TCP then counts bytes that it doesn't write
        }
        sys::io_uring_prep_recv(sqe, fd.0, memory.cast(), size.0 as usize, flags.0)
    };

    /// Sends `content` to a connected socket. See io_uring_prep_send(3).
    fn send(fd: Fd, content: Content, flags: Flags) -> Nothing = |sqe, memory| {
        let flags = flags.0 | sys::MSG_NOSIGNAL as c_int; // a peer that is gone is no SIGPIPE
        sys::io_uring_prep_send(sqe, fd.0, memory.cast(), content.len as usize, flags)
    };

    /// Accepts a connection; `flags` are accept4's. See io_uring_prep_accept(3).
    fn accept(fd: Fd, flags: Flags) -> Nothing =
        |sqe, _memory| sys::io_uring_prep_accept(sqe, fd.0, null_mut(), null_mut(), flags.0);
}
