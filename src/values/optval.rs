//! A socket's option, as an action's argument and value.

use super::arg::{Arg, Extent, Place};
use super::integers::int;
use crate::lua::{Lua, Message, Type};
use crate::ring::in_flight::{Completion, Reply};
use std::ffi::c_int;

/// The largest option, in bytes.
const LARGEST: usize = 4096;

/// How many bytes an instruction of a socket's filter has: SO_GET_FILTER takes the length for a
/// number of these, and writes as many.
pub const INSTRUCTION: usize = 8;
/// How many a filter may have (BPF_MAXINSNS).
pub const INSTRUCTIONS: u32 = 4096;

/// A C int, or the bytes of any other option: what the kernel reads, and overwrites.
#[derive(Clone, Copy)]
pub struct OptVal {
    integer: Option<c_int>,
    ptr: *const u8,
    len: u32,
}

impl Arg for OptVal {
    type Wire = Extent<u8>;

    fn check(lua: &mut Lua, index: c_int) -> OptVal {
        if lua.kind(index) != Type::String {
            let integer = if lua.absent(index) { 0 } else { int(lua, index) };
            return OptVal {
                integer: Some(integer),
                ptr: c"".as_ptr().cast(),
                len: size_of::<c_int>() as u32,
            };
        }
        let bytes = lua.string(index);
        if bytes.len() > LARGEST {
            lua.argument_error(index, Message::new(format_args!("string longer than {LARGEST} bytes")));
        }
        OptVal { integer: None, ptr: bytes.cast(), len: bytes.len() as u32 }
    }

    fn front(self) -> usize {
        self.len as usize
    }

    /// As many instructions, if it is SO_GET_FILTER.
    fn room(self) -> usize {
        self.front() * INSTRUCTION
    }

    fn size(self) -> u32 {
        self.len
    }

    fn reply(self, reply: Reply) -> Reply {
        if self.integer.is_some() { Reply::Option } else { reply }
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> Extent<u8> {
        let ptr = block.front();
        // SAFETY: `front` asked for so many bytes; the string is on the stack.
        unsafe {
            match self.integer {
                Some(integer) => ptr.cast::<c_int>().write_unaligned(integer),
                None => ptr.copy_from_nonoverlapping(self.ptr, self.len as usize),
            }
        }
        Extent { ptr, len: self.len }
    }
}

/// Pushes the option as an integer where the kernel has written one, else nil.
///
/// # Safety
/// The block is one that `OptVal` has filled in.
pub unsafe fn push(lua: &mut Lua, completion: &Completion) {
    match completion.res as usize {
        // SAFETY: the caller's promise.
        size if size == size_of::<c_int>() => unsafe {
            lua.push_integer(completion.action.block.ptr().cast::<c_int>().read_unaligned().into());
        },
        _ => lua.push_nil(),
    }
}
