//! `luring.buffer`: memory that actions read into and write from, without a string between,
//! and views of it. Both are one type: a view is a buffer that has part of the bytes.

use super::fields;
use super::integers::{bytes, integer};
use super::object::{self, Kind};
use super::word;
use crate::lua::{Lua, Message, RawState};
use crate::ring::groups::Lease;
use crate::ring::region::{Region, Span, Use};
use crate::rows::Entry;
use crate::sys;
use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What Lua has: none before it is made, and once it has been finalized.
#[derive(Clone, Copy)]
pub struct Buffer(Option<Bytes>);

/// The bytes of a buffer.
#[derive(Clone, Copy)]
pub struct Bytes {
    /// Which they are.
    pub span: Span,
    /// What says how long they are the program's, if a group has lent them.
    pub lease: Option<Lease>,
}

static HERE: u8 = 0;

impl Kind for Buffer {
    const NAME: &'static CStr = c"luring.buffer";
    const METHODS: &'static [Entry] = &[
        (c"sub", sub),
        (c"set", set),
        (c"find", find),
        (c"view", view),
        (c"__len", len),
        (c"load32", word::load32),
        (c"store32", word::store32),
        (c"cas32", word::cas32),
        (c"add32", word::add32),
    ];

    const NONE: Buffer = Buffer(None);

    fn here() -> *const c_void {
        (&raw const HERE).cast()
    }

    fn collect(self) {
        if let Some(Bytes { span, lease }) = self.0 {
            // SAFETY: the userdata's own counts, which were just taken out.
            unsafe {
                lease.into_iter().for_each(|lease| lease.release());
                span.region.release();
            }
        }
    }
}

/// The bytes of the buffer at `index`, if it is one. Raises when it can't be used any more.
pub fn taken(lua: &mut Lua, index: c_int) -> Option<Bytes> {
    let buffer = object::find::<Buffer>(lua, index)?;
    // SAFETY: it is on the stack.
    let Some(bytes) = (unsafe { (*buffer).0 }) else {
        lua.argument_error(index, Message::new(format_args!("the buffer has been collected")))
    };
    if bytes.lease.is_some_and(Lease::is_back) {
        lua.argument_error(index, Message::new(format_args!("the view has gone back to its group")));
    }
    Some(bytes)
}

/// The bytes, if no group has lent them. Raises.
pub fn not_leased(lua: &mut Lua, index: c_int, bytes: Bytes) -> Span {
    if bytes.lease.is_some() {
        lua.argument_error(index, Message::new(format_args!("a view of a group can only be sent")));
    }
    bytes.span
}

/// The bytes of the buffer at `place` of the stack, which is a part of the argument `index`. No
/// group has lent them. Raises.
pub fn span(lua: &mut Lua, index: c_int, place: c_int) -> Span {
    match taken(lua, place) {
        Some(bytes) => not_leased(lua, index, bytes),
        None if place == index => lua.type_error(index, Buffer::NAME),
        None => lua.argument_error(index, Message::new(format_args!("a buffer is missing"))),
    }
}

/// The bytes of a buffer that is in a private table: none if it has been finalized by force.
pub fn private_span(lua: &Lua, index: c_int) -> Option<Span> {
    let buffer = object::find::<Buffer>(lua, index)?;
    // SAFETY: it is on the stack.
    unsafe { (*buffer).0.map(|bytes| bytes.span) }
}

/// The lease of the view at `index`, which may have gone back. Raises.
pub fn lease(lua: &mut Lua, index: c_int) -> Lease {
    let buffer = object::check::<Buffer>(lua, index);
    // SAFETY: it is on the stack.
    match unsafe { (*buffer).0.and_then(|bytes| bytes.lease) } {
        Some(lease) => lease,
        None => lua.argument_error(index, Message::new(format_args!("not a view of a group"))),
    }
}

