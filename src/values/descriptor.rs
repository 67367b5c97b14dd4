//! File descriptors: as integers, and as what objects of Lua and of other libraries have.

use super::fields::wrong;
use super::integers::int;
use crate::lua::{File, Lua, Message, Type};
use crate::sys;
use std::ffi::{CStr, c_int};

/// Where an object may have its descriptor, in a field or from a method: LuaSocket's, luv's
/// and cqueues's names, and the plain one.
const NAMES: [&CStr; 4] = [c"getfd", c"fileno", c"pollfd", c"fd"];

/// The number of the first slot of a ring's table of files, `luring.fixed(0)`, and those of the
/// other slots follow: no descriptor is as large.
pub const SLOTS: c_int = 1 << 30;

/// The descriptor at `index`, counted from the stack's bottom: an integer, a Lua file, or an
/// object that has one. The kernel, not the module, says whether an integer is one. Raises;
/// an object may run any Lua code.
pub fn descriptor(lua: &mut Lua, index: c_int) -> c_int {
    match descriptor_or_slot(lua, index) {
        SLOTS.. => no_slot(lua, index),
        fd => fd,
    }
}

/// Raises that the argument at `index` is a slot.
#[cold]
pub fn no_slot(lua: &mut Lua, index: c_int) -> ! {
    lua.argument_error(index, Message::new(format_args!("a slot can't be used here")))
}

/// As `descriptor`, where the kernel takes a slot too. Raises.
#[inline]
pub fn descriptor_or_slot(lua: &mut Lua, index: c_int) -> c_int {
    match lua.integer(index).map(c_int::try_from) {
        Ok(Ok(fd)) => fd,
        _ => of_object(lua, index).unwrap_or_else(|why| raise(lua, index, why)),
    }
}

/// The descriptor in a field of the argument at `index`, if there is one. Raises; an object may run
/// any Lua code.
pub fn field(lua: &mut Lua, index: c_int, field: &CStr) -> Option<c_int> {
    match field_or_slot(lua, index, field) {
        Some(SLOTS..) => wrong(lua, index, field, format_args!("a descriptor, and not a slot")),
        found => found,
    }
}

/// As `field`, where the kernel takes a slot too.
pub fn field_or_slot(lua: &mut Lua, index: c_int, field: &CStr) -> Option<c_int> {
    let absent = lua.get_field(index, field) == Type::Nil;
    let place = lua.top();
    let found = (!absent).then(|| match lua.integer(place).map(c_int::try_from) {
        Ok(Ok(fd)) => fd,
        _ => of_object(lua, place).unwrap_or_else(|_| wrong(lua, index, field, format_args!("a descriptor"))),
    });
    lua.pop();
    found
}

/// Why a value gives no descriptor.
#[derive(Clone, Copy)]
enum Why {
    /// It is something else, and no object.
    Other,
    /// It is an object that has none.
    Nothing,
    /// It is a file that has been closed.
    Closed,
    /// It is a file in memory.
    Memory,
    /// This is not what it should be.
    Answer(&'static CStr),
}

#[cold]
#[inline(never)]
fn of_object(lua: &mut Lua, index: c_int) -> Result<c_int, Why> {
    match (lua.file(index), lua.kind(index)) {
        (File::Closed, _) => Err(Why::Closed),
        // SAFETY: the file is open, and on the stack.
        (File::Open(file), _) => match unsafe { sys::fileno(file) } {
            -1 => Err(Why::Memory),
            fd => Ok(fd),
        },
        (File::No, Type::Table | Type::Userdata) if lua.has_fields(index) => asked(lua, index),
        (File::No, Type::Table | Type::Userdata) => Err(Why::Nothing),
        (File::No, _) => Err(Why::Other),
    }
}

/// What the object at `index` says that its descriptor is; a closed one may say -1.
fn asked(lua: &mut Lua, index: c_int) -> Result<c_int, Why> {
    for name in NAMES {
        let found = lua.ask(index, name);
        let answer = lua.integer(-1).map(c_int::try_from);
        lua.pop();
        match answer {
            Ok(Ok(fd @ 0..)) if found => return Ok(fd),
            _ if found => return Err(Why::Answer(name)),
            _ => {}
        }
    }
    Err(Why::Nothing)
}

impl Why {
    fn message(self) -> Message {
        match self {
            Why::Other | Why::Nothing => Message::new(format_args!("descriptor expected")),
            Why::Closed => Message::new(format_args!("file is closed")),
            Why::Memory => Message::new(format_args!("file has no descriptor")),
            Why::Answer(name) => {
                let name = name.to_str().unwrap_or_default();
                Message::new(format_args!("its '{name}' gives no descriptor"))
            }
        }
    }
}

#[cold]
fn raise(lua: &mut Lua, index: c_int, why: Why) -> ! {
    match why {
        Why::Other => {
            int(lua, index); // which says what is wrong
        }
        Why::Nothing => lua.type_error(index, c"descriptor"),
        _ => {}
    }
    lua.argument_error(index, why.message())
}

/// The descriptor on top of the stack, which is the element `number` of the list that is the
/// argument `index`, or a negative number that is left to the kernel. Raises.
pub fn element(lua: &mut Lua, index: c_int, number: usize) -> c_int {
    let top = lua.top();
    match lua.integer(top).map(c_int::try_from) {
        Ok(Ok(fd)) if fd < SLOTS => fd,
        Ok(_) => lua
            .argument_error(index, Message::new(format_args!("element {number}: no descriptor is as large"))),
        Err(_) => match of_object(lua, top) {
            Ok(fd) if fd < SLOTS => fd,
            Ok(_) => {
                let message = Message::new(format_args!("element {number}: a slot can't be used here"));
                lua.argument_error(index, message)
            }
            Err(why) => {
                let message = why.message();
                let words = std::str::from_utf8(message.as_bytes()).unwrap_or_default();
                lua.argument_error(index, Message::new(format_args!("element {number}: {words}")))
            }
        },
    }
}
