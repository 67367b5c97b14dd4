//! A path, or another string that ends with a zero for the kernel.

use super::arg::{Arg, Place};
use super::integers;
use crate::lua::Lua;
use std::ffi::{c_char, c_int};

/// A string without zero bytes; the kernel says when it is too long.
#[derive(Clone, Copy)]
pub struct Path {
    ptr: *const u8,
    len: usize,
}

impl Arg for Path {
    type Wire = *const c_char;

    fn check(lua: &mut Lua, index: c_int) -> Path {
        let path = integers::path(lua, index);
        Path { ptr: path.cast(), len: path.len() }
    }

    fn room(self) -> usize {
        self.len + 1
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> *const c_char {
        let copy = block.bytes(self.len + 1);
        // SAFETY: the string is on the stack, and Lua ends it with a zero; the block has the
        // room that was asked for.
        unsafe { copy.copy_from_nonoverlapping(self.ptr, self.len + 1) };
        copy.cast()
    }
}
