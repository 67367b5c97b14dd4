//! Error numbers: their names, and the words for them.

use crate::functions::{Pushed, functions};
use crate::sys;
use crate::values::integers::int;
use std::ffi::CStr;
use std::io;

/// The C library's text for an error number.
pub fn error_text(errno: i32) -> &'static str {
    // SAFETY: the C library returns a string of its own, for any number.
    unsafe { CStr::from_ptr(sys::strerror(errno)) }.to_str().unwrap_or("Unknown error")
}

/// The number of the error that this thread's last system call has met.
pub fn last() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// What a system call returned, or `-errno` where that is -1.
pub fn result(returned: impl Into<i64>) -> i64 {
    match returned.into() {
        -1 => -i64::from(last()),
        returned => returned,
    }
}

functions! {
    /// `strerror(errno)`: the C library's text.
    fn strerror(lua, errno: int) {
        // SAFETY: as in `error_text`.
        lua.push_text(unsafe { CStr::from_ptr(sys::strerror(errno)) });
        Pushed(1)
    }

    /// `errname(errno)`: the name of an error number, or nil.
    fn errname(lua, errno: int) {
        match NAMES.iter().find(|(_, number)| i64::from(*number) == errno.into()) {
            Some((name, _)) => lua.push_bytes(name.as_bytes()),
            None => lua.push_nil(),
        }
        Pushed(1)
    }
}

macro_rules! names {
    ($($name:ident)*) => {
        const NAMES: &[(&str, u32)] = &[$((stringify!($name), sys::$name),)*];
    };
}

// Without the second names of some: EWOULDBLOCK, EDEADLOCK, ENOTSUP.
names! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK
    EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE
    EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENOMSG EIDRM
    ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT
    EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP
    EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ
    ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT
    ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH
    ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT
    ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM
    EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED
    EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON
}
