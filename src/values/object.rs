//! Userdata of the module's own beside the ring: how they are made and known again.
//!
//! What one has is not in its own memory: Lua frees that without finalizing it where the
//! finalizer can't be called, for want of C stack, and never finalizes what finalizers make while
//! it closes the state. It has a place on its kind's shelf, which is there as long as the state
//! is, and which the guard clears in the end.

use crate::guard::{self, AtClose};
use crate::lua::{Function, Lua, Message, RawState, Type};
use crate::rows::Entry;
use std::ffi::{CStr, c_int, c_void};
use std::mem::replace;
use std::ptr::null_mut;

/// A kind of them. Its values are `Copy`, since Lua frees the memory.
pub trait Kind: Copy {
    /// The type's name, in argument errors and in `tostring`.
    const NAME: &'static CStr;
    /// Methods and metamethods, by name.
    const METHODS: &'static [Entry];
    /// What one has before it is given something, and when it has been finalized.
    const NONE: Self;

    /// An address of this loaded module's own, and no other kind's.
    fn here() -> *const c_void;

    /// Lets go of what it has, once.
    fn collect(self);
}

#[repr(C)]
struct Object<T> {
    /// Its own address, mixed with the kind's: no other userdata begins so.
    mark: usize,
    /// Never null.
    place: *mut Place<T>,
}

fn mark<T: Kind>(object: *const Object<T>) -> usize {
    object as usize ^ (T::here() as usize).rotate_left(16) ^ 0x6f62_6a65
}

/// What an object has.
struct Place<T> {
    value: T,
    /// The next place that is free, if this one is.
    next: *mut Place<T>,
}

/// How many places are made at once.
const PLACES: usize = 32;

/// A kind's places. It is a userdata that the kind's metatable keeps, under `SHELF`, and behind it
/// those with the places.
#[repr(C)]
struct Shelf<T> {
    at_close: AtClose,
    free: *mut Place<T>,
    /// The newest of the places that were made at once.
    boards: *mut Board<T>,
    /// How many there are.
    count: u32,
    closed: bool,
    /// That of objects which have been finalized.
    nowhere: Place<T>,
}

struct Board<T> {
    places: [Place<T>; PLACES],
    next: *mut Board<T>,
}

const SHELF: u32 = 1;

impl<T: Kind> Shelf<T> {
    /// Pushes a new one. May raise out of memory.
    fn push(lua: &mut Lua) {
        let shelf: *mut Shelf<T> = lua.push_userdata(size_of::<Shelf<T>>()).cast();
        let nowhere = Place { value: T::NONE, next: null_mut() };
        // SAFETY: Lua has just made it that large.
        unsafe {
            shelf.write(Shelf {
                at_close: AtClose::new(Shelf::<T>::clear),
                free: null_mut(),
                boards: null_mut(),
                count: 0,
                closed: false,
                nowhere,
            });
        }
    }

    /// The shelf in the metatable on top. Raises when a program has taken one of them away, for
    /// which it needs the debug library.
    fn of(lua: &mut Lua) -> *mut Shelf<T> {
        if lua.kind(-1) == Type::Table {
            lua.raw_get(-1, SHELF);
            let (shelf, size) = lua.userdata(-1);
            lua.pop();
            if size == size_of::<Shelf<T>>() {
                return shelf.cast();
            }
        }
        lua.error(Message::new(format_args!("luring has lost its objects")))
    }

    /// A free place, which is taken. The metatable is on top. May raise out of memory, and raises
    /// when the state is being closed.
    ///
    /// # Safety
    /// The shelf is the metatable's.
    unsafe fn take(shelf: *mut Shelf<T>, lua: &mut Lua) -> *mut Place<T> {
        // SAFETY: the caller's promise; places are there as long as the shelf.
        unsafe {
            // Making more may run finalizers, which take them, and the guard's, which clears the shelf.
            while (*shelf).free.is_null() {
                Shelf::extend(shelf, lua);
            }
            if (*shelf).closed {
                lua.error(Message::new(format_args!("the Lua state is being closed")));
            }
            let place = (*shelf).free;
            (*shelf).free = (*place).next;
            place
        }
    }

