//! A list of descriptors, for a ring's table of files.

use super::arg::{Arg, Extent, Place};
use super::descriptor::element;
use super::integers::integer;
use super::slot::Head;
use crate::lua::{Lua, Message, Type};
use std::ffi::c_int;

/// As many as a ring's table of files can have.
const MOST: usize = 1 << 20;

/// Descriptors, and the objects that they are of: -1 is none, and makes a slot empty,
/// IORING_REGISTER_FILES_SKIP (-2) leaves a slot as it is.
#[derive(Clone, Copy)]
pub struct Descriptors {
    ptr: *mut c_int,
    len: u32,
    objects: bool,
}

impl Descriptors {
    /// `len` times -1. May raise out of memory; leaves a value on the stack, which they are in.
    fn empty(lua: &mut Lua, len: usize) -> Descriptors {
        // One byte more: it is as large as no object, or a program's numbers might be taken for one.
        let ptr: *mut c_int = lua.push_userdata(len * size_of::<c_int>() + 1).cast();
        // SAFETY: Lua has just made it that large. -1 is all ones.
        unsafe { ptr.write_bytes(0xff, len) };
        Descriptors { ptr, len: len as u32, objects: false }
    }

    /// Where they are while they are on the stack.
    pub fn wire(self) -> Extent<c_int> {
        Extent { ptr: self.ptr, len: self.len }
    }
}

impl Arg for Descriptors {
    type Wire = Extent<c_int>;

    /// Replaces the list by a copy that no other Lua code can change, and that keeps the objects.
    fn check(lua: &mut Lua, index: c_int) -> Descriptors {
        if lua.kind(index) != Type::Table {
            lua.type_error(index, c"table");
        }
        let len = lua.raw_len(index);
        if len > MOST {
            lua.argument_error(index, Message::new(format_args!("a list of more than {MOST} descriptors")));
        }
        let mut all = Descriptors::empty(lua, len);
        let copy = lua.top();
        lua.push_table();
        let (objects, mut kept) = (copy + 1, 0);
        for number in 1..=len {
            lua.raw_get(index, number as u32);
            let fd = element(lua, index, number);
            // SAFETY: there is room for `len`.
            unsafe { all.ptr.add(number - 1).write(fd) };
            if lua.integer(-1).is_err() {
                kept += 1;
                lua.raw_set(objects, kept);
            } else {
                lua.pop();
            }
        }
        all.objects = kept > 0;
        lua.set_user_table(copy);
        lua.replace(index);
        all
    }

    fn front(self) -> usize {
        size_of::<Head>() + self.len as usize * size_of::<c_int>()
    }

    fn room(self) -> usize {
        self.front()
    }

    fn is_anchored(self) -> bool {
        self.objects
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> Extent<c_int> {
        let head = block.front().cast::<Head>();
        let copy = head.wrapping_add(1).cast::<c_int>();
        // SAFETY: they are on the stack, and the front has the room that was asked for.
        unsafe {
            head.write(Head::chosen(self.len));
            copy.copy_from_nonoverlapping(self.ptr, self.len as usize);
        }
        Extent { ptr: copy, len: self.len }
    }
}

/// A new table of files: a list of descriptors, or how many slots it has, all empty.
#[derive(Clone, Copy)]
pub struct Files(pub Extent<c_int>);

impl Arg for Files {
    type Wire = Extent<c_int>;

    fn check(lua: &mut Lua, index: c_int) -> Files {
        if lua.kind(index) == Type::Table {
            return Files(Descriptors::check(lua, index).wire());
        }
        let count = integer(lua, index, 0, MOST as i64);
        let all = Descriptors::empty(lua, count as usize);
        lua.replace(index);
        Files(all.wire())
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> Extent<c_int> {
        self.0
    }
}
