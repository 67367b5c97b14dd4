//! Folders: what is in them, and what is done there to a name.

use super::errno::result;
use super::files::CLOSE_ON_EXEC;
use crate::functions::{Pushed, functions, unsigned};
use crate::lua::{Bytes, Lua, RawState, Type};
use crate::sys;
use crate::values::descriptor::descriptor;
use crate::values::integers::{int, path};
use crate::values::time::{Time, moment};
use std::ffi::c_int;

functions! {
    /// `readdir(path or fd)`: a table from each name to its type, DT_REG, DT_DIR, ...
    fn readdir(lua, folder: folder) {
        // What can raise while the folder is open happens in `list`, called in protected mode.
        lua.push_function(list);
        let fd = folder.open();
        lua.push_integer(fd);
        let listed = fd < 0 || lua.call_protected(1);
        folder.close(fd);
        if !listed {
            lua.raise();
        }
        Pushed(1)
    }

    /// `readlink(path)`: where a symbolic link points to. See readlink(2).
    fn readlink(lua, path: path) {
        let mut target = [0u8; sys::PATH_MAX as usize];
        // SAFETY: the path ends with a NUL and is on the stack; there is room.
        let len = unsafe { sys::readlink(path.cast(), target.as_mut_ptr().cast(), target.len() as _) };
        let len = result(len as i64);
        match usize::try_from(len).ok().and_then(|len| target.get(..len)) {
            Some(target) => lua.push_bytes(target),
            None => lua.push_integer(len),
        }
        Pushed(1)
    }

    /// `mknod(path, mode, device?)`: a FIFO, a device, an empty file. See mknod(2).
    fn mknod(lua, path: path, mode: unsigned, device: unsigned = 0) {
        // SAFETY: the path ends with a NUL, and is on the stack.
        result(unsafe { sys::mknod(path.cast(), mode as _, device as _) })
    }

    /// `utimensat(dfd, path, atime?, mtime?, flags?)`: the present time where none is given,
    /// and the descriptor's own file without a path. See utimensat(2).
    fn utimensat(lua, dfd: descriptor, path: some_path = None, atime: moment = Time::NOW,
        mtime: moment = Time::NOW, flags: int = 0) {
        let times = [atime.libc(), mtime.libc()];
        // SAFETY: the path ends with a NUL and is on the stack; there are two times.
        result(unsafe {
            match path {
                Some(path) => sys::utimensat(dfd, path.cast(), times.as_ptr(), flags),
                None => sys::futimens(dfd, times.as_ptr()),
            }
        })
    }
}

fn some_path(lua: &mut Lua, index: c_int) -> Option<Bytes> {
    Some(path(lua, index))
}

/// A folder by its path, or one that the program has open.
#[derive(Clone, Copy)]
enum Folder {
    Path(Bytes),
    Open(c_int),
}

fn folder(lua: &mut Lua, index: c_int) -> Folder {
    match lua.kind(index) {
        Type::String => Folder::Path(path(lua, index)),
        _ => Folder::Open(descriptor(lua, index)),
    }
}

impl Folder {
    /// A descriptor at the folder's beginning, or `-errno`.
    fn open(self) -> i64 {
        match self {
            Folder::Path(path) => {
                let flags = (sys::O_RDONLY | sys::O_DIRECTORY) as c_int | CLOSE_ON_EXEC;
                // SAFETY: the path ends with a NUL, and is on the stack.
                result(unsafe { sys::open(path.cast(), flags) })
            }
            // SAFETY: takes numbers only. What can't seek is no folder.
            Folder::Open(fd) => match result(unsafe { sys::lseek(fd, 0, sys::SEEK_SET as c_int) }) {
                0.. => fd.into(),
                failed => failed,
            },
        }
    }

    /// Ends the use of what `open` gave.
    fn close(self, fd: i64) {
        if fd >= 0 && matches!(self, Folder::Path(_)) {
            // SAFETY: `open` opened it, and nobody else knows it.
            unsafe { sys::close(fd as c_int) };
        }
    }
}

/// `list(fd)`: the table of `readdir`, or `-errno`.
unsafe extern "C-unwind" fn list(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let fd = int(lua, 1);
    lua.push_table();
    let mut records = Records([0; Records::SIZE]);
    loop {
        // SAFETY: there is room.
        let len = result(unsafe { sys::luring_getdents(fd, records.0.as_mut_ptr().cast(), Records::SIZE) });
        match usize::try_from(len) {
            Ok(0) => break,
            Ok(len) => records.push(lua, len),
            Err(_) => {
                lua.push_integer(len);
                break;
            }
        }
    }
    1
}

/// The kernel's records of a folder's entries: `struct linux_dirent64`.
#[repr(align(8))]
struct Records([u8; Records::SIZE]);

impl Records {
    const SIZE: usize = 8192;
    /// Where in a record its length is, the entry's type, and the name, which ends with a NUL.
    const LEN: usize = 16;
    const TYPE: usize = 18;
    const NAME: usize = 19;

    /// Puts the entries in the first `len` bytes into the table on top.
    fn push(&self, lua: &mut Lua, len: usize) {
        let mut rest = self.0.get(..len).unwrap_or_default();
        while let [header @ .., _] = rest.get(..=Records::NAME).unwrap_or_default() {
            let len = u16::from_ne_bytes([header[Records::LEN], header[Records::LEN + 1]]);
            let (record, next) = rest.split_at(rest.len().min(len.into()));
            let name = record.get(Records::NAME..).unwrap_or_default();
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            if name != b"." && name != b".." {
                lua.push_bytes(name);
                lua.push_integer(header[Records::TYPE].into());
                lua.set_pair();
            }
            rest = next;
        }
    }
}
