//! The key of another action, as an argument.

use super::arg::{Arg, Place};
use crate::lua::{Lua, Type};
use std::ffi::c_int;

/// What a function that queues an action has given. One that has ended is no error: that is
/// a race which a program can't win, and the kernel says so.
#[derive(Clone, Copy)]
pub struct Key(pub u64);

impl Arg for Key {
    type Wire = u64;

    fn check(lua: &mut Lua, index: c_int) -> Key {
        if lua.kind(index) != Type::Light {
            lua.type_error(index, c"key");
        }
        Key(lua.pointer(index) as u64)
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> u64 {
        self.0
    }
}
