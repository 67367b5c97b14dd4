//! Several strings to write, or several sizes to read: a list, as an argument.

use super::arg::{Arg, Extent, Place, room};
use crate::lua::{Lua, Message, Type};
use crate::ring::in_flight::Completion;
use crate::sys;
use std::ffi::c_int;
use std::ptr::slice_from_raw_parts;

/// As many as the kernel takes at once (IOV_MAX).
const MOST: usize = 1024;

/// Replaces the list at `place` of the stack by a private copy of it, each element checked by
/// `check`, which is called with the element on top: a later argument's metamethod may change
/// the program's list. Gives the number of elements. Raises for the argument `index`.
pub fn copy_list(lua: &mut Lua, index: c_int, place: c_int, mut check: impl FnMut(&mut Lua, usize)) -> usize {
    if lua.kind(place) != Type::Table {
        lua.type_error(index, c"table");
    }
    let count = lua.raw_len(place);
    if count > MOST {
        lua.argument_error(index, Message::new(format_args!("a list of more than {MOST} (IOV_MAX)")));
    }
    lua.push_table_for(count as c_int);
    for number in 1..=count {
        lua.raw_get(place, number as u32);
        check(lua, number);
        lua.raw_set(-2, number as u32);
    }
    lua.replace(place);
    count
}

/// A list of strings, of at most 1024 and 2^31-1 bytes in all.
#[derive(Clone, Copy)]
pub struct Strings {
    count: usize,
    bytes: usize,
}

/// Strings of up to this size in all, in bytes, are copied.
const SMALL: usize = 1024;

impl Strings {
    /// The list at `place` of the stack, which is a part of the argument `index`. Raises.
    pub fn check_at(lua: &mut Lua, index: c_int, place: c_int) -> Strings {
        let mut bytes = 0usize;
        let count = copy_list(lua, index, place, |lua, number| match lua.bytes(-1) {
            Some(string) => bytes = bytes.saturating_add(string.len()),
            None => {
                lua.argument_error(index, Message::new(format_args!("element {number} must be a string")))
            }
        });
        if bytes > i32::MAX as usize {
            let most = "strings longer than 2147483647 bytes in all";
            lua.argument_error(index, Message::new(format_args!("{most}")));
        }
        Strings { count, bytes }
    }
}

impl Arg for Strings {
    type Wire = Extent<sys::iovec>;

    fn check(lua: &mut Lua, index: c_int) -> Strings {
        Strings::check_at(lua, index, index)
    }

    fn room(self) -> usize {
        room(self.count * size_of::<sys::iovec>()) + if self.is_anchored() { 0 } else { self.bytes }
    }

    fn is_anchored(self) -> bool {
        self.bytes > SMALL
    }

    fn place(self, lua: &Lua, block: &mut Place, index: c_int) -> Extent<sys::iovec> {
        let iovecs = block.values::<sys::iovec>(self.count);
        for number in 0..self.count {
            lua.raw_get(index, number as u32 + 1);
            let string = lua.string(-1);
            let base = if self.is_anchored() {
                string.cast::<u8>().cast_mut()
            } else {
                let copy = block.bytes(string.len());
                // SAFETY: the string is in the private list, and the block has the room that
                // was asked for.
                unsafe { copy.copy_from_nonoverlapping(string.cast(), string.len()) };
                copy
            };
            let iovec = sys::iovec { iov_base: base.cast(), iov_len: string.len() as _ };
            // SAFETY: there is room for so many.
            unsafe { iovecs.add(number).write(iovec) };
            lua.pop();
        }
        Extent { ptr: iovecs, len: self.count as u32 }
    }
}

/// A list of sizes to read, of at most 1024 and 2^31-1 bytes in all.
#[derive(Clone, Copy)]
pub struct Sizes {
    count: usize,
    bytes: usize,
}

impl Arg for Sizes {
    type Wire = Extent<sys::iovec>;

    fn check(lua: &mut Lua, index: c_int) -> Sizes {
        let mut bytes = 0usize;
        let count = copy_list(lua, index, index, |lua, number| match lua.integer(-1) {
            Ok(size @ 0..=0x7fff_ffff) => {
                lua.pop();
                lua.push_integer(size);
                bytes = bytes.saturating_add(size as usize);
            }
            _ => lua.argument_error(
                index,
                Message::new(format_args!("element {number} must be an integer from 0 to 2147483647")),
            ),
        });
        if bytes > i32::MAX as usize {
            lua.argument_error(
                index,
                Message::new(format_args!("sizes of more than 2147483647 bytes in all")),
            );
        }
        Sizes { count, bytes }
    }

    fn front(self) -> usize {
        self.count * size_of::<sys::iovec>()
    }

    fn room(self) -> usize {
        self.front() + self.bytes
    }

    /// How many iovecs there are at the block's beginning.
    fn size(self) -> u32 {
        self.count as u32
    }

    fn place(self, lua: &Lua, block: &mut Place, index: c_int) -> Extent<sys::iovec> {
        let iovecs = block.front().cast::<sys::iovec>();
        for number in 0..self.count {
            lua.raw_get(index, number as u32 + 1);
            let size = lua.integer(-1).unwrap_or(0) as usize;
            lua.pop();
            let iovec = sys::iovec { iov_base: block.bytes(size).cast(), iov_len: size as _ };
            // SAFETY: there is room for so many at the front, which is this argument's.
            unsafe { iovecs.add(number).write(iovec) };
        }
        Extent { ptr: iovecs, len: self.count as u32 }
    }
}

/// Pushes a list of what was read: whole buffers, and a part of the last. May raise.
///
/// # Safety
/// The block is one that `Sizes` has filled in, and stays meanwhile.
pub unsafe fn push(lua: &mut Lua, completion: &Completion) {
    let iovecs: *const sys::iovec = completion.action.block.ptr().cast();
    let mut left = completion.res.max(0) as usize;
    lua.push_table();
    for number in 0..completion.action.block.size() {
        // SAFETY: there are as many; the caller's promise.
        let iovec = unsafe { iovecs.add(number as usize).read() };
        let len = left.min(iovec.iov_len);
        left -= len;
        // SAFETY: the kernel has written so many there; the block is lent, so Lua code that
        // runs meanwhile can't free it.
        unsafe { lua.push_lent(slice_from_raw_parts(iovec.iov_base.cast(), len)) };
        lua.raw_set(-2, number + 1);
        if left == 0 {
            break;
        }
    }
}
