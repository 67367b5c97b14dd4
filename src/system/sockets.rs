//! Sockets, made and asked at once.

use super::errno::result;
use super::files::CLOSE_ON_EXEC;
use crate::functions::{Pair, Pushed, functions};
use crate::lua::{Bytes, Lua, Type};
use crate::sys;
use crate::values::address::{self, Address};
use crate::values::descriptor::descriptor;
use crate::values::fields;
use crate::values::integers::{bytes, int, integer};
use crate::values::optval::{INSTRUCTION, INSTRUCTIONS};
use std::ffi::{CStr, c_int};

functions! {
    /// `tcp_listen(addr, options or backlog?)`: a listening socket. See listen(2).
    fn tcp_listen(lua, address: address, options: options = Options::NONE) {
        make(&address, sys::SOCK_STREAM, |fd| {
            set(fd, sys::SOL_SOCKET as c_int, sys::SO_REUSEADDR as c_int, 1)?;
            options.set(fd)?;
            bind(fd, &address)?;
            // SAFETY: takes numbers only.
            done(unsafe { sys::listen(fd, options.backlog) })
        })
    }

    /// `tcp_connect(addr)`: a connected socket. Waits. See connect(2).
    fn tcp_connect(lua, address: address) {
        make(&address, sys::SOCK_STREAM, |fd| {
            // SAFETY: the address is live and as long as it says.
            done(unsafe { sys::luring_connect(fd, address.ptr(), address.len()) })
        })
    }

    /// `udp_bind(addr, options?)`: a socket for datagrams that arrive at `addr`. See udp(7).
    fn udp_bind(lua, address: address, options: datagram_options = Options::NONE) {
        make(&address, sys::SOCK_DGRAM, |fd| {
            options.set(fd)?;
            bind(fd, &address)
        })
    }

    /// `socket_fd(domain, type, protocol?)`. See socket(2).
    fn socket_fd(lua, domain: int, kind: int, protocol: int = 0) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::socket(domain, kind | CLOSE_ON_EXEC, protocol) })
    }

    /// `socketpair(domain?, type?, protocol?)`: two connected sockets. See socketpair(2).
    fn socketpair(lua, domain: int = sys::AF_UNIX as c_int, kind: int = sys::SOCK_STREAM as c_int,
        protocol: int = 0) {
        let mut ends = [0; 2];
        // SAFETY: there is room for two descriptors.
        let returned = unsafe { sys::socketpair(domain, kind | CLOSE_ON_EXEC, protocol, ends.as_mut_ptr()) };
        Pair(result(returned), ends)
    }

    /// `bind_fd(fd, addr)`. See bind(2).
    fn bind_fd(lua, fd: descriptor, address: address) {
        bind(fd, &address).err().unwrap_or(0)
    }

    /// `shutdown_fd(fd, how)`. See shutdown(2).
    fn shutdown_fd(lua, fd: descriptor, how: int) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::shutdown(fd, how) })
    }

    /// `getsockname(fd)`: the address that a socket is bound to. See getsockname(2).
    fn getsockname(lua, fd: descriptor) {
        let mut address = Address::room();
        let mut len = address.len();
        // SAFETY: the address has as much room as `len` says.
        let returned = result(unsafe { sys::luring_getsockname(fd, address.ptr_mut(), &mut len) });
        push_address(lua, returned, address, len)
    }

    /// `getpeername(fd)`: the address that a socket is connected to. See getpeername(2).
    fn getpeername(lua, fd: descriptor) {
        let mut address = Address::room();
        let mut len = address.len();
        // SAFETY: the address has as much room as `len` says.
        let returned = result(unsafe { sys::luring_getpeername(fd, address.ptr_mut(), &mut len) });
        push_address(lua, returned, address, len)
    }

    /// `getsockopt(fd, level, name)`: an option that is an integer. See getsockopt(2).
    fn getsockopt(lua, fd: descriptor, level: int, name: int) {
        let mut value = [0 as c_int; INSTRUCTION]; // room for as many instructions as an int has bytes
        let mut len = size_of::<c_int>() as sys::socklen_t;
        // SAFETY: the value is live and has the size given, even if that counts instructions.
        let returned = result(unsafe { sys::getsockopt(fd, level, name, value.as_mut_ptr().cast(), &mut len) });
        if returned < 0 { returned } else { value[0].into() }
    }

    /// `getsockopt_bytes(fd, level, name, optlen)`: an option as it is. See getsockopt(2).
    fn getsockopt_bytes(lua, fd: descriptor, level: int, name: int, optlen: optlen) {
        let is_filter = (level, name) == (sys::SOL_SOCKET as c_int, sys::SO_GET_FILTER as c_int);
        let (most, unit) = if is_filter { (optlen.min(INSTRUCTIONS), INSTRUCTION) } else { (optlen, 1) };
        let room = most as usize * unit;
        let value: *mut u8 = lua.push_userdata(room).cast();
        // Some options are questions: the kernel reads what is there first.
        // SAFETY: there is room for as many.
        unsafe { value.write_bytes(0, room) };
        let mut len: sys::socklen_t = most;
        // SAFETY: as above.
        let returned = result(unsafe { sys::getsockopt(fd, level, name, value.cast(), &mut len) });
        if returned < 0 {
            lua.push_integer(returned);
        } else {
            // SAFETY: the memory is on the stack, as a userdata.
            lua.push_bytes(unsafe { std::slice::from_raw_parts(value, len.min(most) as usize * unit) });
        }
        Pushed(1)
    }

    /// `setsockopt(fd, level, name, integer or string)`. See setsockopt(2).
    fn setsockopt(lua, fd: descriptor, level: int, name: int, value: value) {
        match value {
            Value::Number(value) => set(fd, level, name, value).err().unwrap_or(0),
            Value::Bytes(bytes) => {
                let len = bytes.len().try_into().unwrap_or(sys::socklen_t::MAX);
                // SAFETY: the string is on the stack. No option is as long as `MAX`.
                result(unsafe { sys::setsockopt(fd, level, name, bytes.cast(), len) })
            }
        }
    }
}

