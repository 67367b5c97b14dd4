//! The fields of tables that are arguments. An error names the argument and the field.

use crate::lua::{Bytes, Lua, Message, Type};
use std::ffi::{CStr, c_int};
use std::fmt::Arguments;

/// Raises that a field of the argument at `index` is not what was expected.
#[cold]
pub fn wrong(lua: &mut Lua, index: c_int, field: &CStr, expected: Arguments) -> ! {
    let field = field.to_str().unwrap_or_default();
    lua.argument_error(index, Message::new(format_args!("field '{field}' must be {expected}")))
}

/// The integer in a field, between two bounds; it may be absent when there is a default.
/// Raises, and may run any Lua code.
pub fn integer(
    lua: &mut Lua,
    index: c_int,
    field: &CStr,
    default: Option<i64>,
    least: i64,
    most: i64,
) -> i64 {
    integer_in(lua, index, index, field, default, least, most)
}

/// As `integer`, of a table at `table`, which is a part of the argument `index`.
pub fn integer_in(
    lua: &mut Lua,
    index: c_int,
    table: c_int,
    field: &CStr,
    default: Option<i64>,
    least: i64,
    most: i64,
) -> i64 {
    let kind = lua.get_field(table, field);
    let value = match default {
        Some(default) if kind == Type::Nil => default,
        _ => match lua.integer(-1) {
            Ok(value) if least <= value && value <= most => value,
            _ => wrong(lua, index, field, format_args!("an integer from {least} to {most}")),
        },
    };
    lua.pop();
    value
}

/// The boolean in a field, if there is one. Raises, and may run any Lua code.
pub fn boolean(lua: &mut Lua, index: c_int, field: &CStr) -> Option<bool> {
    let value = match lua.get_field(index, field) {
        Type::Nil => None,
        Type::Boolean => Some(lua.boolean(-1)),
        _ => wrong(lua, index, field, format_args!("a boolean")),
    };
    lua.pop();
    value
}

/// The path that is on top, and in a field. It stays there, and so alive. Raises.
pub fn path(lua: &mut Lua, index: c_int, field: &CStr) -> Bytes {
    match lua.bytes(-1) {
        // SAFETY: the string is on the stack.
        Some(path) if !unsafe { &*path }.contains(&0) => path,
        _ => wrong(lua, index, field, format_args!("a path without zero bytes")),
    }
}

/// Raises unless every key in the table at `index` is one of these names: what is misspelt, or
/// given by its place, would go unnoticed.
pub fn only(lua: &mut Lua, index: c_int, names: &[&CStr]) {
    only_with(lua, index, names, false);
}

/// As `only`, of a table that is a list as well.
pub fn only_beside_list(lua: &mut Lua, index: c_int, names: &[&CStr]) {
    only_with(lua, index, names, true);
}

fn only_with(lua: &mut Lua, index: c_int, names: &[&CStr], is_list: bool) {
    lua.push_nil();
    while lua.next(index) {
        lua.pop();
        match lua.kind(-1) {
            Type::String => {
                let name = lua.bytes(-1).unwrap_or(&[]);
                // SAFETY: the string is on the stack.
                let name = unsafe { &*name };
                if !names.iter().any(|known| known.to_bytes() == name) {
                    let name = Message::new(format_args!("unknown field '{}'", name.escape_ascii()));
                    lua.argument_error(index, name);
                }
            }
            Type::Number => match lua.integer(-1) {
                // Lua's own `arg` has some before its first.
                Ok(_) if is_list => {}
                Ok(number) => {
                    lua.argument_error(index, Message::new(format_args!("unknown field [{number}]")))
                }
                Err(_) => no_name(lua, index),
            },
            _ => no_name(lua, index),
        }
    }
}

#[cold]
fn no_name(lua: &mut Lua, index: c_int) -> ! {
    lua.argument_error(index, Message::new(format_args!("a field's name must be a string")))
}
