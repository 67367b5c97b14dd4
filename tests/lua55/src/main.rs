//! The interpreter: `lua5.5 [-e CHUNK]... [SCRIPT ARGUMENTS...]`, as lua(1), without its
//! other options and its prompt.

use std::env::args_os;
use std::ffi::{CStr, CString, OsString, c_char, c_int, c_uint, c_void};
use std::os::unix::ffi::OsStringExt;
use std::process::exit;
use std::ptr::{null, null_mut};

type State = *mut c_void;
type Function = unsafe extern "C" fn(State) -> c_int;

unsafe extern "C" {
    fn luaL_newstate() -> State;
    fn luaL_openselectedlibs(state: State, load: c_int, preload: c_int);
    fn luaL_loadstring(state: State, chunk: *const c_char) -> c_int;
    fn luaL_loadfilex(state: State, path: *const c_char, mode: *const c_char) -> c_int;
    fn luaL_traceback(state: State, of: State, message: *const c_char, level: c_int);
    fn luaL_tolstring(state: State, index: c_int, len: *mut usize) -> *const c_char;
    fn luaL_callmeta(state: State, index: c_int, event: *const c_char) -> c_int;
    fn luaL_checkstack(state: State, more: c_int, message: *const c_char);
    fn lua_close(state: State);
    fn lua_createtable(state: State, array: c_uint, hash: c_uint);
    fn lua_gettop(state: State) -> c_int;
    fn lua_pcallk(
        state: State,
        args: c_int,
        results: c_int,
        handler: c_int,
        ctx: isize,
        k: *const c_void,
    ) -> c_int;
    fn lua_pushcclosure(state: State, function: Function, upvalues: c_int);
    fn lua_pushstring(state: State, text: *const c_char) -> *const c_char;
    fn lua_rawseti(state: State, index: c_int, n: i64);
    fn lua_rotate(state: State, index: c_int, n: c_int);
    fn lua_setglobal(state: State, name: *const c_char);
    fn lua_tolstring(state: State, index: c_int, len: *mut usize) -> *const c_char;
    fn lua_type(state: State, index: c_int) -> c_int;
    fn signal(number: c_int, action: *mut c_void) -> *mut c_void;
}

const MULTRET: c_int = -1;
const STRING: c_int = 4;
const SIGPIPE: c_int = 13;

/// Turns an error into its text, with a traceback.
unsafe extern "C" fn with_traceback(state: State) -> c_int {
    // SAFETY: Lua calls with a live state and the error at 1; few slots are used.
    unsafe {
        let mut text = lua_tolstring(state, 1, null_mut());
        if text.is_null() {
            if luaL_callmeta(state, 1, c"__tostring".as_ptr()) != 0 && lua_type(state, -1) == STRING {
                return 1;
            }
            text = luaL_tolstring(state, 1, null_mut());
        }
        luaL_traceback(state, state, text, 1);
    }
    1
}

/// Calls the chunk that was loaded, which is on top, with `arguments`. Whether it went well.
fn call(state: State, loaded: c_int, arguments: &[CString]) -> bool {
    // SAFETY: the state lives, and what is called is on the stack with its arguments.
    unsafe {
        let mut status = loaded;
        if status == 0 {
            let chunk = lua_gettop(state);
            lua_pushcclosure(state, with_traceback, 0);
            lua_rotate(state, chunk, 1);
            luaL_checkstack(state, arguments.len() as c_int, c"too many arguments".as_ptr());
            for argument in arguments {
                lua_pushstring(state, argument.as_ptr());
            }
            status = lua_pcallk(state, arguments.len() as c_int, MULTRET, chunk, 0, null());
        }
        if status != 0 {
            let text = lua_tolstring(state, -1, null_mut());
            let text = if text.is_null() { c"(no text)" } else { CStr::from_ptr(text) };
            eprintln!("lua5.5: {}", text.to_string_lossy());
        }
        status == 0
    }
}

/// Sets the global `arg`: the script is 0, what follows it counts up.
fn set_arg(state: State, words: &[CString], script: usize) {
    // SAFETY: the state lives; two slots.
    unsafe {
        lua_createtable(state, 0, 0);
        for (i, word) in words.iter().enumerate() {
            lua_pushstring(state, word.as_ptr());
            lua_rawseti(state, -2, i as i64 - script as i64);
        }
        lua_setglobal(state, c"arg".as_ptr());
    }
}

fn usage() -> ! {
    eprintln!("usage: lua5.5 [-e CHUNK]... [SCRIPT ARGUMENTS...]");
    exit(1)
}

fn main() {
    // A Rust program ignores SIGPIPE, an interpreter does not.
    // SAFETY: the default action for a signal that exists.
    unsafe { signal(SIGPIPE, null_mut()) };
    let bytes = |word: OsString| CString::new(word.into_vec()).expect("the system's arguments have no NUL");
    let words: Vec<CString> = args_os().map(bytes).collect();
    let mut script = 1;
    let mut chunks = Vec::new();
    while words.get(script).is_some_and(|word| word.to_bytes().starts_with(b"-")) {
        match (words[script].to_bytes(), words.get(script + 1)) {
            (b"-e", Some(chunk)) => chunks.push(chunk),
            _ => usage(),
        }
        script += 2;
    }
    if words.len() == 1 {
        usage();
    }

    // SAFETY: no state yet.
    let state = unsafe { luaL_newstate() };
    assert!(!state.is_null(), "not enough memory");
    // SAFETY: the state lives until the end, which no Rust value in it waits for.
    let ok = unsafe {
        luaL_openselectedlibs(state, !0, 0);
        set_arg(state, &words, script.min(words.len() - 1));
        let mut ok = chunks.iter().all(|chunk| call(state, luaL_loadstring(state, chunk.as_ptr()), &[]));
        if let (true, Some(path)) = (ok, words.get(script)) {
            ok = call(state, luaL_loadfilex(state, path.as_ptr(), null()), &words[script + 1..]);
        }
        lua_close(state);
        ok
    };
    exit(if ok { 0 } else { 1 })
}
