//! The Lua C API, as far as the module uses it. Nothing outside this folder names `mlua::ffi`.
//!
//! A Lua error leaves by `longjmp` (PUC Lua) or by unwinding (LuaJIT). Either way
//! the frames between here and the interpreter must own nothing that has a
//! destructor. Every function below that may raise says so; its callers hold
//! only `Copy` values while they call it.

mod calls;
mod finalizers;
mod objects;

pub use objects::File;

use mlua::ffi;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::slice_from_raw_parts;

/// A C function that Lua can call.
pub type Function = unsafe extern "C-unwind" fn(*mut ffi::lua_State) -> c_int;

/// The raw state, as entry points receive it.
pub type RawState = *mut ffi::lua_State;

/// The state that one call brought. It is never stored: it may be a coroutine's.
///
/// The methods are safe to call because `new` asks for what they need. Each needs
/// at most three free stack slots; Lua gives every C function twenty.
pub struct Lua(RawState);

/// The type of the value in a stack slot, as far as the module tells types apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// No argument there at all.
    None,
    /// `nil`.
    Nil,
    /// A boolean.
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// A table.
    Table,
    /// A function, Lua's or C's.
    Function,
    /// A light userdata.
    Light,
    /// A full userdata.
    Userdata,
    /// A thread, or what a later Lua may add.
    Other,
}

impl Type {
    #[inline]
    fn of(number: c_int) -> Type {
        match number {
            ffi::LUA_TNONE => Type::None,
            ffi::LUA_TNIL => Type::Nil,
            ffi::LUA_TBOOLEAN => Type::Boolean,
            ffi::LUA_TNUMBER => Type::Number,
            ffi::LUA_TSTRING => Type::String,
            ffi::LUA_TTABLE => Type::Table,
            ffi::LUA_TFUNCTION => Type::Function,
            ffi::LUA_TLIGHTUSERDATA => Type::Light,
            ffi::LUA_TUSERDATA => Type::Userdata,
            _ => Type::Other,
        }
    }
}

/// Why a value is not an integer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NotInteger {
    /// It is no number, nor a string that Lua reads as one.
    NotNumber,
    /// It is a number with a fraction, or too large.
    NoRepresentation,
}

/// A block of memory as Lua hands it out: valid while the Lua value lives.
pub type Bytes = *const [u8];

/// Text for an error, built without a destructor: Lua's errors skip those.
/// What does not fit is cut.
#[derive(Clone, Copy)]
pub struct Message {
    text: [u8; 400],
    len: usize,
}

impl Message {
    /// Formats `arguments` into a new message.
    pub fn new(arguments: fmt::Arguments) -> Message {
        let mut message = Message { text: [0; 400], len: 0 };
        let _ = fmt::Write::write_fmt(&mut message, arguments);
        message
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }

    fn as_ptr(&self) -> *const c_char {
        self.text.as_ptr().cast()
    }
}

impl fmt::Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The last byte stays zero, so that C reads the text as a string.
        let room = self.text.len() - 1 - self.len;
        for (to, from) in self.text.iter_mut().skip(self.len).take(room).zip(text.bytes()) {
            *to = from;
            self.len += 1;
        }
        Ok(())
    }
}

impl Lua {
    /// # Safety
    /// `state` is the one that Lua called the module with, and the call is not over.
    pub unsafe fn new(state: RawState) -> Lua {
        Lua(state)
    }

    /// Raises unless the interpreter is the Lua that this was built for. Some that are not
    /// have every symbol, but number the registry otherwise, say. Lua 5.1 lacks the
    /// function, and every later one a symbol that a module for 5.1 needs.
    pub fn check_version(&mut self) {
        // SAFETY: `new`'s promise.
        #[cfg(feature = "lua52")]
        unsafe {
            ffi::luaL_checkversion_(self.0, 502.0)
        }
        // SAFETY: `new`'s promise. The last argument is what Lua calls LUAL_NUMSIZES.
        #[cfg(not(any(feature = "lua51", feature = "luajit", feature = "lua52")))]
        unsafe {
            let version = if cfg!(feature = "lua53") {
                503.0
            } else if cfg!(feature = "lua54") {
                504.0
            } else {
                505.0
            };
            let sizes = size_of::<ffi::lua_Integer>() * 16 + size_of::<ffi::lua_Number>();
            ffi::luaL_checkversion_(self.0, version, sizes)
        }
    }

