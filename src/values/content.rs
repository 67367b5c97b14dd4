//! A string or a buffer that the kernel reads from.

use super::arg::{Arg, HOLD, Place};
use super::buffer;
use super::integers::bytes;
use crate::lua::{Lua, Message};
use crate::ring::hold::Held;
use crate::ring::in_flight::Reply;
use crate::ring::region::Use;
use std::ffi::c_int;

/// At most 2^32-1 bytes that the kernel reads from while the action is in flight.
#[derive(Clone, Copy)]
pub enum Content {
    /// A string's.
    String(Wire),
    /// A buffer's.
    From(buffer::Bytes),
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
    fn quick(lua: &mut Lua, index: c_int) -> Option<Content> {
        let bytes = lua.bytes(index)?;
        // A longer one is `check`'s: sends, which cut it, need not look at how long the others are.
        let len = i32::try_from(bytes.len()).ok()?;
        Some(Content::String(Wire { ptr: bytes.cast(), len: len as u32 }))
    }

    fn check(lua: &mut Lua, index: c_int) -> Content {
        if let Some(bytes) = buffer::taken(lua, index) {
            return Content::From(bytes);
        }
        let bytes = bytes(lua, index);
        match u32::try_from(bytes.len()) {
            Ok(len) => Content::String(Wire { ptr: bytes.cast(), len }),
            Err(_) => too_long(lua, index),
        }
    }

    #[inline]
    fn room(self) -> usize {
        match self {
            Content::String(string) if string.len <= SMALL => string.len as usize,
            Content::String(_) => 0,
            Content::From(_) => HOLD,
        }
    }

    #[inline]
    fn is_anchored(self) -> bool {
        match self {
            Content::String(string) => string.len > SMALL,
            Content::From(_) => true,
        }
    }

    #[inline]
    fn reply(self, reply: Reply) -> Reply {
        match (self, reply) {
            (Content::From(_), Reply::Nothing) => Reply::Plain,
            _ => reply,
        }
    }

    #[inline]
    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> Wire {
        match self {
            Content::String(string) if string.len <= SMALL => {
                let copy = block.bytes(string.len as usize);
                // SAFETY: the string is on the stack, and the block has the room that was
                // asked for.
                unsafe { copy.copy_from_nonoverlapping(string.ptr, string.len as usize) };
                Wire { ptr: copy, len: string.len }
            }
            Content::String(string) => string,
            Content::From(buffer::Bytes { span, lease }) => {
                let held = match lease {
                    Some(lease) => Held::Lease(span, lease),
                    None => Held::Bytes(span, Use::Read),
                };
                // SAFETY: `room` has asked for it.
                unsafe { block.hold(held) };
                Wire { ptr: span.ptr(), len: span.len }
            }
        }
    }
}

#[cold]
#[inline(never)]
fn too_long(lua: &Lua, index: c_int) -> ! {
    lua.argument_error(index, Message::new(format_args!("string longer than 4294967295 bytes")))
}
