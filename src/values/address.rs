//! Socket addresses, as Lua tables in luaposix's manner and as the kernel has them.

use super::arg::{Arg, Extent, Place, room};
use super::fields::{self, wrong};
use super::integers::bytes;
use crate::lua::{Lua, Message, Type};
use crate::sys;
use std::ffi::{CStr, c_int};
use std::mem::{transmute, zeroed};
use std::net::{Ipv4Addr, Ipv6Addr};

/// An address and how much of it is used.
#[derive(Clone, Copy)]
pub struct Address {
    storage: sys::sockaddr_storage,
    len: sys::socklen_t,
}

/// How many bytes a Unix socket's path may have.
const PATH_ROOM: usize = size_of::<sys::sockaddr_un>() - PATH_AT;
/// Where the path begins: after the family.
const PATH_AT: usize = 2;

impl Address {
    /// As much room as any address needs.
    pub fn room() -> Address {
        // SAFETY: numbers only, which may be zero.
        Address { storage: unsafe { zeroed() }, len: size_of::<sys::sockaddr_storage>() as _ }
    }

    /// # Safety
    /// `T` is a sockaddr of some family.
    unsafe fn of<T: Copy>(address: T) -> Address {
        let mut new = Address::room();
        // SAFETY: a sockaddr_storage has room for any address, and is aligned for it.
        unsafe { (&raw mut new.storage).cast::<T>().write(address) };
        new.len = size_of::<T>() as _;
        new
    }

    /// What the kernel has written, with the length that it said.
    pub fn from_storage(storage: sys::sockaddr_storage, len: sys::socklen_t) -> Address {
        let mut address = Address { storage, len: 0 };
        address.set_len(len);
        address
    }

    /// A packed sockaddr, unless that can't be one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Address> {
        let mut address = Address::room();
        let room = address.len as usize;
        if !(PATH_AT..=room).contains(&bytes.len()) {
            return None;
        }
        // SAFETY: there is room, tested above.
        unsafe { address.ptr_mut().cast::<u8>().copy_from(bytes.as_ptr(), bytes.len()) };
        address.len = bytes.len() as _;
        (address.family() <= u8::MAX.into()).then_some(address)
    }

    /// AF_INET, AF_INET6, ...
    pub fn family(&self) -> c_int {
        self.storage.ss_family.into()
    }

    /// For the kernel to read.
    pub fn ptr(&self) -> *const sys::sockaddr {
        (&raw const self.storage).cast()
    }

    /// For the kernel to write.
    pub fn ptr_mut(&mut self) -> *mut sys::sockaddr {
        (&raw mut self.storage).cast()
    }

    /// How many bytes are used.
    pub fn len(&self) -> sys::socklen_t {
        self.len
    }

    /// Notes how many bytes the kernel used, which may be more than there was room for.
    pub fn set_len(&mut self, len: sys::socklen_t) {
        self.len = len.min(size_of::<sys::sockaddr_storage>() as _);
    }

    fn bytes(&self) -> &[u8] {
        let all: *const u8 = (&raw const self.storage).cast();
        // SAFETY: the storage is that large, and all of it initialised.
        unsafe { std::slice::from_raw_parts(all, self.len as usize) }
    }

    /// The address that is the argument at `index`: a table, or a packed sockaddr. Raises.
    pub fn check(lua: &mut Lua, index: c_int) -> Address {
        match lua.kind(index) {
            Type::Table => from_table(lua, index),
            Type::String => packed(lua, index),
            _ => lua.type_error(index, c"table"),
        }
    }
}

impl Arg for Address {
    type Wire = Extent<sys::sockaddr>;

    fn check(lua: &mut Lua, index: c_int) -> Address {
        let top = lua.top();
        let address = Address::check(lua, index);
        lua.set_top(top); // what lies behind the arguments would be taken for a callback
        address
    }

