//! The userdata that Lua has of a ring: how it is checked, and what goes with it.
//!
//! A table goes with each: it holds the callbacks in flight, and under 0 a second table
//! with the values that a slot keeps, such as strings that the kernel reads from. The guard
//! keeps that too. So a callback lives as long as its ring is reachable, and one that refers
//! to its own ring is no leak.

use crate::guard::{self, Place};
use crate::lua::{Function, Lua, Message, RawState, Type};
use crate::ring::Ring;
use crate::ring::callbacks::Id;
use std::ffi::{CStr, c_int, c_void};
use std::mem::{replace, take};

/// The name of the type: in the registry, in `tostring`.
pub const TYPE_NAME: &CStr = c"luring";

/// The userdata's memory.
#[repr(C)]
struct Block {
    /// Its own address, mixed with this loaded module's: no other userdata begins so.
    mark: usize,
    /// Without a ring once that has been exited, and before it is made. Never null.
    place: *mut Place,
    /// The number under which the guard keeps the contents; zero when it doesn't.
    kept: u32,
}

/// Its address is this loaded module's own: two builds of the module in one process
/// don't take each other's rings for theirs.
static HERE: u8 = 0;

fn mark(block: *const Block) -> usize {
    block as usize ^ (&raw const HERE as usize).rotate_left(16) ^ 0x6c75_7269
}

/// A userdata at a place of the stack that is known to be a ring of this module.
#[derive(Clone, Copy)]
pub struct Handle {
    block: *mut Block,
}

/// The place of the ring among the arguments of every function that takes one.
pub const RING: c_int = 1;

impl Handle {
    /// The ring that is the first argument, exited or not. Raises.
    #[inline]
    pub fn check(lua: &mut Lua) -> Handle {
        let (block, size) = lua.userdata(RING);
        let block: *mut Block = block.cast();
        // SAFETY: Lua aligns userdata, and this one is as large as a block.
        if size == size_of::<Block>() && unsafe { (*block).mark } == mark(block) {
            return Handle { block };
        }
        lua.type_error(RING, c"ring")
    }

    /// The ring that is the first argument and can be used. Raises.
    #[inline]
    pub fn check_open(lua: &mut Lua) -> Handle {
        let handle = Handle::check(lua);
        handle.ring(lua);
        handle
    }

    /// The ring itself. Raises when it has been exited, or is a parent process's.
    ///
    /// It borrows `lua`, so that nobody holds it while Lua code runs, which may exit the ring.
    #[inline]
    #[allow(clippy::mut_from_ref)] // of the block, and not of `lua`
    pub fn ring(self, lua: &Lua) -> &mut Ring {
        match self.get(lua) {
            Some(ring) if !ring.inherited() => ring,
            Some(_) => unusable(lua, "the ring belongs to the parent process"),
            None => unusable(lua, "the ring has been exited"),
        }
    }

    /// The ring itself, unless it has been exited. As for `ring`, it is
    /// held no longer than to the next Lua code.
    #[inline]
    #[allow(clippy::mut_from_ref)] // as above
    pub fn get(self, _lua: &Lua) -> Option<&mut Ring> {
        // SAFETY: the block is on the stack, so it and its place live; the ring is null or
        // lives. One thread at a time runs a Lua state, and nobody keeps such a reference.
        unsafe { (*(*self.block).place).ring().as_mut() }
    }

    /// The userdata's memory, by which Lua tells it from others.
    pub fn memory(self) -> *const c_void {
        self.block.cast_const().cast()
    }

    /// Takes the ring out, which exits it for Lua. The place may be garbage then.
    fn take(self) -> Option<Box<Ring>> {
        // SAFETY: the block and its place live, and so do those beside it in the list.
        unsafe { Place::take(replace(&mut (*self.block).place, Place::nowhere())) }
    }

    /// Gives a handle that `push` made its ring.
    ///
    /// # Safety
    /// The state's guard is open.
    pub unsafe fn put(self, lua: &Lua, ring: Box<Ring>) {
        // SAFETY: the caller's promise. The block lives, and `collect` takes the ring out.
        unsafe { guard::put(lua, (*self.block).place, ring) }
    }

    /// Pushes a new userdata that has no ring yet. May raise out of memory.
    pub fn push(lua: &mut Lua) -> Handle {
        let block: *mut Block = lua.push_userdata(size_of::<Block>()).cast();
        // SAFETY: Lua has just made it that large.
        unsafe { block.write(Block { mark: mark(block), place: Place::nowhere(), kept: 0 }) };
        let userdata = lua.top();
        lua.registry_get(registry_key());
        lua.set_metatable(userdata);
        lua.push_table();
        lua.push_table();
        let place = Place::push(lua);
        lua.raw_set(-2, PLACE);
        // SAFETY: the block is on the stack, so it lives.
        unsafe { (*block).kept = guard::keep(lua) };
        lua.raw_set(-2, VALUES);
        lua.set_user_table(userdata);
        // SAFETY: as above. The place lives as long as the table, which the guard keeps and `exit`
        // gives up; before now an error might have lost it.
        unsafe { (*block).place = place };
        Handle { block }
    }

    /// Exits the ring: what is in flight is cancelled and reaped, and all of it freed.
    /// Again, and nothing happens.
    pub fn exit(self, lua: &mut Lua) {
        let reaped = self.take().is_none_or(Ring::exit);
        // SAFETY: the block is on the stack, so it lives.
        let kept = take(unsafe { &mut (*self.block).kept });
        if kept != 0 {
            lua.clear_user_table(RING);
            if reaped {
                guard::release(lua, kept);
            }
        }
    }
}

/// The place of the values' table in the ring's table: Lua's arrays begin at 1.
const VALUES: u32 = 0;

