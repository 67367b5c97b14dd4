//! A descriptor as an action's argument: a number, a slot of the ring's table of files, or an
//! object that has one or the other.

use super::arg::{Arg, Place};
use super::descriptor::{SLOTS, descriptor, descriptor_or_slot};
use crate::lua::Lua;
use crate::sys::{self, flag};
use std::ffi::c_int;

/// A file descriptor, or a slot. The kernel, not the module, says whether it is one.
#[derive(Clone, Copy)]
pub struct Fd {
    number: c_int,
    slot: bool,
    /// Whether it is an object's: that is kept, or its descriptor would be closed, and the
    /// number be another file's, when the object is collected before the kernel looks at it.
    object: bool,
}

impl Fd {
    /// The number, and whether it is a slot's.
    #[inline]
    pub fn number(self) -> (c_int, bool) {
        (self.number, self.slot)
    }
}

impl Arg for Fd {
    type Wire = c_int;

    #[inline]
    fn quick(lua: &mut Lua, index: c_int) -> Option<Fd> {
        match lua.integer(index) {
            Ok(number) if (0..SLOTS.into()).contains(&number) => {
                Some(Fd { number: number as c_int, slot: false, object: false })
            }
            _ => None,
        }
    }

    fn check(lua: &mut Lua, index: c_int) -> Fd {
        let object = lua.integer(index).is_err();
        let number = descriptor_or_slot(lua, index);
        let slot = number >= SLOTS;
        Fd { number: if slot { number - SLOTS } else { number }, slot, object }
    }

    #[inline]
    fn is_anchored(self) -> bool {
        self.object
    }

    #[inline]
    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> c_int {
        self.number
    }

    #[inline]
    fn amend(self, sqe: &mut sys::io_uring_sqe) {
        if self.slot {
            sqe.flags |= FIXED_FILE;
        }
    }
}

/// What makes an SQE's descriptor a slot.
const FIXED_FILE: u8 = flag::IOSQE_FIXED_FILE as u8;

/// A folder's descriptor, or AT_FDCWD.
pub type Dir = NoSlot;

/// A descriptor where the kernel takes no slot.
#[derive(Clone, Copy)]
pub struct NoSlot {
    number: c_int,
    object: bool,
}

impl NoSlot {
    /// The number.
    pub fn number(self) -> c_int {
        self.number
    }
}

impl Arg for NoSlot {
    type Wire = c_int;

    fn check(lua: &mut Lua, index: c_int) -> NoSlot {
        let object = lua.integer(index).is_err();
        NoSlot { number: descriptor(lua, index), object }
    }

    fn is_anchored(self) -> bool {
        self.object
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> c_int {
        self.number
    }
}

/// A descriptor or a slot that is not the SQE's own, but splice's and tee's to read from.
#[derive(Clone, Copy)]
pub struct Input(Fd);

/// What splice and tee take.
#[derive(Clone, Copy)]
pub struct InputWire {
    /// The descriptor, or the slot.
    pub fd: c_int,
    /// The splice flag that says which.
    pub flag: u32,
}

impl Arg for Input {
    type Wire = InputWire;

    fn check(lua: &mut Lua, index: c_int) -> Input {
        Input(Fd::check(lua, index))
    }

    fn is_anchored(self) -> bool {
        self.0.is_anchored()
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> InputWire {
        let (fd, slot) = self.0.number();
        InputWire { fd, flag: if slot { sys::SPLICE_F_FD_IN_FIXED } else { 0 } }
    }
}

/// What is closed: a descriptor, or the file in a slot.
#[derive(Clone, Copy)]
pub struct Closing(Fd);

impl Arg for Closing {
    type Wire = c_int;

    fn check(lua: &mut Lua, index: c_int) -> Closing {
        Closing(Fd::check(lua, index))
    }

    fn is_anchored(self) -> bool {
        self.0.is_anchored()
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> c_int {
        match self.0.number() {
            (_, true) => 0,
            (fd, false) => fd,
        }
    }

    fn amend(self, sqe: &mut sys::io_uring_sqe) {
        if let (slot, true) = self.0.number() {
            super::slot::set_file_index(sqe, slot as u32);
        }
    }
}
