//! The C library's and the kernel's numbers that a program needs, under their C names.

use crate::lua::Lua;
use crate::sys;
use std::ffi::CStr;

macro_rules! constants {
    ($($name:ident)*) => {
        const CONSTANTS: &[(&str, i64)] = &[$((concat!(stringify!($name), "\0"), sys::$name as i64),)*];
    };
}

constants! {
    AF_INET AF_INET6 AF_UNIX
    SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET SOCK_CLOEXEC SOCK_NONBLOCK
    MSG_DONTWAIT MSG_NOSIGNAL MSG_OOB MSG_PEEK MSG_TRUNC MSG_WAITALL
    O_CLOEXEC O_DIRECT O_NONBLOCK
    IORING_SETUP_IOPOLL IORING_SETUP_SQPOLL IORING_SETUP_CLAMP
    E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EBUSY ECANCELED
    ECONNABORTED ECONNREFUSED ECONNRESET EDESTADDRREQ EEXIST EFAULT EFBIG EHOSTUNREACH EINPROGRESS
    EINTR EINVAL EIO EISCONN EISDIR ELOOP EMFILE EMSGSIZE ENAMETOOLONG ENETDOWN ENETUNREACH ENFILE
    ENOBUFS ENODEV ENOENT ENOMEM ENOSPC ENOSYS ENOTCONN ENOTDIR ENOTEMPTY ENOTSOCK ENXIO EOPNOTSUPP
    EPERM EPIPE EPROTO EPROTONOSUPPORT ERANGE EROFS ESPIPE ETIME ETIMEDOUT EXDEV
}

/// Sets them all in the table on top of the stack. May raise out of memory.
pub fn register(lua: &mut Lua) {
    for (name, value) in CONSTANTS {
        if let Ok(name) = CStr::from_bytes_with_nul(name.as_bytes()) {
            lua.push_integer(*value);
            lua.set_field(-2, name);
        }
    }
}
