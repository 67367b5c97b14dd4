//! The actions, a row each: all there is to say about one is here.

use crate::rows::rows;
use crate::sys::{self, prep};
use crate::values::content::Content;
use crate::values::fd::Fd;
use crate::values::integers::{Int, Offset};
use crate::values::reply::{Accepted, Data, Nothing};
use crate::values::size::Size;
use std::ffi::c_int;
use std::ptr::null_mut;

rows! {
    /// Reads up to `nbytes` bytes from `fd` at `offset`; -1 is the file's own position.
    fn read(fd: Fd, nbytes: Size, offset: Offset) -> Data =
        |sqe| prep::read(sqe, fd, nbytes.ptr.cast(), nbytes.len, offset);

    /// Writes `data` to `fd` at `offset`; -1 is the file's own position.
    fn write(fd: Fd, data: Content, offset: Offset) -> Nothing =
        |sqe| prep::write(sqe, fd, data.ptr.cast(), data.len, offset);

    /// Receives up to `nbytes` bytes from a socket.
    fn recv(fd: Fd, nbytes: Size, flags: Int) -> Data = |sqe| {
        if flags & sys::MSG_TRUNC as c_int != 0 {
            nbytes.ptr.write_bytes(0, nbytes.len as usize); // TCP then counts bytes that it doesn't write
        }
        prep::recv(sqe, fd, nbytes.ptr.cast(), nbytes.len as usize, flags)
    };

    /// Sends `data` to a connected socket. A peer that is gone is -EPIPE, never a signal.
    fn send(fd: Fd, data: Content, flags: Int) -> Nothing =
        |sqe| prep::send(sqe, fd, data.ptr.cast(), data.len as usize, flags | sys::MSG_NOSIGNAL as c_int);

    /// Accepts a connection; `flags` are accept4's.
    fn accept(fd: Fd, flags: Int) -> Accepted = |sqe| prep::accept(sqe, fd, null_mut(), null_mut(), flags);
}