    /// Makes more places. The metatable is on top. May raise out of memory.
    ///
    /// # Safety
    /// The shelf is the metatable's.
    #[cold]
    unsafe fn extend(shelf: *mut Shelf<T>, lua: &mut Lua) {
        let board: *mut Board<T> = lua.push_userdata(size_of::<Board<T>>()).cast();
        // SAFETY: the caller's promise; Lua has just made the board that large, and it is linked
        // once it is kept.
        unsafe {
            (*shelf).count += 1;
            lua.raw_set(-2, SHELF + (*shelf).count);
            let next = (*shelf).boards;
            board.write(Board {
                places: [const { Place { value: T::NONE, next: null_mut() } }; PLACES],
                next,
            });
            (*shelf).boards = board;
            for place in &mut (*board).places {
                place.next = (*shelf).free;
                (*shelf).free = place;
            }
        }
    }

    /// Lets go of what is left.
    ///
    /// # Safety
    /// The guard calls, with what a shelf begins with.
    unsafe fn clear(it: *mut AtClose) {
        let shelf: *mut Shelf<T> = it.cast();
        // SAFETY: the shelf and its boards are there; nobody keeps a reference to a value.
        unsafe {
            (*shelf).closed = true;
            let mut board = (*shelf).boards;
            while !board.is_null() {
                for place in &mut (*board).places {
                    replace(&mut place.value, T::NONE).collect();
                }
                board = (*board).next;
            }
        }
    }
}

/// The object at `index`, if it is of the kind.
pub fn find<T: Kind>(lua: &Lua, index: c_int) -> Option<*mut T> {
    let (memory, size) = lua.userdata(index);
    let object: *mut Object<T> = memory.cast();
    // SAFETY: Lua aligns userdata, and this one is as large as an object of the kind.
    (size == size_of::<Object<T>>() && unsafe { (*object).mark } == mark(object))
        // SAFETY: as above; its place is there as long as the state.
        .then(|| unsafe { &raw mut (*(*object).place).value })
}

/// The object at `index`. Raises.
pub fn check<T: Kind>(lua: &mut Lua, index: c_int) -> *mut T {
    find(lua, index).unwrap_or_else(|| lua.type_error(index, T::NAME))
}

/// Pushes a new object, which has nothing yet. May raise out of memory, and raises when the state
/// is being closed.
pub fn push<T: Kind>(lua: &mut Lua) -> *mut T {
    let object: *mut Object<T> = lua.push_userdata(size_of::<Object<T>>()).cast();
    if lua.registry_get(T::here()) != Type::Table {
        lua.pop();
        push_type::<T>(lua);
        guard::check(lua);
        keep_type::<T>(lua);
    }
    let shelf = Shelf::<T>::of(lua);
    // SAFETY: the shelf is there as long as the metatable; the object is on the stack, and as
    // large. It becomes one when it has a place.
    unsafe {
        let place = Shelf::take(shelf, lua);
        object.write(Object { mark: mark(object), place });
        lua.set_metatable(-2);
        &raw mut (*place).value
    }
}

/// Makes the metatable on top the kind's, unless a finalizer has made one meanwhile, which takes
/// its place then: objects of both would have places on each other's shelf. May raise.
fn keep_type<T: Kind>(lua: &mut Lua) {
    if lua.registry_get(T::here()) == Type::Table {
        return lua.remove(-2);
    }
    lua.pop();
    lua.push_copy(-1);
    lua.registry_set(T::here());
    // Only now: what raises before leaves a shelf that is garbage.
    let shelf = Shelf::<T>::of(lua);
    // SAFETY: the registry keeps the metatable, and that the shelf, as long as the state is there.
    unsafe { guard::at_close(lua, shelf.cast()) };
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
    Shelf::<T>::push(lua);
    lua.raw_set(-2, SHELF);
}

unsafe extern "C-unwind" fn collect<T: Kind>(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let value = check::<T>(lua, 1);
    let object: *mut Object<T> = lua.userdata(1).0.cast();
    lua.registry_get(T::here());
    let shelf = Shelf::<T>::of(lua);
    // SAFETY: it is on the stack, and nobody keeps a reference. Another finalizer may use it once
    // more, when a state is closed; its place is another's then.
    unsafe {
        if (*object).place == &raw mut (*shelf).nowhere {
            return 0;
        }
        let place = replace(&mut (*object).place, &raw mut (*shelf).nowhere);
        replace(&mut *value, T::NONE).collect();
        (*place).next = replace(&mut (*shelf).free, place);
    }
    0
}

unsafe extern "C-unwind" fn to_string<T: Kind>(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    check::<T>(lua, 1);
    let address = lua.userdata(1).0;
    let name = T::NAME.to_str().unwrap_or_default();
    let text = Message::new(format_args!("{name}: {address:p}"));
    lua.push_bytes(text.as_bytes());
    1
}
