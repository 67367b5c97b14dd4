//! How a ring looks for what arrives from the network.

use super::arg::{Arg, Place};
use super::fields;
use crate::lua::{Lua, Type};
use crate::ring::registered;
use std::ffi::c_int;

/// `{busy_poll_to=, prefer_busy_poll=}`: microseconds, and a boolean.
#[derive(Clone, Copy)]
pub struct Napi(pub registered::Napi);

impl Arg for Napi {
    type Wire = ();

    fn check(lua: &mut Lua, index: c_int) -> Napi {
        if lua.kind(index) != Type::Table {
            lua.type_error(index, c"table");
        }
        let timeout = fields::integer(lua, index, c"busy_poll_to", None, 0, u32::MAX.into()) as u32;
        let prefer = {
            lua.get_field(index, c"prefer_busy_poll");
            lua.truth(-1)
        };
        lua.pop();
        Napi(registered::Napi::new(timeout, prefer))
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) {}
}