/// The place in the values' table of what belongs to the completion at the head.
const HEAD: u32 = 0;

/// The key of the ring's own place in the values' table: no slot has it.
const PLACE: u32 = i32::MAX as u32;

/// The place of a slot's value in the values' table.
fn value_place(slot: u32) -> u32 {
    slot + 1
}

/// Pushes the table that goes with the ring. Raises when a program has put something
/// else there, for which it needs the debug library.
#[inline]
pub fn push_table(lua: &Lua) {
    if lua.user_table(RING) != Type::Table {
        no_table(lua);
    }
}

#[cold]
#[inline(never)]
fn no_table(lua: &Lua) -> ! {
    lua.error(Message::new(format_args!("the ring has lost its table")))
}

/// Keeps the callback at `index` of the stack, in the table on top. May raise out of
/// memory.
#[inline]
pub fn keep_callback(lua: &Lua, id: Id, index: c_int) {
    lua.push_copy(index);
    lua.raw_set(-2, id.number());
}

/// Pushes a callback from the ring's table, which is at `table`.
#[inline]
pub fn push_callback(lua: &Lua, table: c_int, id: Id) {
    lua.raw_get(table, id.number());
}

/// Lets go of a callback, in the table on top.
#[inline]
pub fn release_callback(lua: &Lua, id: Id) {
    lua.push_nil();
    lua.raw_set(-2, id.number());
}

/// Keeps a slot's value, which is at `index` of the stack. The ring's table is on top.
/// May raise out of memory.
#[inline]
pub fn keep_value(lua: &Lua, slot: u32, index: c_int) {
    lua.raw_get(-1, VALUES);
    lua.push_copy(index);
    lua.raw_set(-2, value_place(slot));
    lua.pop();
}

/// Pushes a slot's value. The ring's table is at `table`.
pub fn push_value(lua: &mut Lua, table: c_int, slot: u32) {
    push_at(lua, table, value_place(slot));
}

fn push_at(lua: &mut Lua, table: c_int, place: u32) {
    lua.raw_get(table, VALUES);
    lua.raw_get(-1, place);
    lua.remove(-2);
}

/// Keeps a copy of the top for as long as the head is not seen. The ring's table is at
/// `table`. May raise out of memory.
pub fn keep_head(lua: &mut Lua, table: c_int) {
    lua.raw_get(table, VALUES);
    lua.push_copy(-2);
    lua.raw_set(-2, HEAD);
    lua.pop();
}

/// Pushes what `keep_head` has kept. The ring's table is at `table`.
pub fn push_head(lua: &mut Lua, table: c_int) {
    push_at(lua, table, HEAD);
}

/// Lets go of it, if it is there: some Luas make room in a table for a nil that is new, and
/// raise when there is none. The ring's table is on top.
pub fn release_head(lua: &Lua) {
    lua.raw_get(-1, VALUES);
    if lua.raw_get(-1, HEAD) != Type::Nil {
        lua.push_nil();
        lua.raw_set(-3, HEAD);
    }
    lua.pop();
    lua.pop();
}

/// Lets go of a slot's value. The ring's table is on top.
#[inline]
pub fn release_value(lua: &Lua, slot: u32) {
    release_at(lua, value_place(slot));
}

#[inline]
fn release_at(lua: &Lua, place: u32) {
    lua.raw_get(-1, VALUES);
    lua.push_nil();
    lua.raw_set(-2, place);
    lua.pop();
}

/// Where the ring's table has the function that gets other rings' messages.
const HANDLER: &CStr = c"message";

/// Pushes the function that gets messages from the ring's table, which is at `table`.
pub fn push_handler(lua: &mut Lua, table: c_int) -> Type {
    lua.get_field(table, HANDLER)
}

/// Keeps the function on top, or nil, as the one that gets messages. The ring's table is under
/// it. May raise out of memory.
pub fn keep_handler(lua: &mut Lua) {
    lua.set_field(-2, HANDLER);
}

#[cold]
#[inline(never)]
fn unusable(lua: &Lua, why: &str) -> ! {
    lua.argument_error(RING, Message::new(format_args!("{why}")))
}

fn registry_key() -> *const c_void {
    (&raw const HERE).cast()
}

/// Makes the type of rings, or takes the one that an earlier load of this module has
/// made. `methods` is the place of the table of functions that `ring:method()` finds.
/// May raise.
pub fn register(lua: &mut Lua, methods: c_int) {
    if lua.registry_get(registry_key()) != Type::Table {
        lua.pop();
        push_type(lua);
        // Another build of luring may have taken the name: its rings stay its own.
        lua.register_type(TYPE_NAME);
        lua.push_copy(-1);
        lua.registry_set(registry_key());
    }
    lua.push_copy(methods);
    lua.set_field(-2, c"__index");
    lua.pop();
}

fn push_type(lua: &mut Lua) {
    lua.push_table();
    let functions: [(&CStr, Function); 3] =
        [(c"__gc", collect), (c"__close", collect), (c"__tostring", to_string)];
    for (name, function) in functions {
        lua.push_function(function);
        lua.set_field(-2, name);
    }
    // What `getmetatable` gives: a program that could take `__gc` away would let the kernel
    // use memory that is freed.
    for name in [c"__name", c"__metatable"] {
        lua.push_text(TYPE_NAME);
        lua.set_field(-2, name);
    }
}

unsafe extern "C-unwind" fn collect(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let handle = Handle::check(lua);
    handle.exit(lua);
    0
}

unsafe extern "C-unwind" fn to_string(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let address = Handle::check(lua).block;
    let text = Message::new(format_args!("luring: {address:p}"));
    lua.push_bytes(text.as_bytes());
    1
}
