//! The fields of tables that are arguments. An error names the argument and the field.

use crate::lua::{Lua, Message, Type};
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
    let kind = lua.get_field(index, field);
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