    fn room(self) -> usize {
        room(self.len as usize)
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> Extent<sys::sockaddr> {
        let copy = block.values::<u8>(self.len as usize);
        // SAFETY: `room` asked for so many bytes, and the address has them.
        unsafe { copy.copy_from_nonoverlapping(self.ptr().cast(), self.len as usize) };
        Extent { ptr: copy.cast(), len: self.len }
    }
}

/// The packed sockaddr that a string is. No text begins with a family, which is a small number.
fn packed(lua: &mut Lua, index: c_int) -> Address {
    let bytes = bytes(lua, index);
    // SAFETY: the string is on the stack.
    if let Some(address) = Address::from_bytes(unsafe { &*bytes }) {
        return address;
    }
    let room = size_of::<sys::sockaddr_storage>();
    let text = match (PATH_AT..=room).contains(&bytes.len()) {
        true => Message::new(format_args!("neither a packed address nor a table with family, addr and port")),
        false => Message::new(format_args!("a packed address has {PATH_AT} to {room} bytes")),
    };
    lua.argument_error(index, text)
}

fn from_table(lua: &mut Lua, index: c_int) -> Address {
    match number(lua, index, c"family", None, u16::MAX.into()) {
        sys::AF_INET => inet(lua, index),
        sys::AF_INET6 => inet6(lua, index),
        sys::AF_UNIX => unix(lua, index),
        _ => wrong(lua, index, c"family", format_args!("AF_INET, AF_INET6 or AF_UNIX")),
    }
}

fn inet(lua: &mut Lua, index: c_int) -> Address {
    let port = number(lua, index, c"port", None, u16::MAX.into()) as u16;
    let Some(address) = text(lua, index).and_then(|text| text.parse::<Ipv4Addr>().ok()) else {
        wrong(lua, index, c"addr", format_args!("a numeric IPv4 address"))
    };
    // SAFETY: numbers only, which may be zero.
    let mut inet: sys::sockaddr_in = unsafe { zeroed() };
    inet.sin_family = sys::AF_INET as _;
    inet.sin_port = port.to_be();
    inet.sin_addr.s_addr = u32::from_ne_bytes(address.octets());
    // SAFETY: it is one.
    unsafe { Address::of(inet) }
}

fn inet6(lua: &mut Lua, index: c_int) -> Address {
    let port = number(lua, index, c"port", None, u16::MAX.into()) as u16;
    let scope = number(lua, index, c"scope_id", Some(0), u32::MAX);
    let flow = number(lua, index, c"flowinfo", Some(0), u32::MAX);
    let Some(address) = text(lua, index).and_then(|text| text.parse::<Ipv6Addr>().ok()) else {
        wrong(lua, index, c"addr", format_args!("a numeric IPv6 address"))
    };
    // SAFETY: numbers only, which may be zero.
    let mut inet6: sys::sockaddr_in6 = unsafe { zeroed() };
    inet6.sin6_family = sys::AF_INET6 as _;
    inet6.sin6_port = port.to_be();
    inet6.sin6_flowinfo = flow.to_be();
    inet6.sin6_scope_id = scope;
    // SAFETY: an in6_addr is sixteen bytes, whatever a C library calls its fields.
    inet6.sin6_addr = unsafe { transmute::<[u8; 16], sys::in6_addr>(address.octets()) };
    // SAFETY: it is one.
    unsafe { Address::of(inet6) }
}

fn unix(lua: &mut Lua, index: c_int) -> Address {
    lua.get_field(index, c"path");
    let mut address = Address::room();
    address.storage.ss_family = sys::AF_UNIX as _;
    match lua.bytes(-1) {
        // A path ends with a NUL where there is room for one; an abstract name begins with one, and
        // counts to its end.
        Some(path) if path.len() <= PATH_ROOM => {
            // SAFETY: the string is on the stack, or in the table; there is room.
            let bytes = unsafe {
                address.ptr_mut().cast::<u8>().add(PATH_AT).copy_from(path.cast(), path.len());
                &*path
            };
            let is_path = bytes.first().is_some_and(|first| *first != 0);
            if is_path && bytes.contains(&0) {
                wrong(lua, index, c"path", format_args!("a path without zero bytes"));
            }
            address.len = (PATH_AT + PATH_ROOM.min(path.len() + is_path as usize)) as _;
        }
        _ => wrong(lua, index, c"path", format_args!("a path of at most {PATH_ROOM} bytes")),
    }
    lua.pop();
    address
}

/// The number in a field, which may be absent when there is a default. Raises.
fn number(lua: &mut Lua, index: c_int, field: &CStr, default: Option<u32>, most: u32) -> u32 {
    fields::integer(lua, index, field, default.map(i64::from), 0, most.into()) as u32
}

/// The text in the field `addr`: it is valid as long as the table has it. Raises.
fn text<'a>(lua: &mut Lua, index: c_int) -> Option<&'a str> {
    lua.get_field(index, c"addr");
    // Left on the stack, which keeps it alive until the function returns.
    let bytes = lua.bytes(-1)?;
    // SAFETY: on the stack.
    std::str::from_utf8(unsafe { &*bytes }).ok()
}

/// Pushes an address as a table. May raise out of memory.
pub fn push_table(lua: &mut Lua, address: &Address) {
    lua.push_table();
    let mut field = |name, value: i64| {
        lua.push_integer(value);
        lua.set_field(-2, name);
    };
    field(c"family", address.family().into());
    match address.family() as u32 {
        sys::AF_INET => {
            // SAFETY: the family says that it is one, and there is room for one in any case.
            let inet: sys::sockaddr_in = unsafe { address.ptr().cast::<sys::sockaddr_in>().read() };
            field(c"port", u16::from_be(inet.sin_port).into());
            push_addr(
                lua,
                Message::new(format_args!("{}", Ipv4Addr::from(inet.sin_addr.s_addr.to_ne_bytes()))),
            );
        }
        sys::AF_INET6 => {
            // SAFETY: as above; all of its bytes are plain numbers.
            let (inet6, octets) = unsafe {
                let inet6: sys::sockaddr_in6 = address.ptr().cast::<sys::sockaddr_in6>().read();
                (inet6, transmute::<sys::in6_addr, [u8; 16]>(inet6.sin6_addr))
            };
            field(c"port", u16::from_be(inet6.sin6_port).into());
            field(c"flowinfo", u32::from_be(inet6.sin6_flowinfo).into());
            field(c"scope_id", inet6.sin6_scope_id.into());
            push_addr(lua, Message::new(format_args!("{}", Ipv6Addr::from(octets))));
        }
        sys::AF_UNIX => {
            let path = address.bytes().get(PATH_AT..).unwrap_or_default();
            let end = match path.first() {
                Some(0) | None => path.len(),
                Some(_) => path.iter().position(|byte| *byte == 0).unwrap_or(path.len()),
            };
            lua.push_bytes(path.get(..end).unwrap_or_default());
            lua.set_field(-2, c"path");
        }
        _ => {}
    }
}

fn push_addr(lua: &mut Lua, text: Message) {
    lua.push_bytes(text.as_bytes());
    lua.set_field(-2, c"addr");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{Dice, rounds};

    #[test]
    fn a_packed_address_is_what_it_was_made_of() {
        let most = size_of::<sys::sockaddr_storage>();
        for seed in 0..rounds(1000) as u64 {
            let mut dice = Dice::new(seed);
            let mut bytes: Vec<u8> = (0..dice.below(most + 10)).map(|_| dice.any() as u8).collect();
            if let Some(byte) = bytes.get_mut(1).filter(|_| seed % 4 > 0) {
                *byte = 0; // of a family, on a little-endian machine
            }
            let family = bytes.first_chunk().map(|bytes| c_int::from(u16::from_ne_bytes(*bytes)));
            match Address::from_bytes(&bytes) {
                Some(mut address) => {
                    assert_eq!((address.bytes(), address.family()), (&*bytes, family.unwrap()));
                    assert!(address.family() < 256 && address.len() as usize == bytes.len());
                    address.set_len(dice.any() as _);
                    assert!(
                        address.bytes().len() <= most
                            && address.bytes().len() >= bytes.len().min(address.len() as usize)
                    );
                    assert!(address.bytes().iter().zip(&bytes).all(|(one, other)| one == other));
                }
                None => assert!(bytes.len() > most || family.is_none_or(|family| family > 255)),
            }
        }
    }

    #[test]
    fn what_the_kernel_says_is_longer_than_the_room_is_cut() {
        let storage = Address::room().storage;
        let most = size_of::<sys::sockaddr_storage>() as sys::socklen_t;
        for len in [0, 1, most - 1, most, most + 1, sys::socklen_t::MAX] {
            assert_eq!(Address::from_storage(storage, len).len(), len.min(most));
        }
    }
}
