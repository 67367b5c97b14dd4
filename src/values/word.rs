//! The 32-bit words of a shared buffer, which several processes use at once: a futex is one.

use super::arg::{Arg, HOLD, Place};
use super::buffer;
use super::integers::integer;
use crate::lua::{Lua, Message, RawState};
use crate::ring::hold::Held;
use crate::ring::region::{Span, Use};
use std::ffi::c_int;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

/// The place of the word's number among a method's arguments.
const NUMBER: c_int = 2;

/// How many words the bytes of the buffer at `index` are. Raises where they have none.
fn count(lua: &mut Lua, index: c_int, span: Span) -> u32 {
    let why = match span.len / 4 {
        _ if !span.region.is_shared() => "only a shared buffer has words",
        _ if span.start % 4 != 0 => "the view does not begin at a word",
        0 => "shorter than a word",
        count => return count,
    };
    lua.argument_error(index, Message::new(format_args!("{why}")))
}

/// The word that a method names: the `k`-th of the buffer, from 1. Raises.
fn word(lua: &mut Lua) -> *const AtomicU32 {
    let span = buffer::own(lua);
    let count = count(lua, 1, span);
    let number = integer(lua, NUMBER, 1, count.into()) as usize;
    span.ptr().wrapping_add(4 * (number - 1)).cast::<AtomicU32>().cast_const()
}

/// A word's value: a negative one is its two's complement. Raises.
fn value(lua: &mut Lua, index: c_int) -> u32 {
    integer(lua, index, LEAST, MOST) as u32
}

/// The bounds of that.
pub const LEAST: i64 = i32::MIN as i64;
/// The upper one.
pub const MOST: i64 = u32::MAX as i64;

/// A shared buffer or a view of one, as an argument that the number of a word follows.
#[derive(Clone, Copy)]
pub struct Words(Span);

impl Words {
    /// The one at `place` of the stack, which is a part of the argument `index`, and how many
    /// words it has. Raises.
    pub fn check_at(lua: &mut Lua, index: c_int, place: c_int) -> (Words, u32) {
        let span = buffer::span(lua, index, place);
        (Words(span), count(lua, index, span))
    }
}

impl Arg for Words {
    type Wire = *mut u32;

    fn check(lua: &mut Lua, index: c_int) -> Words {
        Words::check_at(lua, index, index).0
    }

    fn room(self) -> usize {
        HOLD
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> *mut u32 {
        // SAFETY: `room` has asked for it.
        unsafe { block.hold(Held::Bytes(self.0, Use::Read)) };
        self.0.ptr().cast()
    }
}

/// Which word of the buffer that is the argument before this one, from 1.
#[derive(Clone, Copy)]
pub struct Nth(usize);

impl Arg for Nth {
    /// How far from the first.
    type Wire = usize;

    fn check(lua: &mut Lua, index: c_int) -> Nth {
        let count = Words::check_at(lua, index - 1, index - 1).1;
        Nth(integer(lua, index, 1, count.into()) as usize)
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> usize {
        self.0 - 1
    }
}

/// A word's value.
#[derive(Clone, Copy)]
pub struct Word(u32);

impl Arg for Word {
    type Wire = u64;

    fn check(lua: &mut Lua, index: c_int) -> Word {
        Word(value(lua, index))
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) -> u64 {
        self.0.into()
    }
}

/// `b:load32(k)`: the word's value, from 0 to 2^32-1.
pub unsafe extern "C-unwind" fn load32(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let word = word(lua);
    // SAFETY: the buffer is on the stack, and the word within it and aligned.
    lua.push_integer(unsafe { (*word).load(SeqCst) }.into());
    1
}

/// `b:store32(k, value)`.
pub unsafe extern "C-unwind" fn store32(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let (word, value) = (word(lua), value(lua, NUMBER + 1));
    // SAFETY: as in `load32`.
    unsafe { (*word).store(value, SeqCst) };
    0
}

/// `b:cas32(k, expected, value)`: stores the value if the word is as expected; whether it was,
/// and what it was.
pub unsafe extern "C-unwind" fn cas32(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let (word, expected, value) = (word(lua), value(lua, NUMBER + 1), value(lua, NUMBER + 2));
    // SAFETY: as in `load32`.
    let (done, before) = match unsafe { (*word).compare_exchange(expected, value, SeqCst, SeqCst) } {
        Ok(before) => (true, before),
        Err(before) => (false, before),
    };
    lua.push_boolean(done);
    lua.push_integer(before.into());
    2
}

/// `b:add32(k, n)`: adds to the word, which wraps around; what it was before.
pub unsafe extern "C-unwind" fn add32(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let (word, value) = (word(lua), value(lua, NUMBER + 1));
    // SAFETY: as in `load32`.
    lua.push_integer(unsafe { (*word).fetch_add(value, SeqCst) }.into());
    1
}