/// Whether the value at `index` is a buffer.
pub fn is_buffer(lua: &Lua, index: c_int) -> bool {
    object::find::<Buffer>(lua, index).is_some()
}

/// The bytes of the buffer that a method was called on. Raises.
pub fn own(lua: &mut Lua) -> Span {
    own_bytes(lua).span
}

fn own_bytes(lua: &mut Lua) -> Bytes {
    taken(lua, 1).unwrap_or_else(|| lua.type_error(1, Buffer::NAME))
}

/// Pushes a buffer that has no bytes yet. May raise out of memory.
pub fn push(lua: &mut Lua) -> *mut Buffer {
    object::push(lua)
}

impl Buffer {
    /// Gives it its bytes. The lease, if there is one, is counted already.
    pub fn fill(&mut self, bytes: Bytes) {
        bytes.span.region.keep();
        self.0 = Some(bytes);
    }
}

/// `buffer(n, {shared=}?)`: `n` bytes, all zero. Shared ones are the same memory in a child
/// that is forked later.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn buffer(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let len = integer(lua, 1, 1, u32::MAX.into()) as u32;
    let shared = !lua.absent(2) && {
        if lua.kind(2) != crate::lua::Type::Table {
            lua.type_error(2, c"table");
        }
        fields::only(lua, 2, &[c"shared"]);
        fields::boolean(lua, 2, c"shared").unwrap_or(false)
    };
    make_room(lua, len as usize);
    // All that can raise comes before the memory, which would be lost.
    let buffer = push(lua);
    let region = Region::new(len as usize, shared).unwrap_or_else(|| lua.out_of_memory());
    // SAFETY: it is on the stack.
    unsafe { (*buffer).0 = Some(Bytes { span: Span { region, start: 0, len }, lease: None }) };
    1
}

/// Lua does not know how much memory a buffer has, so it would let garbage pile up: it
/// collects when as much was made since the last time as was left then, and not less than
/// 64 MiB. May run any Lua code, and raise.
pub fn make_room(lua: &mut Lua, len: usize) {
    static LIMIT: AtomicUsize = AtomicUsize::new(LEAST);
    const LEAST: usize = 64 << 20;
    if Region::total().saturating_add(len) > LIMIT.load(Ordering::Relaxed) {
        lua.collect();
        LIMIT.store(Region::total().saturating_add(len).saturating_mul(2).max(LEAST), Ordering::Relaxed);
    }
}

/// The place among `span`'s bytes at `index`, as `string.sub` takes it: counted from 1, or
/// from -1 at the end. Raises.
fn place(lua: &mut Lua, span: Span, index: c_int, default: i64) -> i64 {
    let place = if lua.absent(index) { default } else { integer(lua, index, i64::MIN, i64::MAX) };
    if place < 0 { (i64::from(span.len) + 1).saturating_add(place) } else { place }
}

/// The bytes of `span` from one place to another, both included.
fn part(span: Span, first: i64, last: i64) -> Span {
    let all = i64::from(span.len);
    let (first, last) = (first.clamp(1, all + 1), last.clamp(0, all));
    let len = (last - first + 1).max(0) as u32;
    Span { start: span.start + (first - 1) as usize, len, ..span }
}

/// The bytes of `span` that the arguments `i` and `j` name: all by default. Raises.
fn named(lua: &mut Lua, span: Span) -> Span {
    let (first, last) = (place(lua, span, 2, 1), place(lua, span, 3, -1));
    part(span, first, last)
}

/// Raises where an action in flight does that with the bytes: only shared ones bear it.
fn check_free(lua: &Lua, span: Span, how: Use) {
    if !span.region.is_shared() && span.is_in(how) {
        in_use(lua, how);
    }
}

#[cold]
#[inline(never)]
fn in_use(lua: &Lua, how: Use) -> ! {
    let what = if how == Use::Read { "reading" } else { "filling" };
    lua.error(Message::new(format_args!("an action in flight is {what} these bytes")))
}

