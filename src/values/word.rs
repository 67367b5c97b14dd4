//! The 32-bit words of a shared buffer, which several processes use at once: a futex is one.

use super::buffer;
use super::integers::integer;
use crate::lua::{Lua, Message, RawState};
use std::ffi::c_int;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

/// The place of the word's number among a method's arguments.
const NUMBER: c_int = 2;

/// The word that a method names: the `k`-th of the buffer, from 1. Raises.
fn word(lua: &mut Lua) -> *const AtomicU32 {
    let span = buffer::own(lua);
    if !span.region.is_shared() {
        lua.argument_error(1, Message::new(format_args!("only a shared buffer has words")));
    }
    if span.start % 4 != 0 {
        lua.argument_error(1, Message::new(format_args!("the view does not begin at a word")));
    }
    match span.len / 4 {
        0 => lua.argument_error(1, Message::new(format_args!("shorter than a word"))),
        count => {
            let number = integer(lua, NUMBER, 1, count.into()) as usize;
            span.ptr().wrapping_add(4 * (number - 1)).cast::<AtomicU32>().cast_const()
        }
    }
}

/// A word's value: a negative one is its two's complement. Raises.
fn value(lua: &mut Lua, index: c_int) -> u32 {
    integer(lua, index, i32::MIN.into(), u32::MAX.into()) as u32
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
