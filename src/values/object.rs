//! Userdata of the module's own beside the ring: how they are made and known again.

use crate::guard;
use crate::lua::{Function, Lua, RawState, Type};
use crate::rows::Entry;
use std::ffi::{CStr, c_int, c_void};

/// A kind of them. Its values are `Copy`, since Lua frees the memory.
pub trait Kind: Copy {
    /// The type's name, in argument errors and in `tostring`.
    const NAME: &'static CStr;
    /// Methods and metamethods, by name.
    const METHODS: &'static [Entry];

    /// An address of this loaded module's own, and no other kind's.
    fn here() -> *const c_void;

    /// Lets go of what it has. It may be used once more: by another finalizer, when a state
    /// is closed.
    fn collect(&mut self);
}

#[repr(C)]
struct Object<T> {
    /// Its own address, mixed with the kind's: no other userdata begins so.
    mark: usize,
    value: T,
}

fn mark<T: Kind>(object: *const Object<T>) -> usize {
    object as usize ^ (T::here() as usize).rotate_left(16) ^ 0x6f62_6a65
}

/// The object at `index`, if it is of the kind.
pub fn find<T: Kind>(lua: &Lua, index: c_int) -> Option<*mut T> {
    let (memory, size) = lua.userdata(index);
    let object: *mut Object<T> = memory.cast();
    // SAFETY: Lua aligns userdata, and this one is as large as an object of the kind.
    (size == size_of::<Object<T>>() && unsafe { (*object).mark } == mark(object))
        // SAFETY: as above.
        .then(|| unsafe { &raw mut (*object).value })
}

/// The object at `index`. Raises.
pub fn check<T: Kind>(lua: &mut Lua, index: c_int) -> *mut T {
    find(lua, index).unwrap_or_else(|| lua.type_error(index, T::NAME))
}

/// Pushes a new object, which is `value` until it is given another. May raise out of memory, and
/// when the state is being closed.
pub fn push<T: Kind>(lua: &mut Lua, value: T) -> *mut T {
    let object: *mut Object<T> = lua.push_userdata(size_of::<Object<T>>()).cast();
    // SAFETY: Lua has just made it that large.
    unsafe { object.write(Object { mark: mark(object), value }) };
    if lua.registry_get(T::here()) != Type::Table {
        lua.pop();
        push_type::<T>(lua);
        lua.push_copy(-1);
        lua.registry_set(T::here());
    }
    lua.set_metatable(-2);
    guard::note(lua);
    // SAFETY: it is on the stack.
    unsafe { &raw mut (*object).value }
}

/// Pushes the metatable. What `getmetatable` gives is a name: a program could take `__gc`
/// away, or call it.
fn push_type<T: Kind>(lua: &mut Lua) {
    lua.push_table();
    lua.push_table();
    for (name, function) in T::METHODS {
        lua.push_function(*function);
        // A metamethod stands beside the methods' table, which is on top.
        lua.set_field(if name.to_bytes().starts_with(b"__") { -3 } else { -2 }, name);
    }
    lua.set_field(-2, c"__index");
    let functions: [(&CStr, Function); 2] = [(c"__gc", collect::<T>), (c"__tostring", to_string::<T>)];
    for (name, function) in functions {
        lua.push_function(function);
        lua.set_field(-2, name);
    }
    for name in [c"__name", c"__metatable"] {
        lua.push_text(T::NAME);
        lua.set_field(-2, name);
    }
}

unsafe extern "C-unwind" fn collect<T: Kind>(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let value = check::<T>(lua, 1);
    // SAFETY: it is on the stack, and nobody keeps a reference.
    unsafe { (*value).collect() };
    0
}

unsafe extern "C-unwind" fn to_string<T: Kind>(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let address = check::<T>(lua, 1);
    let name = T::NAME.to_str().unwrap_or_default();
    let text = crate::lua::Message::new(format_args!("{name}: {address:p}"));
    lua.push_bytes(text.as_bytes());
    1
}
