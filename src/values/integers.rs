//! The kinds of argument that functions take: each knows how to check itself, and
//! says in its error what would have been right.

use crate::lua::{Bytes, Lua, Message, NotInteger, Type};
use std::ffi::c_int;

/// A kind of argument. `Copy`, since a later argument's error skips destructors.
pub trait Arg: Copy {
    /// Takes the argument at `index` of the stack. Raises.
    fn check(lua: &mut Lua, index: c_int) -> Self;

    /// How large a buffer the action needs because of this argument.
    #[inline]
    fn buffer(self) -> u32 {
        0
    }

    /// The string that the kernel reads from, if the argument is one.
    #[inline]
    fn content(self) -> Option<Content> {
        None
    }

    /// Whether `content` gives one.
    const CONTENT: bool = false;
}

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

/// A C `int`. Raises.
#[inline]
pub fn int(lua: &mut Lua, index: c_int) -> c_int {
    integer(lua, index, c_int::MIN.into(), c_int::MAX.into()) as c_int
}

/// A C `int`, or the default where there is no argument. Raises.
pub fn optional_int(lua: &mut Lua, index: c_int, default: c_int) -> c_int {
    if lua.absent(index) { default } else { int(lua, index) }
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

macro_rules! int_kinds {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name(pub c_int);

        impl Arg for $name {
            #[inline]
            fn check(lua: &mut Lua, index: c_int) -> $name {
                $name(int(lua, index))
            }
        }
    )* };
}

int_kinds! {
    /// A file descriptor. The kernel, not the module, says whether it is one.
    Fd;
    /// Flags of a system call: MSG_PEEK, SOCK_CLOEXEC, ...
    Flags;
}

/// How many bytes to read at the most, from 0 to 2^32-1: the action gets such a buffer.
#[derive(Clone, Copy)]
pub struct Size(pub u32);

impl Arg for Size {
    #[inline]
    fn check(lua: &mut Lua, index: c_int) -> Size {
        Size(integer(lua, index, 0, u32::MAX.into()) as u32)
    }

    #[inline]
    fn buffer(self) -> u32 {
        self.0
    }
}

/// A place in a file, in bytes from its start; -1 is the file's own position.
#[derive(Clone, Copy)]
pub struct Offset(pub u64);

impl Arg for Offset {
    #[inline]
    fn check(lua: &mut Lua, index: c_int) -> Offset {
        Offset(integer(lua, index, i64::MIN, i64::MAX) as u64)
    }
}

/// A string of at most 2^32-1 bytes that the kernel reads from while the action is in
/// flight.
#[derive(Clone, Copy)]
pub struct Content {
    /// The first byte.
    pub ptr: *const u8,
    /// How many there are.
    pub len: u32,
}

impl Arg for Content {
    #[inline]
    fn check(lua: &mut Lua, index: c_int) -> Content {
        let bytes = bytes(lua, index);
        match u32::try_from(bytes.len()) {
            Ok(len) => Content { ptr: bytes.cast(), len },
            Err(_) => too_long(lua, index),
        }
    }

    #[inline]
    fn content(self) -> Option<Content> {
        Some(self)
    }

    const CONTENT: bool = true;
}

#[cold]
#[inline(never)]
fn too_long(lua: &mut Lua, index: c_int) -> ! {
    lua.argument_error(index, Message::new(format_args!("string longer than 4294967295 bytes")))
}

/// All arguments of an action between the ring and the callback.
pub trait Args: Copy {
    /// How many there are.
    const COUNT: c_int;

    /// Which of them, from 0, is the content.
    const CONTENT: Option<c_int>;

    /// The content itself.
    fn content(self) -> Option<Content>;

    /// Takes the arguments from `first` on. Raises.
    fn check(lua: &mut Lua, first: c_int) -> Self;

    /// How large a buffer the action needs.
    fn buffer(self) -> u32;
}

macro_rules! tuples {
    ($(($count:literal: $($kind:ident $number:tt),*))*) => { $(
        impl<$($kind: Arg),*> Args for ($($kind,)*) {
            const COUNT: c_int = $count;
            const CONTENT: Option<c_int> = first(&[$($kind::CONTENT),*]);

            #[inline]
            fn content(self) -> Option<Content> {
                None $(.or(self.$number.content()))*
            }

            #[inline]
            fn check(lua: &mut Lua, first: c_int) -> Self {
                ($($kind::check(lua, first + $number),)*)
            }

            #[inline]
            fn buffer(self) -> u32 {
                0 $(.max(self.$number.buffer()))*
            }
        }
    )* };
}

const fn first(content: &[bool]) -> Option<c_int> {
    let mut number = 0;
    while number < content.len() {
        if content[number] {
            return Some(number as c_int);
        }
        number += 1;
    }
    None
}

tuples! {
    (1: A 0)
    (2: A 0, B 1)
    (3: A 0, B 1, C 2)
    (4: A 0, B 1, C 2, D 3)
    (5: A 0, B 1, C 2, D 3, E 4)
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
