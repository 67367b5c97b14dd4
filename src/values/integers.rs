//! Integers, and what else every function checks: each says in its error what would have
//! been right.

use super::arg::{Arg, Place};
use crate::lua::{Bytes, Lua, Message, NotInteger, RawState, Type};
use std::ffi::c_int;

/// The integer at `index`, between two bounds. Raises.
#[inline(always)]
pub fn integer(lua: &mut Lua, index: c_int, least: i64, most: i64) -> i64 {
    match lua.integer(index) {
        Ok(value) if least <= value && value <= most => value,
        wrong => not_between(lua, index, wrong.err(), least, most),
    }
}

#[cold]
#[inline(never)]
fn not_between(lua: &mut Lua, index: c_int, why: Option<NotInteger>, least: i64, most: i64) -> ! {
    match why {
        Some(NotInteger::NotNumber) => lua.type_error(index, c"number"),
        Some(NotInteger::NoRepresentation) => {
            lua.argument_error(index, Message::new(format_args!("number has no integer representation")))
        }
        None => lua.argument_error(index, Message::new(format_args!("must be between {least} and {most}"))),
    }
}

/// `has(mask, bits)`: whether all of the bits are set in the mask.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn has(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let mask = integer(lua, 1, i64::MIN, i64::MAX);
    let bits = integer(lua, 2, i64::MIN, i64::MAX);
    lua.push_boolean(mask & bits == bits);
    1
}

/// A C `int`. Raises.
#[inline]
pub fn int(lua: &mut Lua, index: c_int) -> c_int {
    integer(lua, index, c_int::MIN.into(), c_int::MAX.into()) as c_int
}

/// A string without zero bytes: Lua's strings end with one, as C wants it. Raises.
pub fn path(lua: &mut Lua, index: c_int) -> Bytes {
    let path = bytes(lua, index);
    // SAFETY: the string is on the stack.
    if unsafe { &*path }.contains(&0) {
        lua.argument_error(index, Message::new(format_args!("path contains zero bytes")));
    }
    path
}

/// The string at `index`. Raises.
#[inline]
pub fn bytes(lua: &mut Lua, index: c_int) -> Bytes {
    lua.bytes(index).unwrap_or_else(|| lua.type_error(index, c"string"))
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($type:ty) = $least:expr, $most:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name(pub $type);

        impl Arg for $name {
            type Wire = $type;

            #[inline]
            fn check(lua: &mut Lua, index: c_int) -> $name {
                $name(integer(lua, index, $least, $most) as $type)
            }

            #[inline]
            fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> $type {
                self.0
            }
        }
    )* };
}

kinds! {
    /// A C `int`: flags of a system call, mostly.
    Int(c_int) = c_int::MIN.into(), c_int::MAX.into();
    /// A C `unsigned`.
    Unsigned(u32) = 0, u32::MAX.into();
    /// A place in a file, in bytes from its start; -1 is the file's own position.
    Offset(u64) = i64::MIN, i64::MAX;
    /// A number of bytes, or any other that is not negative.
    Length(u64) = 0, i64::MAX;
    /// A file's permissions.
    Mode(u32) = 0, 0o7777;
    /// What a message to another ring carries.
    Datum(u64) = 0, (1 << 53) - 1;
}

/// The flags of what is sent. With MSG_ZEROCOPY the kernel would go on reading the data when the
/// action has ended, and it is another's by then; `send_zc` waits for that.
#[derive(Clone, Copy)]
pub struct SendFlags(c_int);

/// MSG_ZEROCOPY, which not every C library names.
const ZEROCOPY: c_int = 0x400_0000;

impl Arg for SendFlags {
    type Wire = c_int;

    #[inline]
    fn check(lua: &mut Lua, index: c_int) -> SendFlags {
        let flags = int(lua, index);
        if flags & ZEROCOPY != 0 {
            zero_copy(lua, index);
        }
        SendFlags(flags)
    }

    #[inline]
    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> c_int {
        self.0
    }
}

#[cold]
#[inline(never)]
fn zero_copy(lua: &Lua, index: c_int) -> ! {
    lua.argument_error(index, Message::new(format_args!("not MSG_ZEROCOPY: send_zc and sendmsg_zc are that")))
}

/// A C `unsigned`, or none.
#[derive(Clone, Copy)]
pub struct OrNone(pub Option<u32>);

impl Arg for OrNone {
    type Wire = Option<u32>;

    fn check(lua: &mut Lua, index: c_int) -> OrNone {
        OrNone(if lua.absent(index) { None } else { Some(integer(lua, index, 0, u32::MAX.into()) as u32) })
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> Option<u32> {
        self.0
    }
}

/// A number from 0 to `MOST`.
#[derive(Clone, Copy)]
pub struct UpTo<const MOST: u32>(pub u32);

impl<const MOST: u32> Arg for UpTo<MOST> {
    type Wire = u32;

    fn check(lua: &mut Lua, index: c_int) -> UpTo<MOST> {
        UpTo(integer(lua, index, 0, MOST.into()) as u32)
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> u32 {
        self.0
    }
}

/// Whether there is a callback at `index`; one that can't be called raises.
#[inline]
pub fn callback(lua: &mut Lua, index: c_int) -> bool {
    match lua.kind(index) {
        Type::Function => true,
        Type::None | Type::Nil => false,
        _ if lua.has_call(index) => true,
        _ => lua.type_error(index, c"function"),
    }
}
