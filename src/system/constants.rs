//! The C library's and the kernel's numbers that a program needs, under their C names: all
//! that the headers have of the kinds that build.rs lists.

use crate::lua::Lua;
use crate::ring::groups::INCREMENTAL;
use std::ffi::CStr;

/// Every name with its number.
pub const CONSTANTS: &[(&CStr, i64)] = include!(concat!(env!("OUT_DIR"), "/constants.rs"));

/// What older headers lack, and the module knows all the same.
const NEWER: [(&CStr, i64); 1] = [(c"IOU_PBUF_RING_INC", INCREMENTAL as i64)];

/// Sets them all in the table on top of the stack. May raise out of memory.
pub fn register(lua: &mut Lua) {
    for (name, value) in NEWER.iter().chain(CONSTANTS) {
        lua.push_integer(*value);
        lua.set_field(-2, name);
    }
}
