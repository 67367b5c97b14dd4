//! What a ring is asked for.

use super::fields;
use crate::lua::{Lua, Type};
use crate::ring::Params;
use std::ffi::{CStr, c_int};

/// The names of the fields.
const FIELDS: [&CStr; 7] =
    [c"flags", c"cq_entries", c"sq_thread_idle", c"sq_thread_cpu", c"wq_fd", c"auto_submit", c"auto_seen"];

/// The table `{flags=, cq_entries=, sq_thread_idle=, sq_thread_cpu=, wq_fd=, auto_submit=,
/// auto_seen=}` at `index`, where each may be absent, and no other. Raises, and may run any Lua code.
pub fn check(lua: &mut Lua, index: c_int) -> Params {
    if lua.kind(index) != Type::Table {
        lua.type_error(index, c"table");
    }
    fields::only(lua, index, &FIELDS);
    let auto_submit = fields::boolean(lua, index, c"auto_submit").unwrap_or(false);
    let auto_seen = fields::boolean(lua, index, c"auto_seen").unwrap_or(false);
    let mut field = |name, least| match fields::integer(lua, index, name, Some(-1), least, u32::MAX.into()) {
        -1 => None,
        value => Some(value as u32),
    };
    Params {
        flags: field(c"flags", 0).unwrap_or(0),
        cq_entries: field(c"cq_entries", 1),
        sq_thread_idle: field(c"sq_thread_idle", 0),
        sq_thread_cpu: field(c"sq_thread_cpu", 0),
        wq_fd: field(c"wq_fd", 0),
        auto_submit,
        auto_seen,
    }
}
