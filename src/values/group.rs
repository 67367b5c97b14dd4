//! `luring.buf_ring`: a group of buffers that the kernel selects from when there is data.

use super::arg::{Arg, HOLD, Place};
use super::buffer;
use super::integers::integer;
use super::object::{self, Kind};
use crate::handle::{Handle, RING};
use crate::lua::{Lua, Message, RawState};
use crate::ring::groups::{self, INCREMENTAL, MOST};
use crate::ring::hold::Held;
use crate::ring::{Errno, Ring};
use crate::rows::Entry;
use crate::sys;
use std::ffi::{CStr, c_int, c_void};
use std::ptr::null_mut;

/// What Lua has: none before it is made, and once it has been finalized.
#[derive(Clone, Copy)]
pub struct Owned(Option<groups::Group>);

static HERE: u8 = 0;

impl Kind for Owned {
    const NAME: &'static CStr = c"luring.buf_ring";
    const METHODS: &'static [Entry] =
        &[(c"available", available), (c"close", close), (c"give", give), (c"manual", manual)];

    const NONE: Owned = Owned(None);

    fn here() -> *const c_void {
        (&raw const HERE).cast()
    }

    /// Closes it, unless actions in flight use it: then it ends with their ring.
    fn collect(self) {
        let Some(group) = self.0 else { return };
        // SAFETY: a ring that has ended is not referred to; nobody keeps a reference to one. The
        // userdata's own count was just taken out.
        unsafe {
            if !group.is_used() && group.ring().as_ref().is_some_and(|ring| !ring.inherited()) {
                let _ = group.close();
            }
            group.release();
        }
    }
}

/// The group at `index`, if it is one, of the ring that is the first argument. Raises when it
/// can't be used with it.
pub fn find(lua: &mut Lua, index: c_int) -> Option<groups::Group> {
    find_at(lua, index, index)
}

/// As `find`, at `place` of the stack, which is a part of the argument `index`.
pub fn find_at(lua: &mut Lua, index: c_int, place: c_int) -> Option<groups::Group> {
    let owned = object::find::<Owned>(lua, place)?;
    let ring: *mut Ring = Handle::check(lua).get(lua).map_or(null_mut(), |ring| ring);
    // SAFETY: it is on the stack.
    let group = unsafe { (*owned).0 };
    let why = match group.map(groups::Group::ring) {
        Some(own) if own.is_null() => "the group has been closed",
        Some(own) if own != ring => "the group is another ring's",
        Some(_) => return group,
        None => "the group has been collected",
    };
    lua.argument_error(index, Message::new(format_args!("{why}")))
}

/// As `find`. Raises where there is none.
pub fn check(lua: &mut Lua, index: c_int) -> groups::Group {
    find(lua, index).unwrap_or_else(|| lua.type_error(index, Owned::NAME))
}

/// The group that a method was called on. Raises.
fn own(lua: &mut Lua) -> groups::Group {
    let owned = object::check::<Owned>(lua, 1);
    // SAFETY: it is on the stack.
    let group = unsafe { (*owned).0 };
    group.unwrap_or_else(|| lua.error(Message::new(format_args!("the group has been collected"))))
}

/// As `own`, of a ring that this process may use. Raises.
fn own_open(lua: &mut Lua) -> groups::Group {
    let group = own(lua);
    // SAFETY: a ring that has ended is not referred to.
    match unsafe { group.ring().as_ref() } {
        Some(ring) if ring.inherited() => {
            lua.error(Message::new(format_args!("the group belongs to the parent process")))
        }
        Some(_) => group,
        None => lua.error(Message::new(format_args!("the group has been closed"))),
    }
}

/// `buf_ring(ring, count, size, flags?)`: a group of `count` buffers, a power of two, of `size`
/// bytes, or `-errno`. With IOU_PBUF_RING_INC one buffer takes what several completions bring.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn buf_ring(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check_open(lua);
    let (count, size, flags) = (RING + 1, RING + 2, RING + 3);
    let count = match integer(lua, count, 1, MOST.into()) as u32 {
        number if number.is_power_of_two() => number,
        _ => lua.argument_error(count, Message::new(format_args!("must be a power of two"))),
    };
    let size = integer(lua, size, 1, 1 << 30) as u32;
    let flags = if lua.absent(flags) { 0 } else { integer(lua, flags, 0, u16::MAX.into()) as u32 };
    if flags & !INCREMENTAL != 0 {
        lua.argument_error(RING + 3, Message::new(format_args!("unknown flags")));
    }
    buffer::make_room(lua, count as usize * size as usize);
    // All that can raise comes before the group, which would be lost.
    let owned: *mut Owned = object::push(lua);
    match groups::Group::new(handle.ring(lua), count, size, flags) {
        // SAFETY: it is on the stack.
        Ok(group) => unsafe { owned.write(Owned(Some(group))) },
        Err(Errno(errno)) => lua.push_integer(-i64::from(errno)),
    }
    1
}

/// `bg:available()`: how many buffers the kernel can select from.
unsafe extern "C-unwind" fn available(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let group = own_open(lua);
    lua.push_integer(group.available().into());
    1
}

/// `bg:manual(on)`: whether completions bring views from now on, which `send` takes, instead of
/// strings.
unsafe extern "C-unwind" fn manual(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let group = own(lua);
    group.set_manual(lua.truth(2));
    0
}

/// `bg:give(view)`: gives back what has not been sent.
unsafe extern "C-unwind" fn give(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let group = own(lua);
    let lease = buffer::lease(lua, 2);
    let why = match () {
        () if lease.group() != group => "a view of another group",
        () if lease.is_back() => "the view has gone back to its group",
        () if lease.is_sent() => "an action in flight is sending it",
        () => {
            lease.give();
            return 0;
        }
    };
    lua.argument_error(2, Message::new(format_args!("{why}")))
}

/// `bg:close()`: 0 or `-errno`. An error while an action in flight uses it. Views stay what
/// they are.
unsafe extern "C-unwind" fn close(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let group = own(lua);
    if !group.ring().is_null() {
        own_open(lua);
    }
    if group.is_used() {
        lua.error(Message::new(format_args!("an action in flight uses the group")));
    }
    // SAFETY: nobody keeps a reference to the ring.
    let result = match unsafe { group.close() } {
        Ok(()) => 0,
        Err(Errno(errno)) => -i64::from(errno),
    };
    lua.push_integer(result);
    1
}

/// A group, as an argument of actions that take nothing else.
#[derive(Clone, Copy)]
pub struct Group(groups::Group);

/// Its number.
#[derive(Clone, Copy)]
#[allow(dead_code)] // where liburing has no multishot that selects
pub struct Wire(u16);

#[allow(dead_code)] // as above
impl Wire {
    /// A group's.
    pub fn of(group: groups::Group) -> Wire {
        Wire(group.id())
    }

    /// Lets the kernel select.
    ///
    /// # Safety
    /// The SQE is the caller's.
    pub unsafe fn select(self, sqe: *mut sys::io_uring_sqe) {
        // SAFETY: the caller's promise.
        unsafe { sys::luring_select_buffer(sqe, self.0) }
    }
}

impl Arg for Group {
    type Wire = Wire;

    fn check(lua: &mut Lua, index: c_int) -> Group {
        Group(check(lua, index))
    }

    fn room(self) -> usize {
        HOLD
    }

    fn is_anchored(self) -> bool {
        true
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> Wire {
        // SAFETY: `room` has asked for it.
        unsafe { block.hold(Held::Group(self.0)) };
        Wire::of(self.0)
    }
}
