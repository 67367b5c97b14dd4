//! How much to read, and into what.

use super::arg::{Arg, HOLD, Place};
use super::buffer;
use super::group;
use super::integers::integer;
use crate::lua::Lua;
use crate::ring::groups::Group;
use crate::ring::hold::Held;
use crate::ring::in_flight::Reply;
use crate::ring::region::{Span, Use};
use crate::sys;
use std::ffi::c_int;
use std::ptr::null_mut;

/// Where what is read goes.
#[derive(Clone, Copy)]
pub enum Size {
    /// To the block: this many bytes at the most, from 0 to 2^32-1.
    Bytes(u32),
    /// Into a buffer.
    Into(Span),
    /// Into a buffer of this group, which the kernel selects.
    Select(Group),
}

/// Where to, and how many at the most.
#[derive(Clone, Copy)]
pub struct Wire {
    /// The first byte.
    pub ptr: *mut u8,
    /// How many there is room for.
    pub len: u32,
    /// Those of recv's flags that make no sense there.
    pub unfit: c_int,
}

/// A selected buffer holds what others have got before, which MSG_TRUNC would bring again.
pub const TRUNCATE: c_int = sys::MSG_TRUNC as c_int;

/// When a recv goes on with the rest of an incremental buffer, Linux (6.18) and we count differently
/// from then on.
const WHOLE: c_int = sys::MSG_WAITALL as c_int;

impl Arg for Size {
    type Wire = Wire;

    #[inline]
    fn quick(lua: &mut Lua, index: c_int) -> Option<Size> {
        let size = u32::try_from(lua.integer(index).ok()?);
        Some(Size::Bytes(size.ok()?))
    }

    fn check(lua: &mut Lua, index: c_int) -> Size {
        if let Some(bytes) = buffer::taken(lua, index) {
            return Size::Into(buffer::not_leased(lua, index, bytes));
        }
        match group::find(lua, index) {
            Some(group) => Size::Select(group),
            None => Size::Bytes(integer(lua, index, 0, u32::MAX.into()) as u32),
        }
    }

    #[inline]
    fn room(self) -> usize {
        match self {
            Size::Bytes(size) => size as usize,
            Size::Into(_) | Size::Select(_) => HOLD,
        }
    }

    #[inline]
    fn front(self) -> usize {
        self.size() as usize
    }

    #[inline]
    fn size(self) -> u32 {
        match self {
            Size::Bytes(size) => size,
            Size::Into(_) | Size::Select(_) => 0,
        }
    }

    #[inline]
    fn is_anchored(self) -> bool {
        !matches!(self, Size::Bytes(_))
    }

    #[inline]
    fn reply(self, reply: Reply) -> Reply {
        match (self, reply) {
            (Size::Into(_), Reply::Data | Reply::Bytes) => Reply::Into,
            (Size::Select(_), Reply::Data | Reply::Bytes) => Reply::Selected,
            _ => reply,
        }
    }

    #[inline]
    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> Wire {
        match self {
            Size::Bytes(len) => Wire { ptr: block.front(), len, unfit: 0 },
            Size::Into(span) => {
                // SAFETY: `room` has asked for it.
                unsafe { block.hold(Held::Bytes(span, Use::Fill)) };
                Wire { ptr: span.ptr(), len: span.len, unfit: 0 }
            }
            Size::Select(group) => {
                // SAFETY: as above.
                unsafe { block.hold(Held::Group(group)) };
                let unfit = if group.is_incremental() { TRUNCATE | WHOLE } else { TRUNCATE };
                Wire { ptr: null_mut(), len: group.len(), unfit }
            }
        }
    }

    #[inline]
    fn amend(self, sqe: &mut sys::io_uring_sqe) {
        if let Size::Select(group) = self {
            // SAFETY: the SQE is this action's.
            unsafe { sys::luring_select_buffer(sqe, group.id()) };
        }
    }
}
