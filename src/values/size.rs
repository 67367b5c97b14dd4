//! How much to read, and into what.

use super::arg::{Arg, Place};
use super::integers::integer;
use crate::lua::Lua;
use std::ffi::c_int;

/// How many bytes to read at the most, from 0 to 2^32-1.
#[derive(Clone, Copy)]
pub struct Size(u32);

/// Where to, and how many at the most.
#[derive(Clone, Copy)]
pub struct Wire {
    /// The first byte.
    pub ptr: *mut u8,
    /// How many there is room for.
    pub len: u32,
}

impl Arg for Size {
    type Wire = Wire;

    #[inline]
    fn check(lua: &mut Lua, index: c_int) -> Size {
        Size(integer(lua, index, 0, u32::MAX.into()) as u32)
    }

    #[inline]
    fn room(self) -> usize {
        self.0 as usize
    }

    #[inline]
    fn front(self) -> usize {
        self.0 as usize
    }

    #[inline]
    fn size(self) -> u32 {
        self.0
    }

    #[inline]
    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> Wire {
        Wire { ptr: block.front(), len: self.0 }
    }
}