/// What failed: `-errno`.
type Done = Result<(), i64>;

fn done(returned: c_int) -> Done {
    match result(returned) {
        0.. => Ok(()),
        failed => Err(failed),
    }
}

/// A new socket of the address's family, once `then` has been done with it; `-errno` of what
/// failed otherwise, and nothing is left open.
fn make(address: &Address, kind: u32, then: impl FnOnce(c_int) -> Done) -> i64 {
    // SAFETY: takes numbers only.
    let fd = result(unsafe { sys::socket(address.family(), kind as c_int | CLOSE_ON_EXEC, 0) });
    if fd < 0 {
        return fd;
    }
    if let Err(failed) = then(fd as c_int) {
        // SAFETY: opened above, and nobody else knows it.
        unsafe { sys::close(fd as c_int) };
        return failed;
    }
    fd
}

fn bind(fd: c_int, address: &Address) -> Done {
    // SAFETY: the address is live and as long as it says.
    done(unsafe { sys::luring_bind(fd, address.ptr(), address.len()) })
}

fn set(fd: c_int, level: c_int, name: c_int, value: c_int) -> Done {
    // SAFETY: the value is live and has the size given.
    done(unsafe { sys::setsockopt(fd, level, name, (&raw const value).cast(), size_of::<c_int>() as _) })
}

fn push_address(lua: &mut Lua, returned: i64, mut address: Address, len: sys::socklen_t) -> Pushed {
    if returned < 0 {
        lua.push_integer(returned);
    } else {
        address.set_len(len);
        address::push_table(lua, &address);
    }
    Pushed(1)
}

fn address(lua: &mut Lua, index: c_int) -> Address {
    let top = lua.top();
    let address = Address::check(lua, index);
    lua.set_top(top); // a field that was read is no argument
    address
}

fn optlen(lua: &mut Lua, index: c_int) -> u32 {
    integer(lua, index, 0, c_int::MAX.into()) as u32
}

/// An option's value.
#[derive(Clone, Copy)]
enum Value {
    Number(c_int),
    Bytes(Bytes),
}

fn value(lua: &mut Lua, index: c_int) -> Value {
    match lua.kind(index) {
        Type::String => Value::Bytes(bytes(lua, index)),
        _ => Value::Number(int(lua, index)),
    }
}

/// What a new socket may be asked to be.
#[derive(Clone, Copy)]
struct Options {
    /// How many connections may wait to be accepted.
    backlog: c_int,
    reuseport: Option<c_int>,
    v6only: Option<c_int>,
    nodelay: Option<c_int>,
    /// How many connections that have sent data with their first packet may wait.
    fastopen: Option<c_int>,
}

impl Options {
    /// As many as the kernel lets wait.
    const BACKLOG: c_int = 4096;
    const NONE: Options =
        Options { backlog: Options::BACKLOG, reuseport: None, v6only: None, nodelay: None, fastopen: None };

    fn set(self, fd: c_int) -> Done {
        let options = [
            (sys::SOL_SOCKET, sys::SO_REUSEPORT, self.reuseport),
            (sys::IPPROTO_IPV6, sys::IPV6_V6ONLY, self.v6only),
            (sys::IPPROTO_TCP, sys::TCP_NODELAY, self.nodelay),
            (sys::IPPROTO_TCP, sys::TCP_FASTOPEN, self.fastopen),
        ];
        for (level, name, value) in options {
            if let Some(value) = value {
                set(fd, level as c_int, name as c_int, value)?;
            }
        }
        Ok(())
    }
}

/// The options of a listening socket, or its backlog alone. Raises.
fn options(lua: &mut Lua, index: c_int) -> Options {
    if lua.kind(index) != Type::Table {
        return Options { backlog: int(lua, index), ..Options::NONE };
    }
    fields::only(lua, index, &[c"backlog", c"reuseport", c"v6only", c"nodelay", c"fastopen"]);
    let most = c_int::MAX.into();
    Options {
        backlog: fields::integer(lua, index, c"backlog", Some(Options::BACKLOG.into()), 0, most) as c_int,
        reuseport: flag(lua, index, c"reuseport"),
        v6only: flag(lua, index, c"v6only"),
        nodelay: flag(lua, index, c"nodelay"),
        fastopen: match fields::integer(lua, index, c"fastopen", Some(-1), 0, most) {
            -1 => None,
            queue => Some(queue as c_int),
        },
    }
}

/// The options of a socket for datagrams. Raises.
fn datagram_options(lua: &mut Lua, index: c_int) -> Options {
    if lua.kind(index) != Type::Table {
        lua.type_error(index, c"table");
    }
    fields::only(lua, index, &[c"reuseport", c"v6only"]);
    let (reuseport, v6only) = (flag(lua, index, c"reuseport"), flag(lua, index, c"v6only"));
    Options { reuseport, v6only, ..Options::NONE }
}

fn flag(lua: &mut Lua, index: c_int, name: &CStr) -> Option<c_int> {
    fields::boolean(lua, index, name).map(c_int::from)
}
