//! The functions that take no ring: `functions!` makes a file's table of them.

use crate::lua::Lua;
use crate::rows::Entry;
use crate::values::integers::integer;
use std::ffi::c_int;

/// A file's functions, by the names that Lua calls them by.
pub type Table = &'static [Entry];

/// What a function gives to Lua.
pub trait Answer {
    /// Pushes it, and gives the number of values.
    fn push(self, lua: &mut Lua) -> c_int;
}

impl Answer for i64 {
    fn push(self, lua: &mut Lua) -> c_int {
        lua.push_integer(self);
        1
    }
}

/// This many values, which are on top of the stack.
pub struct Pushed(pub c_int);

impl Answer for Pushed {
    fn push(self, _lua: &mut Lua) -> c_int {
        self.0
    }
}

/// Two descriptors, or what failed instead.
pub struct Pair(pub i64, pub [c_int; 2]);

impl Answer for Pair {
    fn push(self, lua: &mut Lua) -> c_int {
        if self.0 < 0 {
            return self.0.push(lua);
        }
        lua.push_integer(self.1[0].into());
        lua.push_integer(self.1[1].into());
        2
    }
}

/// A C `unsigned int`. Raises.
pub fn unsigned(lua: &mut Lua, index: c_int) -> u32 {
    integer(lua, index, 0, u32::MAX.into()) as u32
}

/// A 64-bit integer. Raises.
pub fn long(lua: &mut Lua, index: c_int) -> i64 {
    integer(lua, index, i64::MIN, i64::MAX)
}

/// Defines functions and the file's table `FUNCTIONS` of them.
///
/// An argument's kind is a function that takes it from its place of the stack, or raises; with
/// a default it may be absent. It leaves the stack as it was, or the next argument would be
/// taken from what it left: only the last may push. A string stays on the stack, and so alive.
macro_rules! functions {
    ($($(#[$doc:meta])*
    fn $name:ident($lua:ident $(, $arg:ident: $kind:ident $(= $default:expr)?)*) $body:block)*) => {
        $(
            $(#[$doc])*
            unsafe extern "C-unwind" fn $name(state: $crate::lua::RawState) -> std::ffi::c_int {
                // SAFETY: Lua calls with a live state.
                let $lua = &mut unsafe { $crate::lua::Lua::new(state) };
                let _place = 0;
                $(
                    let _place = _place + 1;
                    let $arg = $crate::functions::argument!($lua, _place, $kind $(, $default)?);
                )*
                let answer = $body;
                $crate::functions::Answer::push(answer, $lua)
            }
        )*

        /// This file's functions.
        pub const FUNCTIONS: $crate::functions::Table =
            &[$(($crate::rows::c_name(concat!(stringify!($name), "\0")), $name),)*];
    };
}

macro_rules! argument {
    ($lua:ident, $place:expr, $kind:ident) => {
        $kind($lua, $place)
    };
    ($lua:ident, $place:expr, $kind:ident, $default:expr) => {
        if $lua.absent($place) { $default } else { $kind($lua, $place) }
    };
}

pub(crate) use {argument, functions};
