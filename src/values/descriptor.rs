//! File descriptors: as integers, and as what objects of Lua and of other libraries have.

use super::integers::int;
use crate::lua::{File, Lua, Message, Type};
use crate::sys;
use std::ffi::{CStr, c_int};

/// Where an object may have its descriptor, in a field or from a method: LuaSocket's, luv's
/// and cqueues's names, and the plain one.
const NAMES: [&CStr; 4] = [c"getfd", c"fileno", c"pollfd", c"fd"];

/// The descriptor at `index`, counted from the stack's bottom: an integer, a Lua file, or an
/// object that has one. The kernel, not the module, says whether an integer is one. Raises;
/// an object may run any Lua code.
#[inline]
pub fn descriptor(lua: &mut Lua, index: c_int) -> c_int {
    match lua.integer(index).map(c_int::try_from) {
        Ok(Ok(fd)) => fd,
        _ => of_object(lua, index),
    }
}

#[cold]
#[inline(never)]
fn of_object(lua: &mut Lua, index: c_int) -> c_int {
    match (lua.file(index), lua.kind(index)) {
        (File::Closed, _) => lua.argument_error(index, Message::new(format_args!("file is closed"))),
        // SAFETY: the file is open, and on the stack.
        (File::Open(file), _) => match unsafe { sys::fileno(file) } {
            -1 => lua.argument_error(index, Message::new(format_args!("file has no descriptor"))),
            fd => fd,
        },
        (File::No, Type::Table | Type::Userdata) if lua.has_fields(index) => asked(lua, index),
        (File::No, Type::Table | Type::Userdata) => lua.type_error(index, c"descriptor"),
        (File::No, _) => int(lua, index), // which says what is wrong
    }
}

/// What the object at `index` says that its descriptor is. Raises.
fn asked(lua: &mut Lua, index: c_int) -> c_int {
    for name in NAMES {
        if lua.ask(index, name) {
            return answer(lua, index, name);
        }
        lua.pop();
    }
    lua.type_error(index, c"descriptor")
}

/// The descriptor on top, which an object gave for `name`: a closed one gives -1. Pops it.
fn answer(lua: &mut Lua, index: c_int, name: &CStr) -> c_int {
    match lua.integer(-1).map(c_int::try_from) {
        Ok(Ok(fd @ 0..)) => {
            lua.pop();
            fd
        }
        _ => {
            let name = name.to_str().unwrap_or_default();
            lua.argument_error(index, Message::new(format_args!("its '{name}' gives no descriptor")))
        }
    }
}
