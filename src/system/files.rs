//! System calls of the synchronous helpers, and the words for their errors.

use crate::lua::{Lua, Message, RawState};
use crate::sys;
use crate::values::descriptor::descriptor;
use crate::values::integers as args;
use std::ffi::{CStr, c_int};
use std::io;

/// The C library's text for an error number.
pub fn error_text(errno: i32) -> &'static str {
    // SAFETY: the C library returns a string of its own, for any number.
    unsafe { CStr::from_ptr(sys::strerror(errno)) }.to_str().unwrap_or("Unknown error")
}

/// What a system call returned, or `-errno` where that is -1.
pub fn result(returned: c_int) -> i64 {
    if returned == -1 {
        -i64::from(io::Error::last_os_error().raw_os_error().unwrap_or(0))
    } else {
        returned.into()
    }
}

/// Pushes the two descriptors, or what failed instead: how many values that makes.
pub fn push_pair(lua: &mut Lua, returned: i64, pair: [c_int; 2]) -> c_int {
    if returned < 0 {
        lua.push_integer(returned);
        return 1;
    }
    lua.push_integer(pair[0].into());
    lua.push_integer(pair[1].into());
    2
}

/// `strerror(errno)`: the C library's text.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn strerror(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let errno = args::int(lua, 1);
    // SAFETY: as in `error_text`.
    lua.push_text(unsafe { CStr::from_ptr(sys::strerror(errno)) });
    1
}

/// The five modes of `open_file`.
const MODES: [(&[u8], u32); 5] = [
    (b"w", sys::O_RDWR | sys::O_CREAT | sys::O_APPEND),
    (b"w+", sys::O_RDWR | sys::O_CREAT | sys::O_APPEND | sys::O_TRUNC),
    (b"a", sys::O_WRONLY | sys::O_CREAT | sys::O_APPEND),
    (b"a+", sys::O_WRONLY | sys::O_CREAT | sys::O_APPEND | sys::O_TRUNC),
    (b"r", sys::O_RDONLY),
];

/// `open_file(path, mode?)`: a file descriptor, or `-errno`. See open(2).
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn open_file(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let path = args::path(lua, 1);
    // SAFETY: the string is on the stack.
    let mode = if lua.absent(2) { b"w" } else { unsafe { &*args::bytes(lua, 2) } };
    let Some((_, flags)) = MODES.iter().find(|(name, _)| *name == mode) else {
        lua.argument_error(2, Message::new(format_args!("mode must be one of: w, w+, a, a+, r")))
    };
    let permissions: c_int = 0o664;
    // SAFETY: the path ends with a NUL, as Lua's strings do, and is on the stack.
    lua.push_integer(result(unsafe { sys::open(path.cast(), *flags as c_int, permissions) }));
    1
}

/// `close_fd(fd)`: 0 or `-errno`. See close(2).
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn close_fd(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let fd = descriptor(lua, 1);
    // SAFETY: closing any number of the program's is the program's to decide.
    lua.push_integer(result(unsafe { sys::close(fd) }));
    1
}

/// `pipe2(flags?)`: the end to read from and the end to write to, or `-errno`. See pipe2(2).
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn pipe2(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let flags = args::optional_int(lua, 1, 0);
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    let returned = result(unsafe { sys::pipe2(ends.as_mut_ptr(), flags) });
    push_pair(lua, returned, ends)
}
