//! Files that are open, or are to be.

use super::errno::result;
use crate::functions::{Pair, Pushed, functions, long, unsigned};
use crate::guard;
use crate::lua::{Lua, Message, Type};
use crate::sys;
use crate::values::descriptor::descriptor;
use crate::values::integers::{bytes, int, integer, path};
use crate::values::statx;
use std::ffi::c_int;
use std::mem::MaybeUninit;

/// Every descriptor that is made here is closed in the programs that this one starts.
pub const CLOSE_ON_EXEC: c_int = sys::O_CLOEXEC as c_int;

/// The five modes of `open_file`.
const MODES: [(&[u8], u32); 5] = [
    (b"w", sys::O_RDWR | sys::O_CREAT | sys::O_APPEND),
    (b"w+", sys::O_RDWR | sys::O_CREAT | sys::O_APPEND | sys::O_TRUNC),
    (b"a", sys::O_WRONLY | sys::O_CREAT | sys::O_APPEND),
    (b"a+", sys::O_WRONLY | sys::O_CREAT | sys::O_APPEND | sys::O_TRUNC),
    (b"r", sys::O_RDONLY),
];

/// The flags that a mode of `open_file` stands for: one of the five, as ever, or a number.
fn mode(lua: &mut Lua, index: c_int) -> c_int {
    if lua.kind(index) == Type::Number {
        return int(lua, index) | CLOSE_ON_EXEC;
    }
    // SAFETY: the string is on the stack.
    let mode = if lua.absent(index) { b"w" } else { unsafe { &*bytes(lua, index) } };
    match MODES.iter().find(|(name, _)| *name == mode) {
        Some((_, flags)) => *flags as c_int,
        None => lua.argument_error(index, Message::new(format_args!("mode must be one of: w, w+, a, a+, r"))),
    }
}

/// A user's or a group's number; -1 stands for no change. Raises.
fn id(lua: &mut Lua, index: c_int) -> u32 {
    integer(lua, index, -1, u32::MAX.into()) as u32
}

functions! {
    /// `open_file(path, mode or flags, permissions?)`: a descriptor. See open(2).
    fn open_file(lua, path: path, flags: mode, permissions: unsigned = 0o664) {
        // SAFETY: the path ends with a NUL, as Lua's strings do, and is on the stack.
        result(unsafe { sys::open(path.cast(), flags, permissions) })
    }

    /// `close_fd(fd)`. See close(2). As the kernel's own action does, it takes a ring's
    /// descriptor for none: no program means it.
    fn close_fd(lua, fd: descriptor) {
        if guard::is_descriptor(lua, fd) {
            -i64::from(sys::EBADF)
        } else {
            // SAFETY: closing any number of the program's is the program's to decide.
            result(unsafe { sys::close(fd) })
        }
    }

    /// `fileno(file)`: the descriptor of a Lua file, or of whatever has one.
    fn fileno(lua, file: descriptor) {
        i64::from(file)
    }

    /// `pipe2(flags?)`: the end to read from and the end to write to. See pipe2(2).
    fn pipe2(lua, flags: int = 0) {
        let mut ends = [0; 2];
        // SAFETY: there is room for two descriptors.
        let returned = result(unsafe { sys::pipe2(ends.as_mut_ptr(), flags | CLOSE_ON_EXEC) });
        Pair(returned, ends)
    }

    /// `lseek(fd, offset, whence?)`: the new position. See lseek(2).
    fn lseek(lua, fd: descriptor, offset: long, whence: int = sys::SEEK_SET as c_int) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::lseek(fd, offset, whence) })
    }

    /// `statx_fd(fd, mask?)`: what the file system knows of an open file, as far as it is in memory.
    /// See statx(2).
    fn statx_fd(lua, fd: descriptor, mask: unsigned = sys::STATX_BASIC_STATS) {
        let flags = (sys::AT_EMPTY_PATH | sys::AT_STATX_DONT_SYNC) as c_int;
        let mut stat = MaybeUninit::zeroed();
        // SAFETY: the path is a C string, and there is room for what is known.
        match result(unsafe { sys::statx(fd, c"".as_ptr(), flags, mask, stat.as_mut_ptr()) }) {
            // SAFETY: the kernel has filled it in.
            0 => statx::push(lua, unsafe { stat.assume_init_ref() }),
            error => lua.push_integer(error),
        }
        Pushed(1)
    }

    /// `ftruncate_fd(fd, length)`. See ftruncate(2).
    fn ftruncate_fd(lua, fd: descriptor, length: long) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::ftruncate(fd, length) })
    }

    /// `fchmod(fd, mode)`. See fchmod(2).
    fn fchmod(lua, fd: descriptor, mode: unsigned) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::fchmod(fd, mode) })
    }

    /// `fchown(fd, owner, group)`; -1 changes nothing. See fchown(2).
    fn fchown(lua, fd: descriptor, owner: id, group: id) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::fchown(fd, owner, group) })
    }
}
