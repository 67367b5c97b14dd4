//! Signals, as what a descriptor gives.

use super::errno::result;
use super::files::CLOSE_ON_EXEC;
use crate::functions::{Pushed, functions};
use crate::lua::{Lua, Message, Type};
use crate::sys;
use crate::values::integers::{bytes, int};
use std::ffi::c_int;
use std::mem::zeroed;
use std::ptr::null_mut;

functions! {
    /// `signalfd(signals, flags?)`: blocks the signal, or those in a list, and gives a
    /// descriptor to read them from. See signalfd(2).
    fn signalfd(lua, signals: signals, flags: int = 0) {
        // SAFETY: numbers only, which may be zero.
        let mut before = unsafe { zeroed() };
        // SAFETY: the sets are live.
        unsafe { sys::pthread_sigmask(sys::SIG_BLOCK as c_int, &signals, &mut before) };
        // SAFETY: the set is live.
        let fd = result(unsafe { sys::signalfd(-1, &signals, flags | CLOSE_ON_EXEC) });
        if fd < 0 {
            // SAFETY: the set is live.
            unsafe { sys::pthread_sigmask(sys::SIG_SETMASK as c_int, &before, null_mut()) };
        }
        fd
    }

    /// `siginfo(bytes)`: what was read from such a descriptor, as a list of
    /// `{signo=, code=, pid=, uid=, status=, int=}` and more. See signalfd(2).
    fn siginfo(lua, records: bytes) {
        const SIZE: usize = size_of::<sys::signalfd_siginfo>();
        if records.len() % SIZE != 0 {
            lua.argument_error(1, Message::new(format_args!("not what a signalfd gives")));
        }
        lua.push_table();
        for number in 0..records.len() / SIZE {
            // SAFETY: the string is on the stack, and has as many records.
            let info = unsafe { records.cast::<sys::signalfd_siginfo>().add(number).read_unaligned() };
            push(lua, &info);
            lua.raw_set(-2, number as u32 + 1);
        }
        Pushed(1)
    }
}

/// The signal at `index`, or those in a list. Raises.
fn signals(lua: &mut Lua, index: c_int) -> sys::sigset_t {
    // SAFETY: numbers only, which may be zero, and are then made a set.
    let mut set = unsafe { zeroed() };
    // SAFETY: the set is live.
    unsafe { sys::sigemptyset(&mut set) };
    if lua.kind(index) != Type::Table {
        let signal = int(lua, index);
        add(lua, index, &mut set, signal.into());
        return set;
    }
    let mut number = 1;
    while lua.raw_get(index, number) != Type::Nil {
        let signal = lua.integer(-1).unwrap_or(-1);
        add(lua, index, &mut set, signal);
        lua.pop();
        number += 1;
    }
    lua.pop();
    set
}

fn add(lua: &mut Lua, index: c_int, set: &mut sys::sigset_t, signal: i64) {
    let number = c_int::try_from(signal).unwrap_or(-1);
    // SAFETY: the set is live.
    if unsafe { sys::sigaddset(set, number) } != 0 {
        lua.argument_error(index, Message::new(format_args!("no such signal")));
    }
}

fn push(lua: &mut Lua, info: &sys::signalfd_siginfo) {
    lua.push_table();
    lua.set_integer(c"signo", info.ssi_signo.into());
    lua.set_integer(c"errno", info.ssi_errno.into());
    lua.set_integer(c"code", info.ssi_code.into());
    lua.set_integer(c"pid", info.ssi_pid.into());
    lua.set_integer(c"uid", info.ssi_uid.into());
    lua.set_integer(c"fd", info.ssi_fd.into());
    lua.set_integer(c"tid", info.ssi_tid.into());
    lua.set_integer(c"band", info.ssi_band.into());
    lua.set_integer(c"overrun", info.ssi_overrun.into());
    lua.set_integer(c"status", info.ssi_status.into());
    lua.set_integer(c"int", info.ssi_int.into());
}
