//! Lua's values as the synchronous functions see them: files, other libraries' objects, tables.

use super::{Lua, Type};
use crate::sys;
use mlua::ffi;
use std::ffi::{CStr, c_int};

/// A Lua file's memory, as far as it is used here: lauxlib.h's `luaL_Stream`. Lua 5.1 and
/// LuaJIT have the pointer first too.
#[repr(C)]
#[derive(Clone, Copy)]
struct Stream {
    file: *mut sys::FILE,
    /// Null once it is closed. 5.1 and LuaJIT clear `file` instead.
    #[cfg(not(any(feature = "lua51", feature = "luajit")))]
    close: Option<ffi::lua_CFunction>,
}

/// What a value is to Lua's library `io`.
pub enum File {
    /// No file at all.
    No,
    /// A file that has been closed.
    Closed,
    /// An open file.
    Open(*mut sys::FILE),
}

impl Lua {
    /// Which file the value at `index` is. May raise out of memory.
    pub fn file(&mut self, index: c_int) -> File {
        let (memory, size) = self.userdata(index);
        if size < size_of::<Stream>() || !self.is_file(index) {
            return File::No;
        }
        // SAFETY: the type's name says what it is, and only the debug library can lie.
        let stream = unsafe { memory.cast::<Stream>().read() };
        #[cfg(not(any(feature = "lua51", feature = "luajit")))]
        if stream.close.is_none() {
            return File::Closed;
        }
        if stream.file.is_null() { File::Closed } else { File::Open(stream.file) }
    }

    /// Whether the metatable of the value at `index` is that of files.
    fn is_file(&mut self, index: c_int) -> bool {
        // SAFETY: `new`'s promise; three slots.
        unsafe {
            if ffi::lua_getmetatable(self.0, index) == 0 {
                return false;
            }
            ffi::lua_getfield(self.0, ffi::LUA_REGISTRYINDEX, c"FILE*".as_ptr());
            let equal = ffi::lua_rawequal(self.0, -1, -2) != 0;
            self.pop();
            self.pop();
            equal
        }
    }

    /// Whether the value at `index` can be asked for a field: a table, or what has an
    /// `__index`. May raise out of memory.
    pub fn has_fields(&mut self, index: c_int) -> bool {
        if self.kind(index) == Type::Table {
            return true;
        }
        // SAFETY: `new`'s promise; one slot.
        let found = unsafe { ffi::luaL_getmetafield(self.0, index, c"__index".as_ptr()) != ffi::LUA_TNIL };
        if found {
            self.pop();
        }
        found
    }

    /// Pushes the object's field, or what it returns if it is a method, and tells whether
    /// there is one. May raise anything, and may run any Lua code.
    pub fn ask(&mut self, object: c_int, name: &CStr) -> bool {
        let kind = self.get_field(object, name);
        if kind == Type::Function {
            self.push_copy(object);
            // SAFETY: `new`'s promise; the function and its argument have been pushed.
            unsafe { ffi::lua_call(self.0, 1, 1) };
        }
        kind != Type::Nil
    }

    /// The boolean at `index`.
    pub fn boolean(&self, index: c_int) -> bool {
        // SAFETY: `new`'s promise.
        unsafe { ffi::lua_toboolean(self.0, index) != 0 }
    }

    /// Pushes a float.
    pub fn push_number(&self, value: f64) {
        // SAFETY: `new`'s promise; one slot.
        unsafe { ffi::lua_pushnumber(self.0, value) }
    }

    /// Pops a key, and pushes the next one and its value from the table at `table`, if there
    /// is one. Raises when the table has been changed meanwhile.
    pub fn next(&mut self, table: c_int) -> bool {
        // SAFETY: `new`'s promise; the callers know a table is there, and pushed nil or a key.
        unsafe { ffi::lua_next(self.0, table) != 0 }
    }

    /// Joins the `count` strings on top. May raise out of memory.
    pub fn concat(&mut self, count: c_int) {
        // SAFETY: `new`'s promise; the callers pushed as many.
        unsafe { ffi::lua_concat(self.0, count) }
    }

    /// `table[key] = value` of the table under the two on top, and pops both. May raise out
    /// of memory.
    pub fn set_pair(&mut self) {
        // SAFETY: `new`'s promise; the callers pushed all three.
        unsafe { ffi::lua_rawset(self.0, -3) }
    }

    /// `table[name] = value` of the table on top. May raise out of memory.
    pub fn set_integer(&mut self, name: &CStr, value: i64) {
        self.push_integer(value);
        self.set_field(-2, name);
    }
}
