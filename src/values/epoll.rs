//! What epoll watches for, and what it found.

use super::arg::{Arg, Extent, Place, room};
use super::fields;
use super::integers::integer;
use crate::lua::{Lua, Type};
use crate::ring::in_flight::Completion;
use crate::sys;
use std::ffi::c_int;
use std::ptr::null_mut;

/// `{events=, data=}`, or nil where the operation takes none. `data` is the program's, from 0
/// to 2^53-1.
#[derive(Clone, Copy)]
pub struct Event(Option<sys::epoll_event>);

/// The largest number that is an integer on every Lua.
const LARGEST: i64 = (1 << 53) - 1;

impl Arg for Event {
    type Wire = *mut sys::epoll_event;

    fn check(lua: &mut Lua, index: c_int) -> Event {
        if lua.absent(index) {
            return Event(None);
        }
        if lua.kind(index) != Type::Table {
            lua.type_error(index, c"table");
        }
        let events = fields::integer(lua, index, c"events", None, 0, u32::MAX.into()) as u32;
        let data = fields::integer(lua, index, c"data", Some(0), 0, LARGEST) as u64;
        Event(Some(sys::epoll_event { events, data: sys::epoll_data { u64_: data } }))
    }

    fn room(self) -> usize {
        if self.0.is_some() { room(size_of::<sys::epoll_event>()) } else { 0 }
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> *mut sys::epoll_event {
        match self.0 {
            // SAFETY: `room` asked for it.
            Some(event) => unsafe { block.put(event) },
            None => null_mut(),
        }
    }
}

/// How many events to take at the most, from 1 to 4096.
#[derive(Clone, Copy)]
pub struct Events(u32);

impl Arg for Events {
    type Wire = Extent<sys::epoll_event>;

    fn check(lua: &mut Lua, index: c_int) -> Events {
        Events(integer(lua, index, 1, 4096) as u32)
    }

    fn front(self) -> usize {
        self.0 as usize * size_of::<sys::epoll_event>()
    }

    fn room(self) -> usize {
        self.front()
    }

    fn size(self) -> u32 {
        self.0
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> Extent<sys::epoll_event> {
        Extent { ptr: block.front().cast(), len: self.0 }
    }
}

/// Pushes a list of what was found. May raise.
///
/// # Safety
/// The block has `res` events at its beginning, and stays meanwhile.
pub unsafe fn push(lua: &mut Lua, completion: &Completion) {
    let events: *const sys::epoll_event = completion.action.block.ptr().cast();
    let count = completion.res.clamp(0, completion.action.block.size() as i32) as u32;
    lua.push_table_for(count as c_int);
    for number in 0..count {
        // SAFETY: the caller's promise; the struct may be packed.
        let (what, data) = unsafe {
            let event = events.add(number as usize).read_unaligned();
            (event.events, event.data.u64_)
        };
        lua.push_record_for(2);
        lua.push_integer(what.into());
        lua.set_field(-2, c"events");
        lua.push_integer(data as i64);
        lua.set_field(-2, c"data");
        lua.raw_set(-2, number + 1);
    }
}
