//! Several futexes to wait for: a list, as an argument.

use super::arg::{Arg, Extent, HOLD, HOLD_IN_LIST, Place, room};
use super::word::{self, Words};
use super::{buffer, fields};
use crate::lua::{Lua, Message, Type};
use crate::ring::hold::Held;
use crate::ring::region::Use;
use crate::sys::flag;
use std::ffi::c_int;

/// As many as the kernel takes at once (FUTEX_WAITV_MAX).
const MOST: usize = 128;

/// The kernel's struct futex_waitv, which older headers lack.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Waiter {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

/// A list of `{b, k, value=, flags=}`: the `k`-th word of each shared buffer, the value that it
/// should have, and flags of its own.
///
/// It is replaced by a private list, in which each takes `PARTS` places, since a later argument's
/// metamethod may change the program's.
#[derive(Clone, Copy)]
pub struct Futexes {
    count: usize,
}

const PARTS: u32 = 4;

impl Arg for Futexes {
    type Wire = Extent<Waiter>;

    fn check(lua: &mut Lua, index: c_int) -> Futexes {
        if lua.kind(index) != Type::Table {
            lua.type_error(index, c"table");
        }
        let count = lua.raw_len(index);
        if count > MOST {
            let why = Message::new(format_args!("a list of more than {MOST} futexes"));
            lua.argument_error(index, why);
        }
        lua.push_table_for((count * PARTS as usize) as c_int);
        for number in 0..count as u32 {
            lua.raw_get(index, number + 1);
            check_one(lua, index, number);
        }
        lua.replace(index);
        Futexes { count }
    }

    fn room(self) -> usize {
        HOLD + room(self.count * size_of::<Waiter>()) + room(self.count * HOLD_IN_LIST)
    }

    fn place(self, lua: &Lua, block: &mut Place, index: c_int) -> Extent<Waiter> {
        let waiters = block.values::<Waiter>(self.count);
        let integer = |at: u32| {
            lua.raw_get(index, at);
            let value = lua.integer(-1).unwrap_or(0);
            lua.pop();
            value
        };
        let held = |number: usize| {
            let first = number as u32 * PARTS + 1;
            lua.raw_get(index, first);
            let span = buffer::private_span(lua, -1);
            lua.pop();
            let start = span.map_or(0, |span| span.ptr() as u64);
            let waiter = Waiter {
                address: start + 4 * (integer(first + 1) as u64 - 1),
                value: (integer(first + 2) as u32).into(),
                flags: integer(first + 3) as u32,
                reserved: 0,
            };
            // SAFETY: there is room for so many.
            unsafe { waiters.add(number).write(waiter) };
            span.map(|span| Held::Bytes(span, Use::Read))
        };
        // SAFETY: `room` has asked for them.
        unsafe { block.hold_list(self.count, held) };
        Extent { ptr: waiters, len: self.count as u32 }
    }
}

/// Checks the futex that is on top, puts it behind the others of the private list below it, and
/// pops it. Raises.
fn check_one(lua: &mut Lua, index: c_int, number: u32) {
    let futex = lua.top();
    if lua.kind(futex) != Type::Table {
        let why = Message::new(format_args!("element {} must be {{b, k, value=, flags=}}", number + 1));
        lua.argument_error(index, why);
    }
    let private = futex - 1;
    let place = number * PARTS + 1;

    lua.raw_get(futex, 1);
    let words = Words::check_at(lua, index, futex + 1).1;
    lua.raw_get(futex, 2);
    match lua.integer(-1) {
        Ok(nth) if (1..=i64::from(words)).contains(&nth) => lua.push_integer(nth),
        _ => {
            let why =
                Message::new(format_args!("element {}: the word must be between 1 and {words}", number + 1));
            lua.argument_error(index, why)
        }
    }
    lua.raw_set(private, place + 1);
    lua.pop();
    lua.raw_set(private, place);

    let own_flags = i64::from(flag::FUTEX2_SIZE_U32);
    let value = fields::integer_in(lua, index, futex, c"value", None, word::LEAST, word::MOST);
    lua.push_integer(value);
    lua.raw_set(private, place + 2);
    let flags = fields::integer_in(lua, index, futex, c"flags", Some(own_flags), 0, word::MOST);
    lua.push_integer(flags);
    lua.raw_set(private, place + 3);
    lua.pop();
}
