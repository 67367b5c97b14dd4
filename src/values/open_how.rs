//! How openat2 opens a file.

use super::arg::{Arg, Place, room};
use super::fields;
use crate::lua::{Lua, Type};
use std::ffi::c_int;

/// The kernel's struct of openat2(2): the headers of some systems lack it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct How {
    flags: u64,
    mode: u64,
    resolve: u64,
}

/// `{flags=, mode=, resolve=}`, each 0 where it is absent.
#[derive(Clone, Copy)]
pub struct OpenHow(How);

impl OpenHow {
    /// The flags of open.
    pub fn flags(self) -> u64 {
        self.0.flags
    }
}

impl Arg for OpenHow {
    type Wire = *mut How;

    fn check(lua: &mut Lua, index: c_int) -> OpenHow {
        if lua.kind(index) != Type::Table {
            lua.type_error(index, c"table");
        }
        fields::only(lua, index, &[c"flags", c"mode", c"resolve"]);
        let mut field = |name| fields::integer(lua, index, name, Some(0), 0, i64::MAX) as u64;
        OpenHow(How { flags: field(c"flags"), mode: field(c"mode"), resolve: field(c"resolve") })
    }

    fn room(self) -> usize {
        room(size_of::<How>())
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> *mut How {
        // SAFETY: `room` asked for it.
        unsafe { block.put(self.0) }
    }
}