/// `b:sub(i?, j?)`: a string of its bytes, as `string.sub`.
unsafe extern "C-unwind" fn sub(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let span = own(lua);
    let span = named(lua, span);
    check_free(lua, span, Use::Fill);
    let all = std::ptr::slice_from_raw_parts(span.ptr().cast_const(), span.len as usize);
    if all.len() <= Lua::SMALL {
        // SAFETY: the buffer is on the stack, no Lua code has run since the check, and what is
        // shared may change while it is copied, but not its copy.
        unsafe { lua.push_small(all) };
    } else if cfg!(copies_first) && !span.region.is_shared() {
        // SAFETY: as above.
        unsafe { lua.push_lent(all) };
    } else {
        // Lua must not see bytes that change, and here it may run the collector before it
        // copies them: so they are copied first, to memory that only this function has.
        let copy: *mut u8 = lua.push_userdata(all.len()).cast();
        own(lua); // a finalizer may have given it back
        check_free(lua, span, Use::Fill);
        // SAFETY: the userdata is that large, and stays on the stack; the rest as above.
        unsafe {
            copy.copy_from_nonoverlapping(span.ptr(), all.len());
            lua.push_bytes(std::slice::from_raw_parts(copy, all.len()));
        }
    }
    1
}

/// `b:set(at, data)`: puts a string's bytes at a place, counted from 1. What has no room is
/// an error.
unsafe extern "C-unwind" fn set(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let span = own(lua);
    let at = integer(lua, 2, 1, i64::from(span.len) + 1) as u32;
    let data = bytes(lua, 3);
    own(lua); // a number's text is new, so a finalizer may have run, and given it back
    let room = span.len - (at - 1);
    if data.len() > room as usize {
        lua.argument_error(3, Message::new(format_args!("longer than the {room} bytes that are left")));
    }
    let to = Span { start: span.start + (at - 1) as usize, len: data.len() as u32, ..span };
    for how in [Use::Read, Use::Fill] {
        check_free(lua, to, how);
    }
    // SAFETY: both are on the stack, and there is room.
    unsafe { to.ptr().copy_from_nonoverlapping(data.cast(), data.len()) };
    0
}

/// `b:find(s, from?)`: where the bytes of `s` begin and end, or nil, as `string.find` with
/// `plain`.
unsafe extern "C-unwind" fn find(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let span = own(lua);
    let wanted = bytes(lua, 2);
    own(lua); // as in `set`
    let from = place(lua, span, 3, 1);
    if from > i64::from(span.len) + 1 {
        lua.push_nil();
        return 1;
    }
    let rest = part(span, from, i64::MAX);
    check_free(lua, rest, Use::Fill);
    // SAFETY: both are on the stack.
    let found = unsafe {
        sys::memmem(rest.ptr().cast(), rest.len as usize, wanted.cast(), wanted.len()).cast::<u8>()
    };
    if found.is_null() {
        lua.push_nil();
        return 1;
    }
    let first = (found as usize - span.ptr() as usize) as i64 + 1;
    lua.push_integer(first);
    lua.push_integer(first + wanted.len() as i64 - 1);
    2
}

/// `b:view(i?, j?)`: a buffer that has these bytes of it, which `i` and `j` name as in `sub`.
unsafe extern "C-unwind" fn view(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let Bytes { span, lease } = own_bytes(lua);
    let span = named(lua, span);
    let view = push(lua);
    own(lua); // as in `set`
    lease.into_iter().for_each(Lease::keep);
    // SAFETY: it is on the stack.
    unsafe { (*view).fill(Bytes { span, lease }) };
    1
}

/// `#b`: how many bytes it has.
unsafe extern "C-unwind" fn len(state: RawState) -> c_int {
    // SAFETY: Lua calls with a live state.
    let lua = &mut unsafe { Lua::new(state) };
    let span = own(lua);
    lua.push_integer(span.len.into());
    1
}
