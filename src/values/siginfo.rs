//! How a child process ended.

use crate::lua::Lua;
use crate::sys;

/// Pushes what waitid(2) fills in, or nil where no child has changed (WNOHANG). May raise.
pub fn push(lua: &mut Lua, info: &sys::siginfo_t) {
    // SAFETY: the accessors only read a struct that is all there.
    let [signo, code, pid, uid, status] = unsafe {
        let info = (&raw const *info).cast_mut();
        [
            sys::luring_siginfo_signo(info),
            sys::luring_siginfo_code(info),
            sys::luring_siginfo_pid(info),
            sys::luring_siginfo_uid(info),
            sys::luring_siginfo_status(info),
        ]
    };
    if pid == 0 {
        return lua.push_nil();
    }
    lua.push_record_for(5);
    let fields = [(c"signo", signo), (c"code", code), (c"pid", pid), (c"status", status)];
    for (name, value) in fields {
        lua.push_integer(value.into());
        lua.set_field(-2, name);
    }
    lua.push_integer((uid as u32).into());
    lua.set_field(-2, c"uid");
}
