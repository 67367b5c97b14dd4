//! Several buffers or views to read into, or to write from: a list, as an argument.

use super::arg::{Arg, Extent, HOLD, HOLD_IN_LIST, Place, room};
use super::buffer;
use super::iovecs::copy_list;
use crate::lua::{Lua, Message};
use crate::ring::hold::Held;
use crate::ring::region::Use;
use crate::sys;
use std::ffi::c_int;
use std::ptr::null_mut;

/// A list of at most 1024 of them, which the kernel fills, or reads.
#[derive(Clone, Copy)]
#[allow(dead_code)] // where liburing has no readv_fixed
pub struct Views<const FILL: bool> {
    count: usize,
}

/// To read into.
pub type Filled = Views<true>;
/// To write from.
pub type Written = Views<false>;

impl<const FILL: bool> Arg for Views<FILL> {
    type Wire = Extent<sys::iovec>;

    fn check(lua: &mut Lua, index: c_int) -> Views<FILL> {
        let count = copy_list(lua, index, index, |lua, number| {
            let place = lua.top();
            match buffer::taken(lua, place) {
                Some(bytes) => _ = buffer::not_leased(lua, index, bytes),
                None => {
                    lua.argument_error(index, Message::new(format_args!("element {number} is no buffer")))
                }
            }
        });
        Views { count }
    }

    fn room(self) -> usize {
        HOLD + room(self.count * size_of::<sys::iovec>()) + room(self.count * HOLD_IN_LIST)
    }

    fn place(self, lua: &Lua, block: &mut Place, index: c_int) -> Extent<sys::iovec> {
        let iovecs = block.values::<sys::iovec>(self.count);
        let how = if FILL { Use::Fill } else { Use::Read };
        let held = |number: usize| {
            lua.raw_get(index, number as u32 + 1);
            let span = buffer::private_span(lua, -1);
            lua.pop();
            let (start, len) = span.map_or((null_mut(), 0), |span| (span.ptr(), span.len));
            // SAFETY: there is room for so many.
            unsafe { iovecs.add(number).write(sys::iovec { iov_base: start.cast(), iov_len: len as _ }) };
            span.map(|span| Held::Bytes(span, how))
        };
        // SAFETY: `room` has asked for them.
        unsafe { block.hold_list(self.count, held) };
        Extent { ptr: iovecs, len: self.count as u32 }
    }
}
