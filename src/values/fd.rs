//! A descriptor, as an action's argument.

use super::arg::{Arg, Place};
use super::integers::int;
use crate::lua::Lua;
use crate::sys;
use std::ffi::c_int;

/// A file descriptor. The kernel, not the module, says whether it is one.
#[derive(Clone, Copy)]
pub struct Fd(pub c_int);

impl Arg for Fd {
    type Wire = c_int;

    #[inline]
    fn check(lua: &mut Lua, index: c_int) -> Fd {
        Fd(int(lua, index))
    }

    #[inline]
    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> c_int {
        self.0
    }

    #[inline]
    fn amend(self, _sqe: &mut sys::io_uring_sqe) {}
}
