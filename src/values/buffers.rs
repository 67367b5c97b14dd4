//! A list of buffers, for a ring's table of them.

use super::arg::{Arg, Place};
use super::buffer;
use super::integers::integer;
use crate::lua::{Lua, Message, Type};
use crate::ring::fixed_buffers::Entry;
use crate::sys;
use std::ffi::c_int;
use std::ptr::null_mut;
use std::slice::from_raw_parts;

/// As many as a ring's table of buffers can have.
const MOST: usize = 1 << 14;

/// Buffers, views, and false for an empty slot; or how many slots there are, all empty. They are
/// at the argument's place, where they stay until the function returns.
#[derive(Clone, Copy)]
pub struct Buffers {
    entries: *const Entry,
    iovecs: *const sys::iovec,
    len: usize,
}

impl Buffers {
    /// What each slot gets, and the iovecs alone.
    pub fn parts<'a>(self) -> (&'a [Entry], &'a [sys::iovec]) {
        // SAFETY: both are on the stack until the function returns.
        unsafe { (from_raw_parts(self.entries, self.len), from_raw_parts(self.iovecs, self.len)) }
    }
}

impl Arg for Buffers {
    type Wire = ();

    fn check(lua: &mut Lua, index: c_int) -> Buffers {
        let is_list = lua.kind(index) == Type::Table;
        let len = if is_list { lua.raw_len(index) } else { integer(lua, index, 0, MOST as i64) as usize };
        if len > MOST {
            lua.argument_error(index, Message::new(format_args!("a list of more than {MOST} buffers")));
        }
        // No Lua code runs from here on: the list is as it is, and what is in it lives.
        let memory = lua.push_userdata((len * (size_of::<Entry>() + size_of::<sys::iovec>())).max(1));
        let entries: *mut Entry = memory.cast();
        let iovecs: *mut sys::iovec = entries.wrapping_add(len).cast();
        for number in 1..=len {
            let entry = if is_list { element(lua, index, number) } else { EMPTY };
            // SAFETY: there is room for `len` of each, and Lua aligns it for any of them.
            unsafe {
                entries.add(number - 1).write(entry);
                iovecs.add(number - 1).write(entry.iovec);
            }
        }
        Buffers { entries, iovecs, len }
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) {}
}

const EMPTY: Entry = Entry { region: None, iovec: sys::iovec { iov_base: null_mut(), iov_len: 0 } };

fn element(lua: &mut Lua, index: c_int, number: usize) -> Entry {
    lua.raw_get(index, number as u32);
    let place = lua.top();
    let entry = match buffer::taken(lua, place) {
        Some(bytes) => {
            let span = buffer::not_leased(lua, index, bytes);
            let iovec = sys::iovec { iov_base: span.ptr().cast(), iov_len: span.len as _ };
            Entry { region: Some(span.region), iovec }
        }
        None if lua.kind(place) == Type::Boolean && !lua.truth(place) => EMPTY,
        None => lua.argument_error(index, Message::new(format_args!("element {number} is no buffer"))),
    };
    lua.pop();
    entry
}
