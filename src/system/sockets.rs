//! Synchronous helpers for sockets, so that a program needs no other module.

use super::files::{push_pair, result};
use crate::lua::{Lua, RawState};
use crate::sys;
use crate::values::address::{Address, push_table};
use crate::values::descriptor::descriptor;
use crate::values::integers as args;
use std::ffi::c_int;

/// As many connections as the kernel lets wait to be accepted.
const BACKLOG: c_int = 4096;

/// A new stream socket of the address's family, once `then` has been done with it;
/// `-errno` of what failed otherwise, and nothing is left open.
fn stream(address: &Address, then: impl FnOnce(c_int) -> i64) -> i64 {
    let kind = (sys::SOCK_STREAM | sys::SOCK_CLOEXEC) as c_int;
    // SAFETY: takes numbers only.
    let fd = result(unsafe { sys::socket(address.family(), kind, 0) });
    if fd < 0 {
        return fd;
    }
    let done = then(fd as c_int);
    if done < 0 {
        // SAFETY: opened above, and nobody else knows it.
        unsafe { sys::close(fd as c_int) };
        return done;
    }
    fd
}

/// `tcp_listen(addr, backlog?)`: a listening socket, or `-errno`. See listen(2).
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn tcp_listen(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let backlog = args::optional_int(lua, 2, BACKLOG);
    let address = Address::check(lua, 1);
    let fd = stream(&address, |fd| {
        let yes: c_int = 1;
        // SAFETY: the pointers are to live values of the sizes given.
        let returned = unsafe {
            let (level, name) = (sys::SOL_SOCKET as c_int, sys::SO_REUSEADDR as c_int);
            sys::setsockopt(fd, level, name, (&raw const yes).cast(), size_of::<c_int>() as _);
            match sys::luring_bind(fd, address.ptr(), address.len()) {
                0 => sys::listen(fd, backlog),
                failed => failed,
            }
        };
        result(returned)
    });
    lua.push_integer(fd);
    1
}

/// `tcp_connect(addr)`: a connected socket, or `-errno`. Waits. See connect(2).
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn tcp_connect(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let address = Address::check(lua, 1);
    // SAFETY: the address is live and as long as it says.
    let fd = stream(&address, |fd| result(unsafe { sys::luring_connect(fd, address.ptr(), address.len()) }));
    lua.push_integer(fd);
    1
}

/// `getsockname(fd)`: the address that a socket is bound to, or `-errno`. See getsockname(2).
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn getsockname(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let fd = descriptor(lua, 1);
    let mut address = Address::room();
    let mut len = address.len();
    // SAFETY: the address has as much room as `len` says.
    let returned = result(unsafe { sys::luring_getsockname(fd, address.ptr_mut(), &mut len) });
    if returned < 0 {
        lua.push_integer(returned);
    } else {
        address.set_len(len);
        push_table(lua, &address);
    }
    1
}

/// `socketpair(domain?, type?, protocol?)`: two connected sockets, or `-errno`. See
/// socketpair(2).
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn socketpair(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let domain = args::optional_int(lua, 1, sys::AF_UNIX as c_int);
    let kind = args::optional_int(lua, 2, sys::SOCK_STREAM as c_int);
    let protocol = args::optional_int(lua, 3, 0);
    let mut ends = [0; 2];
    // SAFETY: there is room for two descriptors.
    let returned = result(unsafe { sys::socketpair(domain, kind, protocol, ends.as_mut_ptr()) });
    push_pair(lua, returned, ends)
}
