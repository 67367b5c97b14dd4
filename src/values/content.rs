//! A string that the kernel reads from.

use super::arg::{Arg, Place};
use super::integers::bytes;
use crate::lua::{Lua, Message};
use std::ffi::c_int;

/// A string of at most 2^32-1 bytes that the kernel reads from while the action is in flight.
#[derive(Clone, Copy)]
pub struct Content {
    ptr: *const u8,
    len: u32,
}

/// Contents up to this size, in bytes, are copied: keeping the string costs more.
const SMALL: u32 = 1024;

/// Where it is, and how long.
#[derive(Clone, Copy)]
pub struct Wire {
    /// The first byte.
    pub ptr: *const u8,
    /// How many there are.
    pub len: u32,
}

impl Arg for Content {
    type Wire = Wire;

    #[inline]
    fn check(lua: &mut Lua, index: c_int) -> Content {
        let bytes = bytes(lua, index);
        match u32::try_from(bytes.len()) {
            Ok(len) => Content { ptr: bytes.cast(), len },
            Err(_) => too_long(lua, index),
        }
    }

    #[inline]
    fn room(self) -> usize {
        if self.is_anchored() { 0 } else { self.len as usize }
    }

    #[inline]
    fn is_anchored(self) -> bool {
        self.len > SMALL
    }

    #[inline]
    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> Wire {
        if self.is_anchored() {
            return Wire { ptr: self.ptr, len: self.len };
        }
        let copy = block.bytes(self.len as usize);
        // SAFETY: the string is on the stack, and the block has the room that was asked for.
        unsafe { copy.copy_from_nonoverlapping(self.ptr, self.len as usize) };
        Wire { ptr: copy, len: self.len }
    }
}

#[cold]
#[inline(never)]
fn too_long(lua: &Lua, index: c_int) -> ! {
    lua.argument_error(index, Message::new(format_args!("string longer than 4294967295 bytes")))
}
