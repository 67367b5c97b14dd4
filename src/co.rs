//! What `require "luring.co"`, "luring.co.socket" and "luring.luv" load: straight-line programs, in Lua.
//!
//! The files of `src/co` are part of the module, under the names that tracebacks show. Nothing is
//! read from the disk.

use crate::actions::ACTIONS;
use crate::lua::{Lua, RawState};
use crate::rows::c_name;
use crate::system::catching;
use std::ffi::{CStr, c_int};
use std::time::SystemTime;

/// A file: its name, how Lua names its lines, and what is in it.
type File = (&'static CStr, &'static CStr, &'static str);

macro_rules! files {
    ($($name:literal)*) => {
        &[$((
            c_name(concat!($name, "\0")),
            c_name(concat!("@luring/co/", $name, ".lua\0")),
            include_str!(concat!("co/", $name, ".lua")),
        ),)*]
    };
}

/// Those of `luring.co`; the first is called, and calls the others.
const FILES: &[File] = files! {
    "main" "place" "failure" "options" "timers" "task" "loop" "scope" "group" "calls" "actions" "event" "semaphore" "channel"
    "reading" "stream" "address" "resolve" "server" "connect" "relay" "file" "signal" "process"
};

/// What `require "luring.luv"` loads.
const LUV_FILES: &[File] = files! { "luv" };

/// Those that `require "luring.co.socket"` loads.
const SOCKET_FILES: &[File] =
    files! { "socket" "place" "address" "tcp" "receiving" "reading" "sockopt" "words" };

/// Leaves nothing on the stack but the first of the files, as a function, and its first argument:
/// a table of all of them.
fn push_files(lua: &mut Lua, files: &[File]) {
    lua.set_top(0);
    lua.push_table();
    let chunks = 1;
    for (name, line, source) in files {
        lua.push_chunk(source, line);
        lua.set_field(chunks, name);
    }
    if let Some((main, _, _)) = files.first() {
        lua.get_field(chunks, main);
    }
    lua.push_copy(chunks);
}

/// Makes the table that `require "luring.co"` gives.
///
/// # Safety
/// Lua calls this, with a live state, when the module is required.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_luring_co(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    push_files(lua, FILES);
    lua.push_table();
    for (place, (name, _)) in (1..).zip(ACTIONS) {
        lua.push_bytes(name.to_bytes());
        lua.raw_set(-2, place);
    }
    lua.push_table();
    for (name, function) in catching::FUNCTIONS {
        lua.push_function(*function);
        lua.set_field(-2, name);
    }
    lua.call_for(3, 1);
    1
}

/// Makes the table that `require "luring.luv"` gives.
///
/// # Safety
/// Lua calls this, with a live state, when the module is required.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_luring_luv(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    push_files(lua, LUV_FILES);
    lua.call_for(1, 1);
    1
}

/// The seconds since 1970, as the system's clock has them.
unsafe extern "C-unwind" fn wall(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    lua.push_number(time.as_secs_f64());
    1
}

/// Makes the table that `require "luring.co.socket"` gives.
///
/// # Safety
/// Lua calls this, with a live state, when the module is required.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn luaopen_luring_co_socket(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    push_files(lua, SOCKET_FILES);
    lua.push_function(wall);
    lua.call_for(2, 1);
    1
}