    // ---- reading the stack: nothing here raises unless it says so ----

    /// How many values there are on the stack.
    pub fn top(&self) -> c_int {
        // SAFETY: `new`'s promise.
        unsafe { ffi::lua_gettop(self.0) }
    }

    /// Cuts or fills the stack to `top` values.
    pub fn set_top(&self, top: c_int) {
        // SAFETY: `new`'s promise; callers ask for few slots.
        unsafe { ffi::lua_settop(self.0, top) }
    }

    /// The type of the value at `index`.
    #[inline]
    pub fn kind(&self, index: c_int) -> Type {
        // SAFETY: `new`'s promise; any index up to the stack's size may be asked about.
        Type::of(unsafe { ffi::lua_type(self.0, index) })
    }

    /// Whether the argument at `index` is absent or nil.
    #[inline]
    pub fn absent(&self, index: c_int) -> bool {
        matches!(self.kind(index), Type::None | Type::Nil)
    }

    /// The integer at `index`, on every Lua by the rule of 5.3: a float or a numeric
    /// string counts when it stands for an integer exactly.
    #[inline]
    pub fn integer(&self, index: c_int) -> Result<i64, NotInteger> {
        #[cfg(has_integers)]
        {
            let mut is_integer = 0;
            // SAFETY: `new`'s promise; the flag outlives the call.
            let value = unsafe { ffi::lua_tointegerx(self.0, index, &mut is_integer) };
            if is_integer != 0 { Ok(value) } else { Err(self.why_no_integer(index)) }
        }
        #[cfg(not(has_integers))]
        {
            // These have one kind of number, and their lua_tointeger cuts 1.5 to 1.
            // SAFETY: `new`'s promise.
            let number = unsafe { ffi::lua_tonumber(self.0, index) };
            let value = number as i64;
            // 2^63 saturates to a value that compares equal as a float, but isn't.
            let exact = value as f64 == number && value != i64::MAX;
            if exact && (value != 0 || self.is_number(index)) {
                Ok(value)
            } else {
                Err(self.why_no_integer(index))
            }
        }
    }

    #[cold]
    fn why_no_integer(&self, index: c_int) -> NotInteger {
        if self.is_number(index) { NotInteger::NoRepresentation } else { NotInteger::NotNumber }
    }

    fn is_number(&self, index: c_int) -> bool {
        // SAFETY: `new`'s promise.
        unsafe { ffi::lua_isnumber(self.0, index) != 0 }
    }

    /// The number at `index`, as a float, or `None` when it is none, nor its text.
    pub fn number(&self, index: c_int) -> Option<f64> {
        // SAFETY: `new`'s promise.
        self.is_number(index).then(|| unsafe { ffi::lua_tonumber(self.0, index) })
    }

    /// The string at `index`, or `None` when it is neither a string nor a number. A
    /// number is replaced by its text, which may run the collector and raise.
    #[inline]
    pub fn bytes(&mut self, index: c_int) -> Option<Bytes> {
        let mut len = 0;
        // SAFETY: `new`'s promise; `index` is an argument's, so it may be replaced.
        let ptr = unsafe { ffi::lua_tolstring(self.0, index, &mut len) };
        if ptr.is_null() { None } else { Some(slice_from_raw_parts(ptr.cast(), len)) }
    }

    /// The string at `index`, where one is known to be: empty for anything else.
    pub fn string(&self, index: c_int) -> Bytes {
        if self.kind(index) != Type::String {
            return slice_from_raw_parts(c"".as_ptr().cast(), 0);
        }
        let mut len = 0;
        // SAFETY: `new`'s promise; a string is not converted.
        let ptr = unsafe { ffi::lua_tolstring(self.0, index, &mut len) };
        slice_from_raw_parts(ptr.cast(), len)
    }

