//! Ends the rings that a Lua state still has when it is closed, before its memory goes.
//!
//! `lua_close` finalizes the youngest first, and never what finalizers make meanwhile. So
//! this userdata, made when the module is loaded, is finalized after every other ring: it
//! ends those that are left, and from then on none is made.
//!
//! What else has to be done then is in a list: see `AtClose`.
//!
//! A table goes with it, of what the kernel reads from. A ring's is kept there until the
//! ring has ended and all is reaped, whatever becomes of the userdata.

use crate::lua::{Lua, Message, RawState, Type};
use crate::ring::Ring;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

/// The userdata's memory. The registry keeps it as long as there is a state.
struct Guard {
    /// Before the first of the state's rings, and after the last.
    ends: Place,
    /// How many tables have been kept.
    kept: u32,
    closed: bool,
    /// What is done when the rings have ended.
    last: *mut AtClose,
}

/// What is to be done when the state is closed and its rings have ended. It stands at the
/// beginning of some memory that is there as long as the state is.
pub struct AtClose {
    next: *mut AtClose,
    act: unsafe fn(*mut AtClose),
}

impl AtClose {
    /// `act` gets what it is the beginning of. It runs no Lua code.
    pub fn new(act: unsafe fn(*mut AtClose)) -> AtClose {
        AtClose { next: null_mut(), act }
    }
}

/// Where a ring is among its state's. It is not in the memory of the ring's userdata: Lua
/// frees that without finalizing it where the finalizer can't be called, for want of C stack.
/// It is a userdata of its own, in the table that the guard keeps for the ring.
pub struct Place {
    /// Null while there is none.
    ring: *mut Ring,
    next: *mut Place,
    previous: *mut Place,
}

impl Place {
    /// No place yet.
    const NONE: Place = Place { ring: null_mut(), next: null_mut(), previous: null_mut() };

    /// A place that never has a ring.
    pub fn nowhere() -> *mut Place {
        /// Only read.
        struct Nowhere(Place);
        // SAFETY: nobody writes it: `take` leaves it alone.
        unsafe impl Sync for Nowhere {}
        static NOWHERE: Nowhere = Nowhere(Place::NONE);
        (&raw const NOWHERE.0).cast_mut()
    }

    /// Pushes a new place without a ring. May raise out of memory.
    pub fn push(lua: &mut Lua) -> *mut Place {
        let place: *mut Place = lua.push_userdata(size_of::<Place>()).cast();
        // SAFETY: Lua has just made it that large.
        unsafe { place.write(Place::NONE) };
        place
    }

    /// The ring, if there is one.
    #[inline]
    pub fn ring(&self) -> *mut Ring {
        self.ring
    }

    /// Takes the ring out.
    ///
    /// # Safety
    /// The place lives, and those beside it are where they were.
    pub unsafe fn take(place: *mut Place) -> Option<Box<Ring>> {
        // SAFETY: the caller's promise; the ring came from `Box::into_raw` in `put`.
        unsafe {
            if (*place).ring.is_null() {
                return None;
            }
            let place = place.replace(Place::NONE);
            (*place.previous).next = place.next;
            (*place.next).previous = place.previous;
            Some(Box::from_raw(place.ring))
        }
    }
}

/// Its address is the guard's key in the registry.
static HERE: u8 = 0;

fn registry_key() -> *const c_void {
    (&raw const HERE).cast()
}

/// The state's guard, or null.
fn find(lua: &Lua) -> *mut Guard {
    lua.registry_get(registry_key());
    let guard = lua.pointer(-1) as *mut Guard;
    lua.pop();
    guard
}

/// Makes the state's guard, unless it has one or may never finalize it. May raise.
pub fn register(lua: &mut Lua) {
    if !find(lua).is_null() || lua.in_finalizer() {
        return;
    }
    let guard: *mut Guard = lua.push_userdata(size_of::<Guard>()).cast();
    // SAFETY: Lua has just made it that large, and never moves it.
    unsafe {
        guard.write(Guard { ends: Place::NONE, kept: 0, closed: false, last: null_mut() });
        let ends = &raw mut (*guard).ends;
        (*ends).next = ends;
        (*ends).previous = ends;
    }
    let userdata = lua.top();
    lua.push_table();
    lua.set_user_table(userdata);
    lua.push_table();
    lua.push_function(close);
    lua.set_field(-2, c"__gc");
    lua.set_metatable(userdata);
    // Making it may have run finalizers, and one of those may have made the state's.
    match find(lua).is_null() {
        true => lua.registry_set(registry_key()),
        false => lua.pop(),
    }
}

