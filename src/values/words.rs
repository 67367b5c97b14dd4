//! Lists of C strings: a program's arguments, and its environment.

use super::fields::wrong;
use crate::lua::{Lua, Message, Type};
use std::ffi::{CStr, c_char, c_int};
use std::ptr::null_mut;

/// Pointers to strings, then null. Lua keeps the pointers and the strings: valid as long as
/// what was pushed for it stays on the stack.
#[derive(Clone, Copy)]
pub struct Words(*const *mut c_char);

impl Words {
    /// The environment of this program.
    ///
    /// # Safety
    /// `words` is a list of C strings that ends with null.
    pub unsafe fn new(words: *const *mut c_char) -> Words {
        Words(words)
    }

    /// For C.
    pub fn ptr(self) -> *const *mut c_char {
        self.0
    }

    /// The first of them, if there is one.
    pub fn first(self) -> *const c_char {
        // SAFETY: there is a null at least.
        unsafe { *self.0 }
    }
}

/// The strings in the list at `index`. Pushes two values. Raises.
pub fn list(lua: &mut Lua, index: c_int) -> Words {
    lua.push_table();
    let mut count = 0;
    while lua.raw_get(index, count + 1) != Type::Nil {
        count += 1;
        if !is_word(lua) {
            let text = Message::new(format_args!("word {count} must be a string without zero bytes"));
            lua.argument_error(index, text);
        }
        lua.raw_set(-2, count);
    }
    lua.pop();
    pointers(lua, count)
}

/// The strings `name=value` of the table that is in a field of the one at `index`, and on top.
/// Pushes two values. Raises.
pub fn settings(lua: &mut Lua, index: c_int, field: &CStr) -> Words {
    let table = lua.top();
    if lua.kind(table) != Type::Table {
        wrong(lua, index, field, format_args!("a table"));
    }
    lua.push_table();
    let list = lua.top();
    let mut count = 0;
    lua.push_nil();
    while lua.next(table) {
        let name_is_right = lua.kind(-2) == Type::String && is_name(lua);
        if !name_is_right || !is_word(lua) {
            wrong(lua, index, field, format_args!("a table from names to strings without zero bytes"));
        }
        // On the stack: name, value, and then name, "=", value.
        lua.push_copy(-2);
        lua.push_text(c"=");
        lua.push_copy(-3);
        lua.concat(3);
        count += 1;
        lua.raw_set(list, count);
        lua.pop();
    }
    pointers(lua, count)
}

/// Whether the value on top is a string that C can have; a number becomes one.
fn is_word(lua: &mut Lua) -> bool {
    // SAFETY: the string is on the stack.
    lua.bytes(-1).is_some_and(|bytes| unsafe { !(*bytes).contains(&0) })
}

/// Whether the string below the top can be a variable's name.
fn is_name(lua: &mut Lua) -> bool {
    // SAFETY: the string is on the stack.
    let name = lua.bytes(-2).map(|bytes| unsafe { &*bytes }).unwrap_or_default();
    !name.is_empty() && !name.iter().any(|byte| matches!(byte, 0 | b'='))
}

/// Pushes the pointers to the first `count` strings of the list on top, which nobody else has.
fn pointers(lua: &mut Lua, count: u32) -> Words {
    let room = (count as usize + 1) * size_of::<*mut c_char>();
    let pointers: *mut *mut c_char = lua.push_userdata(room).cast();
    for number in 1..=count {
        lua.raw_get(-2, number);
        let word = lua.bytes(-1).map_or(null_mut(), |bytes| bytes.cast_mut().cast());
        // SAFETY: there is room for `count` pointers and a null.
        unsafe { pointers.add(number as usize - 1).write(word) };
        lua.pop();
    }
    // SAFETY: as above.
    unsafe { pointers.add(count as usize).write(null_mut()) };
    Words(pointers)
}