    /// Whether the value at `index` is neither nil nor false.
    pub fn truth(&self, index: c_int) -> bool {
        // SAFETY: `new`'s promise.
        unsafe { ffi::lua_toboolean(self.0, index) != 0 }
    }

    /// The pointer that the light userdata at `index` is, or where a full one's memory
    /// is; null for anything else.
    #[inline]
    pub fn pointer(&self, index: c_int) -> usize {
        // SAFETY: `new`'s promise.
        unsafe { ffi::lua_touserdata(self.0, index) as usize }
    }

    /// The memory and the size of the full userdata at `index`: zero for what is none.
    #[inline]
    pub fn userdata(&self, index: c_int) -> (*mut c_void, usize) {
        // SAFETY: `new`'s promise. The size of a light userdata is zero, and a string or a
        // table, which have one, is no userdata.
        unsafe {
            let memory = ffi::lua_touserdata(self.0, index);
            (memory, if memory.is_null() { 0 } else { ffi::lua_rawlen(self.0, index) })
        }
    }

    /// The address of the function, table or userdata at `index`: while the value lives,
    /// no other has it.
    #[inline]
    pub fn address(&self, index: c_int) -> usize {
        // SAFETY: `new`'s promise.
        unsafe { ffi::lua_topointer(self.0, index) as usize }
    }

    /// Whether the value at `index`, which is no function, can be called all the same. May
    /// raise out of memory.
    pub fn has_call(&mut self, index: c_int) -> bool {
        // SAFETY: `new`'s promise; one slot.
        let found = unsafe { ffi::luaL_getmetafield(self.0, index, c"__call".as_ptr()) != ffi::LUA_TNIL };
        if found {
            self.pop();
        }
        found
    }

    // ---- pushing: strings and new objects may raise out of memory, and may run
    // ---- the collector, which may run any finalizer of the program

    /// Pushes nil.
    #[inline]
    pub fn push_nil(&self) {
        // SAFETY: `new`'s promise; one slot.
        unsafe { ffi::lua_pushnil(self.0) }
    }

    /// Pushes a boolean.
    pub fn push_boolean(&self, value: bool) {
        // SAFETY: `new`'s promise; one slot.
        unsafe { ffi::lua_pushboolean(self.0, value.into()) }
    }

    /// Pushes an integer. On 32 bits the integers of Lua 5.1, 5.2 and LuaJIT are shorter, but not
    /// their numbers.
    #[inline]
    pub fn push_integer(&self, value: i64) {
        // SAFETY: `new`'s promise; one slot.
        unsafe {
            if size_of::<ffi::lua_Integer>() < size_of::<i64>() {
                ffi::lua_pushnumber(self.0, value as f64);
            } else {
                ffi::lua_pushinteger(self.0, value as ffi::lua_Integer);
            }
        }
    }

    /// Pushes a light userdata.
    #[inline]
    pub fn push_light(&self, value: usize) {
        // SAFETY: `new`'s promise; one slot.
        unsafe { ffi::lua_pushlightuserdata(self.0, value as *mut c_void) }
    }

    /// Pushes a copy of the value at `index`.
    #[inline]
    pub fn push_copy(&self, index: c_int) {
        // SAFETY: `new`'s promise; one slot.
        unsafe { ffi::lua_pushvalue(self.0, index) }
    }

    /// Pushes a function. May raise out of memory.
    pub fn push_function(&mut self, function: Function) {
        // SAFETY: `new`'s promise; one slot. `function` obeys the rules of this file.
        unsafe { ffi::lua_pushcfunction(self.0, function) }
    }

