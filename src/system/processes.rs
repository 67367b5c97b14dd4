//! Processes: started, signalled, and how they ended.

use super::errno::result;
use crate::functions::{Answer, Pushed, functions, unsigned};
use crate::lua::{Lua, Message, Type};
use crate::sys;
use crate::values::descriptor::{self, descriptor};
use crate::values::fields;
use crate::values::integers::{int, integer};
use crate::values::siginfo;
use crate::values::words::{self, Words};
use std::ffi::{CStr, c_char, c_int};
use std::mem::{MaybeUninit, zeroed};
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr::null;

functions! {
    /// `posix_spawn{argv..., stdin=, stdout=, stderr=, cwd=, env=, group=}`: the process and a
    /// descriptor of it. See posix_spawnp(3).
    fn posix_spawn(lua, program: program) {
        match program.start() {
            Ok(pid) => {
                lua.push_integer(pid.into());
                // Until it is waited for, nobody else gets its number.
                open_pidfd(pid, 0).push(lua);
                Pushed(2)
            }
            Err(Failed(errno)) => {
                lua.push_integer(-i64::from(errno));
                Pushed(1)
            }
        }
    }

    /// `pidfd_open(pid, flags?)`. See pidfd_open(2).
    fn pidfd_open(lua, pid: int, flags: int = 0) {
        open_pidfd(pid, flags as u32)
    }

    /// `pidfd_send_signal(pidfd, signal)`. See pidfd_send_signal(2).
    fn pidfd_send_signal(lua, pidfd: descriptor, signal: int) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::luring_pidfd_send_signal(pidfd, signal) })
    }

    /// `kill(pid, signal)`. See kill(2).
    fn kill(lua, pid: process, signal: int) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::kill(pid, signal) })
    }

    /// `killpg(pgrp, signal)`. See killpg(3).
    fn killpg(lua, pgrp: process_group, signal: int) {
        // SAFETY: takes numbers only.
        result(unsafe { sys::kill(-pgrp, signal) })
    }

    /// `waitid_now(idtype, id, options?)`: `{pid=, uid=, signo=, code=, status=}` of a process
    /// that has ended, -EAGAIN where none has. See waitid(2).
    fn waitid_now(lua, idtype: unsigned, id: id, options: int = sys::WEXITED as c_int) {
        // SAFETY: numbers and null pointers, which may be zero.
        let mut info: sys::siginfo_t = unsafe { zeroed() };
        // SAFETY: there is room for what is told.
        let returned = unsafe { sys::waitid(idtype as _, id, &mut info, options | sys::WNOHANG as c_int) };
        let returned = result(returned);
        if returned < 0 {
            lua.push_integer(returned);
        } else {
            siginfo::push(lua, &info);
            if lua.absent(-1) {
                lua.push_integer(-i64::from(sys::EAGAIN));
            }
        }
        Pushed(1)
    }
}

fn open_pidfd(pid: c_int, flags: u32) -> i64 {
    // SAFETY: takes numbers only. The kernel makes it close-on-exec.
    result(unsafe { sys::luring_pidfd_open(pid, flags) })
}

/// A process's number. Zero, -1 and the rest mean many processes to the kernel, and `-errno`, that
/// `posix_spawn` may have given, is one of these. Raises.
fn process(lua: &mut Lua, index: c_int) -> c_int {
    integer(lua, index, 1, c_int::MAX.into()) as c_int
}

/// A group's number: 1 would mean all processes. Raises.
fn process_group(lua: &mut Lua, index: c_int) -> c_int {
    integer(lua, index, 2, c_int::MAX.into()) as c_int
}

/// A process's or a group's number, or a process's descriptor: which, the argument before it says.
/// Raises.
fn id(lua: &mut Lua, index: c_int) -> u32 {
    match lua.kind(index) {
        Type::Table | Type::Userdata => descriptor(lua, index) as u32,
        _ => match unsigned(lua, index) {
            SLOT.. if unsigned(lua, index - 1) == PIDFD => descriptor::no_slot(lua, index),
            id => id,
        },
    }
}

/// P_PIDFD, which older C libraries do not name.
const PIDFD: u32 = 3;
/// The first slot, which is above all descriptors.
const SLOT: u32 = descriptor::SLOTS as u32;

/// A program to be started. What it points to is on the stack.
#[derive(Clone, Copy)]
struct Program {
    arguments: Words,
    environment: Words,
    /// For the descriptors 0, 1 and 2.
    streams: [Option<c_int>; 3],
    /// Null for this program's own.
    folder: *const c_char,
    group: Option<c_int>,
}

/// An error number.
struct Failed(c_int);

const STREAMS: [&CStr; 3] = [c"stdin", c"stdout", c"stderr"];
const FIELDS: [&CStr; 6] = [c"stdin", c"stdout", c"stderr", c"cwd", c"env", c"group"];

/// The program that the table at `index` describes. Raises.
fn program(lua: &mut Lua, index: c_int) -> Program {
    if lua.kind(index) != Type::Table {
        lua.type_error(index, c"table");
    }
    fields::only_beside_list(lua, index, &FIELDS);
    let streams = STREAMS.map(|name| descriptor::field(lua, index, name));
    let group = match fields::integer(lua, index, c"group", Some(-1), 0, c_int::MAX.into()) {
        -1 => None,
        group => Some(group as c_int),
    };
    let folder = match lua.get_field(index, c"cwd") {
        Type::Nil => null(),
        _ => fields::path(lua, index, c"cwd").cast(),
    };
    let environment = match lua.get_field(index, c"env") {
        // SAFETY: it is the C library's.
        Type::Nil => unsafe { Words::new(sys::environ.cast_const().cast()) },
        _ => words::settings(lua, index, c"env"),
    };
    let arguments = words::list(lua, index);
    if arguments.first().is_null() {
        lua.argument_error(index, Message::new(format_args!("no program is named")));
    }
    Program { arguments, environment, streams, folder, group }
}