/// Why a ring that is made now would not be ended, if so. It may change whenever Lua code
/// runs.
pub fn obstacle(lua: &Lua) -> Option<&'static str> {
    // SAFETY: null, or the guard's, which lives.
    match unsafe { find(lua).as_ref() } {
        Some(guard) if guard.closed => Some("the Lua state is being closed"),
        Some(_) => None,
        None => Some("a finalizer was the first to load luring"),
    }
}

/// Raises where nothing would be done any more when the state is closed. May raise out of memory.
pub fn check(lua: &mut Lua) {
    register(lua);
    if let Some(why) = obstacle(lua) {
        lua.error(Message::new(format_args!("{why}")));
    }
}

/// Has it done when the state is closed. Cannot raise.
///
/// # Safety
/// `check` has raised nothing, and no Lua code has run since. It is there until then, and where it is.
pub unsafe fn at_close(lua: &Lua, it: *mut AtClose) {
    // SAFETY: the guard is there, as `check` has found; the rest is the caller's promise.
    unsafe {
        let guard = find(lua);
        (*it).next = (*guard).last;
        (*guard).last = it;
    }
}

/// Puts a ring into a place.
///
/// # Safety
/// The state has a guard. The place has no ring, and is there until that is taken out.
pub unsafe fn put(lua: &Lua, place: *mut Place, ring: Box<Ring>) {
    // SAFETY: the caller's promise.
    unsafe {
        let ends = &raw mut (*find(lua)).ends;
        let next = (*ends).next;
        place.write(Place { ring: Box::into_raw(ring), next, previous: ends });
        (*next).previous = place;
        (*ends).next = place;
    }
}

/// Whether `fd` is the descriptor of one of the state's rings, and this process's own.
pub fn is_descriptor(lua: &Lua, fd: c_int) -> bool {
    let guard = find(lua);
    if guard.is_null() {
        return false;
    }
    // SAFETY: the guard lives, and so does every place and ring in its list.
    unsafe {
        let ends = &raw const (*guard).ends;
        let mut place: *const Place = (*ends).next;
        while place != ends {
            let ring = &*(*place).ring;
            if ring.is_descriptor(fd) {
                return !ring.inherited();
            }
            place = (*place).next;
        }
    }
    false
}

/// Keeps the table on top until `release`, under the number that is returned: zero
/// without a guard. May raise out of memory.
pub fn keep(lua: &Lua) -> u32 {
    // SAFETY: null, or the guard's, which lives.
    let Some(guard) = (unsafe { find(lua).as_mut() }) else { return 0 };
    guard.kept = guard.kept.checked_add(1).unwrap_or(1);
    let number = guard.kept;
    let table = lua.top();
    lua.registry_get(registry_key());
    lua.user_table(-1);
    lua.push_copy(table);
    lua.raw_set(-2, number);
    lua.set_top(table);
    number
}

/// Lets go of a table that `keep` has numbered. Cannot raise.
pub fn release(lua: &Lua, number: u32) {
    let top = lua.top();
    if lua.registry_get(registry_key()) == Type::Userdata && lua.user_table(-1) == Type::Table {
        lua.push_nil();
        lua.raw_set(-2, number);
    }
    lua.set_top(top);
}

/// The guard's finalizer, and that of one that the registry never had, for want of memory or since
/// there was another.
unsafe extern "C-unwind" fn close(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = unsafe { Lua::new(state) };
    // SAFETY: null, or the guard's, which lives. Ending a ring runs no Lua code, so the
    // list changes only here.
    unsafe {
        let guard = find(&lua);
        if guard.is_null() || guard as usize != lua.pointer(1) {
            return 0;
        }
        (*guard).closed = true;
        let ends = &raw mut (*guard).ends;
        let mut place = (*ends).next;
        while place != ends {
            let next = (*place).next;
            if let Some(ring) = Place::take(place) {
                ring.exit();
            }
            place = next;
        }
        let mut it = (*guard).last;
        while !it.is_null() {
            ((*it).act)(it);
            it = (*it).next;
        }
    }
    0
}
