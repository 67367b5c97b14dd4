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
        match NAMES.iter().find(|(_, number)| *number == i64::from(errno)) {
            Some((name, _)) => lua.push_bytes(name.as_bytes()),
            None => lua.push_nil(),
        }
        Pushed(1)
    }
}

/// What the headers know, which may be newer than these words.
const NAMES: &[(&str, i64)] = include!(concat!(env!("OUT_DIR"), "/errnos.rs"));