    /// Pushes a string. May raise out of memory.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        // SAFETY: `new`'s promise; one slot. Slices of constants and of the stack only:
        // Lua before 5.3 runs the collector before it copies.
        unsafe { ffi::lua_pushlstring(self.0, bytes.as_ptr().cast(), bytes.len()) };
    }

    /// Pushes a C string. May raise out of memory.
    pub fn push_text(&mut self, text: &CStr) {
        self.push_bytes(text.to_bytes());
    }

    /// Pushes an empty table. May raise out of memory.
    pub fn push_table(&mut self) {
        // SAFETY: `new`'s promise; one slot.
        unsafe { ffi::lua_createtable(self.0, 0, 0) }
    }

    /// Pushes an empty table with room for a list of `count`. May raise out of memory.
    pub fn push_table_for(&mut self, count: c_int) {
        // SAFETY: `new`'s promise; one slot.
        unsafe { ffi::lua_createtable(self.0, count, 0) }
    }

    /// Pushes an empty table with room for `count` fields. May raise out of memory.
    pub fn push_record_for(&mut self, count: c_int) {
        // SAFETY: `new`'s promise; one slot.
        unsafe { ffi::lua_createtable(self.0, 0, count) }
    }

    /// Pushes a new full userdata and gives its memory. May raise out of memory.
    pub fn push_userdata(&mut self, size: usize) -> *mut c_void {
        // SAFETY: `new`'s promise; one slot.
        unsafe { ffi::lua_newuserdata(self.0, size) }
    }

    /// Pushes a copy of memory that a finalizer of the program might free.
    ///
    /// Lua from 5.3 on copies the bytes and runs the collector then. May raise.
    ///
    /// # Safety
    /// `bytes` is valid until Lua code runs.
    #[cfg(copies_first)]
    #[inline]
    pub unsafe fn push_volatile(&mut self, bytes: Bytes) {
        // SAFETY: `new`'s promise; one slot; the caller's promise.
        unsafe { ffi::lua_pushlstring(self.0, bytes.cast(), bytes.len()) };
    }

    /// Pushes a copy of memory that no Lua code can free. May raise.
    ///
    /// # Safety
    /// `bytes` is valid whatever Lua code does meanwhile.
    pub unsafe fn push_lent(&mut self, bytes: Bytes) {
        // SAFETY: `new`'s promise; one slot; the caller's promise.
        unsafe { ffi::lua_pushlstring(self.0, bytes.cast(), bytes.len()) };
    }

    /// As `push_volatile`, for at most `SMALL` bytes. Other Luas run the collector first: so the
    /// bytes are copied to the stack before. May raise.
    ///
    /// # Safety
    /// `bytes` is valid until Lua code runs, and not longer than `SMALL`.
    #[inline(never)] // its copy must not stay on the C stack while a callback runs
    pub unsafe fn push_small(&mut self, bytes: Bytes) {
        let mut copy = [const { MaybeUninit::<u8>::uninit() }; Lua::SMALL];
        let copy: *mut u8 = copy.as_mut_ptr().cast();
        // SAFETY: `new`'s promise; one slot; `copy` has room, and outlives the call.
        unsafe {
            copy.copy_from_nonoverlapping(bytes.cast::<u8>(), bytes.len());
            ffi::lua_pushlstring(self.0, copy.cast(), bytes.len());
        }
    }

    /// What `push_small` takes at the most.
    pub const SMALL: usize = 4096;

    /// Calls the function under `arguments` values in protected mode. Leaves one result, or
    /// the error and false. May run any Lua code.
    pub fn call_protected(&mut self, arguments: c_int) -> bool {
        // SAFETY: `new`'s promise; the callers pushed the function and its arguments.
        unsafe { ffi::lua_pcall(self.0, arguments, 1, 0) == 0 }
    }

    // ---- tables ----

    /// `table[key] = top`, and pops it. May raise out of memory.
    pub fn set_field(&mut self, table: c_int, key: &CStr) {
        // SAFETY: `new`'s promise; `table` holds a table of the module's own.
        unsafe { ffi::lua_setfield(self.0, table, key.as_ptr()) }
    }

    /// Pushes `value[key]` of the table at `index`, metamethods included. May raise
    /// anything.
    pub fn get_field(&mut self, index: c_int, key: &CStr) -> Type {
        // SAFETY: `new`'s promise; two slots.
        unsafe { ffi::lua_getfield(self.0, index, key.as_ptr()) };
        self.kind(-1)
    }

    /// The length of the table at `index`, without metamethods.
    pub fn raw_len(&self, index: c_int) -> usize {
        // SAFETY: `new`'s promise.
        unsafe { ffi::lua_rawlen(self.0, index) as usize }
    }

    /// Puts the top at `index`, and pops it.
    pub fn replace(&mut self, index: c_int) {
        // SAFETY: `new`'s promise; the callers know both places are theirs.
        unsafe { ffi::lua_replace(self.0, index) }
    }

    /// Takes the value at `index` out of the stack.
    pub fn remove(&mut self, index: c_int) {
        // SAFETY: `new`'s promise; the callers know the place is theirs.
        unsafe { ffi::lua_remove(self.0, index) }
    }

    /// Pushes `table[key]`.
    #[inline]
    pub fn raw_get(&self, table: c_int, key: u32) -> Type {
        // SAFETY: `new`'s promise; the callers know a table is there; one slot.
        Type::of(unsafe { ffi::lua_rawgeti(self.0, table, key as ffi::lua_Integer) })
    }

    /// `table[key] = top`, and pops it. Raises out of memory if the key is new.
    #[inline]
    pub fn raw_set(&self, table: c_int, key: u32) {
        // SAFETY: `new`'s promise; the callers know a table is there.
        unsafe { ffi::lua_rawseti(self.0, table, key as ffi::lua_Integer) }
    }

    /// Pushes what the registry has under an address of the module's own.
    pub fn registry_get(&self, key: *const c_void) -> Type {
        // SAFETY: `new`'s promise; two slots.
        unsafe { ffi::lua_rawgetp(self.0, ffi::LUA_REGISTRYINDEX, key) };
        self.kind(-1)
    }

    /// Puts the top under an address of the module's own, and pops it. May raise.
    pub fn registry_set(&mut self, key: *const c_void) {
        // SAFETY: `new`'s promise; two slots.
        unsafe { ffi::lua_rawsetp(self.0, ffi::LUA_REGISTRYINDEX, key) }
    }

    /// Gives the registry's entry `name` to the table on top unless it is taken, and
    /// leaves the stack as it was. May raise out of memory.
    pub fn register_type(&mut self, name: &CStr) {
        // SAFETY: `new`'s promise; three slots.
        unsafe {
            if self.get_field(ffi::LUA_REGISTRYINDEX, name) == Type::Nil {
                ffi::lua_pushvalue(self.0, -2);
                ffi::lua_setfield(self.0, ffi::LUA_REGISTRYINDEX, name.as_ptr());
            }
            self.pop();
        }
    }

    /// Sets the metatable on top for the value at `index`, and pops it.
    pub fn set_metatable(&mut self, index: c_int) {
        // SAFETY: `new`'s promise; the callers pushed a table.
        unsafe { ffi::lua_setmetatable(self.0, index) };
    }

    /// Pushes the table that goes with the userdata at `index`; its type tells
    /// whether one is there.
    #[inline]
    pub fn user_table(&self, index: c_int) -> Type {
        // SAFETY: `new`'s promise; the callers know a full userdata is there.
        Type::of(unsafe { ffi::lua_getuservalue(self.0, index) })
    }

    /// Makes the table on top go with the userdata at `index`, and pops it.
    pub fn set_user_table(&self, index: c_int) {
        // SAFETY: `new`'s promise; the callers know what is where.
        unsafe { ffi::lua_setuservalue(self.0, index) };
    }

    /// Lets go of the table that goes with the userdata at `index`. Cannot raise.
    pub fn clear_user_table(&self, index: c_int) {
        // Lua 5.1 wants some table there, and making a new one could fail.
        #[cfg(any(feature = "lua51", feature = "luajit"))]
        self.push_copy(ffi::LUA_GLOBALSINDEX);
        #[cfg(not(any(feature = "lua51", feature = "luajit")))]
        self.push_nil();
        self.set_user_table(index);
    }

    /// Pops one value.
    #[inline]
    pub fn pop(&self) {
        self.set_top(-2);
    }

    // ---- the collector ----

    /// Collects all garbage. Finalizers may run any Lua code, and raise.
    pub fn collect(&mut self) {
        // SAFETY: `new`'s promise.
        unsafe { ffi::lua_gc(self.0, ffi::LUA_GCCOLLECT, 0) };
    }

    // ---- calling and raising ----

    /// Calls the function under `arguments` values, and drops what it returns. Raises
    /// what the function raises, and may run any Lua code: hold no reference into a
    /// ring meanwhile.
    #[inline]
    pub fn call(&mut self, arguments: c_int) {
        self.call_for(arguments, 0);
    }

    /// As `call`, and leaves as many results as are asked for.
    #[inline]
    pub fn call_for(&mut self, arguments: c_int, results: c_int) {
        // SAFETY: `new`'s promise; the callers pushed the function and its arguments.
        unsafe { ffi::lua_call(self.0, arguments, results) }
    }

    /// Pushes a part of the module that is written in Lua, as a function. Its lines are named
    /// after `name`. May raise.
    pub fn push_chunk(&mut self, source: &'static str, name: &CStr) {
        // SAFETY: `new`'s promise; one slot; both texts outlive the call.
        let status =
            unsafe { ffi::luaL_loadbuffer(self.0, source.as_ptr().cast(), source.len(), name.as_ptr()) };
        if status != ffi::LUA_OK {
            self.raise();
        }
    }

    /// Raises the value on top.
    pub fn raise(&self) -> ! {
        // SAFETY: `new`'s promise; by the rule of this file nobody up the stack owns
        // anything.
        unsafe { ffi::lua_error(self.0) }
    }

    /// Raises `message` with the position of the calling Lua code before it.
    #[cold]
    pub fn error(&self, message: Message) -> ! {
        // SAFETY: as in `raise`; the message outlives the call, which copies it.
        unsafe {
            ffi::luaL_error(self.0, c"%s".as_ptr(), message.as_ptr());
            std::hint::unreachable_unchecked() // luaL_error doesn't return
        }
    }

    /// Raises `bad argument #index to 'function' (message)`.
    #[cold]
    pub fn argument_error(&self, index: c_int, message: Message) -> ! {
        // SAFETY: as in `error`.
        unsafe {
            ffi::luaL_argerror(self.0, index, message.as_ptr());
            std::hint::unreachable_unchecked() // luaL_argerror doesn't return
        }
    }

    /// Raises `bad argument #index to 'function' (expected expected, got ...)`.
    #[cold]
    pub fn type_error(&self, index: c_int, expected: &CStr) -> ! {
        // SAFETY: as in `error`; the texts are on the stack or Lua's own constants
        // while luaL_argerror copies them; three slots.
        unsafe {
            let name = ffi::luaL_getmetafield(self.0, index, c"__name".as_ptr());
            let got = match self.kind(index) {
                _ if name == ffi::LUA_TSTRING => ffi::lua_tostring(self.0, -1),
                Type::Light => c"light userdata".as_ptr(),
                _ => ffi::luaL_typename(self.0, index),
            };
            let text = c"%s expected, got %s".as_ptr();
            let text = ffi::lua_pushfstring(self.0, text, expected.as_ptr(), got);
            ffi::luaL_argerror(self.0, index, text);
            std::hint::unreachable_unchecked() // luaL_argerror doesn't return
        }
    }

    /// Raises what Lua raises when memory is short.
    #[cold]
    pub fn out_of_memory(&self) -> ! {
        // SAFETY: `new`'s promise; one slot. Nothing of a ring is used any more.
        unsafe { ffi::lua_pushstring(self.0, c"not enough memory".as_ptr()) };
        self.raise()
    }
}

/// A function for `call_protected`: the string of the `Bytes` that its argument points to.
/// These Luas run the collector before they copy.
///
/// # Safety
/// Lua has called with `state`, and the argument is the address of `Bytes` that live.
#[cfg(not(copies_first))]
pub unsafe extern "C-unwind" fn copy_bytes(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let bytes: Bytes = *ffi::lua_touserdata(state, 1).cast();
        ffi::lua_pushlstring(state, bytes.cast(), bytes.len());
    }
    1
}