impl Program {
    /// Starts it: its process's number. Its signals are as in a process that has touched none.
    fn start(self) -> Result<c_int, Failed> {
        let actions = self.actions()?;
        let mut attributes = Attributes::new()?;
        attributes.reset_signals()?;
        if let Some(group) = self.group {
            attributes.set_group(group)?;
        }
        attributes.set_flags(self.group.is_some())?;
        let mut pid = 0;
        // SAFETY: all of it is live, and the words are valid as long as they are on the stack.
        check(unsafe {
            sys::posix_spawnp(
                &mut pid,
                self.arguments.first(),
                &actions.list,
                &attributes.0,
                self.arguments.ptr(),
                self.environment.ptr(),
            )
        })?;
        Ok(pid)
    }

    fn actions(self) -> Result<Actions, Failed> {
        let mut actions = Actions::new()?;
        for (to, from) in (0..).zip(self.streams) {
            if let Some(from) = from {
                actions.dup(from, to)?;
            }
        }
        if !self.folder.is_null() {
            actions.change_folder(self.folder)?;
        }
        Ok(actions)
    }
}

fn check(errno: c_int) -> Result<(), Failed> {
    if errno == 0 { Ok(()) } else { Err(Failed(errno)) }
}

/// What the new process does before it runs the program.
struct Actions {
    list: sys::posix_spawn_file_actions_t,
    /// Copies of descriptors that would be replaced before they are taken.
    copies: [Option<OwnedFd>; 3],
}

impl Actions {
    fn new() -> Result<Actions, Failed> {
        // SAFETY: the C library makes its own of it.
        let mut list = unsafe { zeroed() };
        // SAFETY: as above.
        check(unsafe { sys::posix_spawn_file_actions_init(&mut list) })?;
        Ok(Actions { list, copies: [None, None, None] })
    }

    /// `from` becomes the descriptor `to`, from 0 to 2, and stays open in the program.
    fn dup(&mut self, from: c_int, to: c_int) -> Result<(), Failed> {
        let from = if from != to && (0..3).contains(&from) { self.copy(from, to)? } else { from };
        // SAFETY: the list has been made.
        check(unsafe { sys::posix_spawn_file_actions_adddup2(&mut self.list, from, to) })
    }

    fn copy(&mut self, from: c_int, to: c_int) -> Result<c_int, Failed> {
        // SAFETY: takes numbers only.
        let copy = result(unsafe { sys::fcntl(from, sys::F_DUPFD_CLOEXEC as c_int, 3) });
        if copy < 0 {
            return Err(Failed(-copy as c_int));
        }
        if let Some(place) = self.copies.get_mut(to as usize) {
            // SAFETY: made above, and nobody else knows it.
            *place = Some(unsafe { OwnedFd::from_raw_fd(copy as c_int) });
        }
        Ok(copy as c_int)
    }

    fn change_folder(&mut self, folder: *const c_char) -> Result<(), Failed> {
        // SAFETY: the list has been made, and the path ends with a NUL.
        check(unsafe { sys::posix_spawn_file_actions_addchdir_np(&mut self.list, folder) })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: it has been made.
        unsafe { sys::posix_spawn_file_actions_destroy(&mut self.list) };
    }
}

/// What is set in the new process.
struct Attributes(sys::posix_spawnattr_t);

impl Attributes {
    fn new() -> Result<Attributes, Failed> {
        // SAFETY: the C library makes its own of it.
        let mut attributes = unsafe { zeroed() };
        // SAFETY: as above.
        check(unsafe { sys::posix_spawnattr_init(&mut attributes) })?;
        Ok(Attributes(attributes))
    }

    /// No signal is blocked, and none is ignored.
    fn reset_signals(&mut self) -> Result<(), Failed> {
        let mut signals = MaybeUninit::uninit();
        // SAFETY: the sets are filled before they are read.
        unsafe {
            sys::sigemptyset(signals.as_mut_ptr());
            check(sys::posix_spawnattr_setsigmask(&mut self.0, signals.as_ptr()))?;
            sys::sigfillset(signals.as_mut_ptr());
            check(sys::posix_spawnattr_setsigdefault(&mut self.0, signals.as_ptr()))
        }
    }

    fn set_group(&mut self, group: c_int) -> Result<(), Failed> {
        // SAFETY: it has been made.
        check(unsafe { sys::posix_spawnattr_setpgroup(&mut self.0, group) })
    }

    fn set_flags(&mut self, has_group: bool) -> Result<(), Failed> {
        let group = if has_group { sys::POSIX_SPAWN_SETPGROUP } else { 0 };
        let flags = sys::POSIX_SPAWN_SETSIGMASK | sys::POSIX_SPAWN_SETSIGDEF | group;
        // SAFETY: it has been made.
        check(unsafe { sys::posix_spawnattr_setflags(&mut self.0, flags as _) })
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: it has been made.
        unsafe { sys::posix_spawnattr_destroy(&mut self.0) };
    }
}
