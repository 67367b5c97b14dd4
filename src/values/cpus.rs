//! A set of processors.

use super::arg::{Arg, Place};
use crate::lua::{Lua, Message, Type};
use std::ffi::c_int;

/// As many as a C library's cpu_set_t has bits.
const MOST: usize = 1024;

/// A list of processors, which count from 0: a bit each.
#[derive(Clone, Copy)]
pub struct Cpus(pub [u64; MOST / 64]);

impl Arg for Cpus {
    type Wire = ();

    fn check(lua: &mut Lua, index: c_int) -> Cpus {
        if lua.kind(index) != Type::Table {
            lua.type_error(index, c"table");
        }
        let mut cpus = [0; MOST / 64];
        for number in 1..=lua.raw_len(index) {
            lua.raw_get(index, number as u32);
            let cpu = lua.integer(-1).ok().and_then(|cpu| usize::try_from(cpu).ok());
            match cpu.and_then(|cpu| Some((cpus.get_mut(cpu / 64)?, cpu % 64))) {
                Some((word, bit)) => *word |= 1 << bit,
                None => {
                    let text = Message::new(format_args!(
                        "element {number} must be an integer from 0 to {}",
                        MOST - 1
                    ));
                    lua.argument_error(index, text)
                }
            }
            lua.pop();
        }
        Cpus(cpus)
    }

    fn place(self, _lua: &Lua, _block: &mut Place, _index: c_int) {}
}
