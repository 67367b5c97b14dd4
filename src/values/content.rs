//! A string that the kernel reads from.

use super::arg::{Arg, Place};
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
        Content::of(lua, index).unwrap_or_else(|| lua.type_error(index, c"string"))
    }

    #[inline]
    fn quick(lua: &mut Lua, index: c_int) -> Option<Content> {
        let bytes = lua.bytes(index)?;
        Some(Content { ptr: bytes.cast(), len: u32::try_from(bytes.len()).ok()? })
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

impl Content {
    /// What is no string, for a kind that keeps something else in one.
    pub fn from_parts(address: usize, len: u32) -> Content {
        Content { ptr: std::ptr::without_provenance(address), len }
    }

    /// Where it is.
    #[inline]
    pub fn address(self) -> usize {
        self.ptr.addr()
    }

    /// How many bytes there are.
    #[inline]
    pub fn len(self) -> u32 {
        self.len
    }

    /// The string at `index`, or `None` if there is no string. Raises if it is too long.
    #[inline]
    pub fn of(lua: &mut Lua, index: c_int) -> Option<Content> {
        let bytes = lua.bytes(index)?;
        match u32::try_from(bytes.len()) {
            Ok(len) => Some(Content { ptr: bytes.cast(), len }),
            Err(_) => too_long(lua, index),
        }
    }
}

#[cold]
#[inline(never)]
fn too_long(lua: &Lua, index: c_int) -> ! {
    lua.argument_error(index, Message::new(format_args!("string longer than 4294967295 bytes")))
}
