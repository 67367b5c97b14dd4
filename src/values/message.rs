//! A message to send, with an address and control data, and one that has been received.

use super::address::{self, Address};
use super::arg::{Arg, Place, room};
use super::buffer;
use super::content::{self, Content};
use super::descriptor;
use super::fields;
use super::integers;
use super::iovecs::Strings;
use crate::lua::{Lua, Type};
use crate::ring::control::{self, Control};
use crate::ring::in_flight::{Completion, Reply};

use crate::sys;
use std::ffi::{CStr, c_int};
use std::mem::zeroed;
use std::ptr::{null_mut, slice_from_raw_parts};

/// As many descriptors as the kernel takes in a message (SCM_MAX_FD).
const MOST_FDS: usize = 253;
/// As many other control messages as one may have here.
const MOST_CONTROLS: usize = 16;

/// A string, or a list of strings, to send on a socket: `send`'s data.
#[derive(Clone, Copy)]
pub enum Payload {
    /// One string.
    String(content::Wire),
    /// A buffer.
    Buffer(buffer::Bytes),
    /// A list, which goes as a message.
    List(Strings),
}

impl Arg for Payload {
    type Wire = content::Wire;

    fn check(lua: &mut Lua, index: c_int) -> Payload {
        if lua.kind(index) == Type::Table {
            return Payload::List(Strings::check(lua, index));
        }
        match Content::check(lua, index) {
            Content::String(string) => Payload::String(string),
            Content::From(span) => Payload::Buffer(span),
        }
    }

    #[inline]
    fn room(self) -> usize {
        match self.content() {
            Ok(content) => content.room(),
            Err(strings) => strings.room() + room(size_of::<sys::msghdr>()),
        }
    }

    #[inline]
    fn is_anchored(self) -> bool {
        match self.content() {
            Ok(content) => content.is_anchored(),
            Err(strings) => strings.is_anchored(),
        }
    }

    #[inline]
    fn reply(self, reply: Reply) -> Reply {
        match self.content() {
            Ok(content) => content.reply(reply),
            Err(_) => reply,
        }
    }

    #[inline]
    fn place(self, lua: &Lua, block: &mut Place, index: c_int) -> content::Wire {
        match self.content() {
            Ok(content) => content.place(lua, block, index),
            Err(strings) => {
                let iovecs = strings.place(lua, block, index);
                // SAFETY: a struct of numbers and pointers may be all zeros.
                let mut message: sys::msghdr = unsafe { zeroed() };
                message.msg_iov = iovecs.ptr;
                message.msg_iovlen = iovecs.len as _;
                // SAFETY: `room` asked for it.
                content::Wire { ptr: unsafe { block.put(message) }.cast_const().cast(), len: 1 }
            }
        }
    }

    /// send and sendmsg differ in the operation only.
    #[inline]
    fn amend(self, sqe: &mut sys::io_uring_sqe) {
        if let Payload::List(_) = self {
            sqe.opcode = sys::IORING_OP_SENDMSG as u8;
        }
    }
}

impl Payload {
    /// What is not a list, and else the list.
    #[inline]
    fn content(self) -> Result<Content, Strings> {
        match self {
            Payload::String(string) => Ok(Content::String(string)),
            Payload::Buffer(span) => Ok(Content::From(span)),
            Payload::List(strings) => Err(strings),
        }
    }
}

/// What `Payload` is, always as a message.
#[derive(Clone, Copy)]
pub struct Parcel(Payload);

impl Arg for Parcel {
    type Wire = *mut sys::msghdr;

    fn check(lua: &mut Lua, index: c_int) -> Parcel {
        Parcel(Payload::check(lua, index))
    }

    fn room(self) -> usize {
        self.0.room() + room(size_of::<sys::msghdr>()) + room(size_of::<sys::iovec>())
    }

    fn is_anchored(self) -> bool {
        self.0.is_anchored()
    }

    fn place(self, lua: &Lua, block: &mut Place, index: c_int) -> *mut sys::msghdr {
        let content::Wire { ptr, len } = self.0.place(lua, block, index);
        if let Payload::List(_) = self.0 {
            return ptr.cast_mut().cast();
        }
        // SAFETY: `room` asked for both; a struct of numbers and pointers may be all zeros.
        unsafe {
            let iovec = sys::iovec { iov_base: ptr.cast_mut().cast(), iov_len: len as _ };
            let mut message: sys::msghdr = zeroed();
            message.msg_iov = block.put(iovec);
            message.msg_iovlen = 1;
            block.put(message)
        }
    }
}

/// A message to send: `{data=, addr=, fds=, control=}`.
///
/// Its table is replaced by a private one: the strings of `data` in a list, then what follows
/// from `CONTROLS` and `FDS` on.
#[derive(Clone, Copy)]
pub struct Outgoing {
    data: Strings,
    address: Option<Address>,
    fds: usize,
    controls: usize,
    control_room: usize,
}

/// The places in the private table: the data's list, the descriptors' numbers, the objects that
/// have them, and three values for each control message.
const DATA: u32 = 1;
const FDS: u32 = 2;
const OBJECTS: u32 = 3;
const CONTROLS: u32 = 4;

impl Arg for Outgoing {
    type Wire = *mut sys::msghdr;

    fn check(lua: &mut Lua, index: c_int) -> Outgoing {
        if lua.kind(index) != Type::Table {
            lua.type_error(index, c"table");
        }
        // One that has been received has flags, which may be sent on as they are.
        fields::only(lua, index, &[c"data", c"addr", c"fds", c"control", c"flags"]);
        let outer = lua.top();
        lua.push_table_for(4); // the private table, which is kept
        let private = lua.top();

        // The data: a string is a list of one.
        if lua.get_field(index, c"data") != Type::Table {
            if lua.bytes(-1).is_none() {
                fields::wrong(lua, index, c"data", format_args!("a string or a list of strings"));
            }
            lua.push_table_for(1);
            lua.push_copy(-2);
            lua.raw_set(-2, 1);
            lua.remove(-2);
        }
        let list = lua.top();
        let data = Strings::check_at(lua, index, list);
        lua.raw_set(private, DATA);

        let address = match lua.get_field(index, c"addr") {
            Type::Nil => None,
            _ => {
                // Checked in the message's place, so that an error names the argument.
                lua.push_copy(index);
                lua.push_copy(-2);
                lua.replace(index);
                let address = Address::check(lua, index);
                lua.set_top(private + 2);
                lua.replace(index);
                Some(address)
            }
        };
        lua.set_top(private);

        let fds = check_fds(lua, index, private);
        let (controls, control_room) = check_controls(lua, index, private);
        let control_room = control_room + if fds > 0 { control::space(fds * size_of::<c_int>()) } else { 0 };
        lua.set_top(private);
        lua.replace(index);
        lua.set_top(outer);
        Outgoing { data, address, fds, controls, control_room }
    }

    fn room(self) -> usize {
        let address = self.address.map_or(0, |address| room(address.len() as usize));
        self.data.room() + room(size_of::<sys::msghdr>()) + address + room(self.control_room)
    }

    fn is_anchored(self) -> bool {
        self.data.is_anchored() || self.fds > 0
    }

    fn place(self, lua: &Lua, block: &mut Place, index: c_int) -> *mut sys::msghdr {
        // SAFETY: a struct of numbers and pointers may be all zeros.
        let mut message: sys::msghdr = unsafe { zeroed() };
        lua.raw_get(index, DATA);
        let iovecs = self.data.place(lua, block, lua.top());
        lua.pop();
        message.msg_iov = iovecs.ptr;
        message.msg_iovlen = iovecs.len as _;
        if let Some(address) = self.address {
            let len = address.len() as usize;
            let copy = block.values::<u8>(len);
            // SAFETY: `room` asked for so many bytes, and the address has them.
            unsafe { copy.copy_from_nonoverlapping(address.ptr().cast(), len) };
            message.msg_name = copy.cast();
            message.msg_namelen = address.len();
        }
        if self.control_room > 0 {
            let start = block.values::<u8>(self.control_room);
            message.msg_control = start.cast();
            message.msg_controllen = self.control_room as _;
            // SAFETY: `room` asked for what `space` says of each.
            unsafe { self.place_controls(lua, index, start) };
        }
        // SAFETY: `room` asked for it.
        unsafe { block.put(message) }
    }
}

impl Outgoing {
    /// # Safety
    /// There is room for all of them at `start`.
    unsafe fn place_controls(self, lua: &Lua, index: c_int, start: *mut u8) {
        let mut next = start;
        if self.fds > 0 {
            lua.raw_get(index, FDS);
            let mut fds = [0 as c_int; MOST_FDS];
            for (number, fd) in fds.iter_mut().take(self.fds).enumerate() {
                lua.raw_get(-1, number as u32 + 1);
                *fd = lua.integer(-1).unwrap_or(-1) as c_int;
                lua.pop();
            }
            lua.pop();
            let bytes = slice_from_raw_parts(fds.as_ptr().cast(), self.fds * size_of::<c_int>());
            // SAFETY: the caller's promise.
            next = unsafe { control::put(next, sys::SOL_SOCKET as c_int, control::RIGHTS, bytes) };
        }
        for number in 0..self.controls as u32 {
            let at = CONTROLS + number * 3;
            lua.raw_get(index, at);
            lua.raw_get(index, at + 1);
            lua.raw_get(index, at + 2);
            let (level, kind) =
                (lua.integer(-3).unwrap_or(0) as c_int, lua.integer(-2).unwrap_or(0) as c_int);
            // SAFETY: the caller's promise; the string is in the private table.
            next = unsafe { control::put(next, level, kind, lua.string(-1)) };
            lua.pop();
            lua.pop();
            lua.pop();
        }
    }
}

/// Puts the field `fds` into the private table: how many there are. Raises.
fn check_fds(lua: &mut Lua, index: c_int, private: c_int) -> usize {
    let fds = match lua.get_field(index, c"fds") {
        Type::Nil => 0,
        Type::Table => lua.raw_len(-1),
        _ => fields::wrong(lua, index, c"fds", format_args!("a list of descriptors")),
    };
    if fds > MOST_FDS {
        fields::wrong(lua, index, c"fds", format_args!("a list of at most {MOST_FDS} descriptors"));
    }
    let list = lua.top();
    lua.push_table_for(fds as c_int);
    lua.push_table_for(fds as c_int);
    for number in 1..=fds as u32 {
        if lua.raw_get(list, number) == Type::Nil {
            fields::wrong(lua, index, c"fds", format_args!("a list of descriptors"));
        }
        let object = lua.top();
        let fd = descriptor::element(lua, index, number as usize);
        lua.set_top(object);
        lua.raw_set(-2, number); // the object
        lua.push_integer(fd.into());
        lua.raw_set(-3, number);
    }
    lua.raw_set(private, OBJECTS);
    lua.raw_set(private, FDS);
    lua.set_top(private);
    fds
}

/// Puts the field `control` into the private table: how many there are, and the room for them.
/// Raises.
fn check_controls(lua: &mut Lua, index: c_int, private: c_int) -> (usize, usize) {
    let wrong = |lua: &mut Lua| -> ! {
        let expected = "of {level=, type=, data=}";
        fields::wrong(lua, index, c"control", format_args!("a list of at most {MOST_CONTROLS} {expected}"))
    };
    let count = match lua.get_field(index, c"control") {
        Type::Nil => 0,
        Type::Table => lua.raw_len(-1),
        _ => wrong(lua),
    };
    if count > MOST_CONTROLS {
        wrong(lua);
    }
    let list = lua.top();
    let mut room = 0usize;
    for number in 0..count as u32 {
        if lua.raw_get(list, number + 1) != Type::Table {
            wrong(lua);
        }
        let at = CONTROLS + number * 3;
        let element = lua.top();
        for (field, place) in [(c"level", at), (c"type", at + 1)] {
            lua.get_field(element, field);
            match lua.integer(-1).map(c_int::try_from) {
                Ok(Ok(value)) => lua.push_integer(value.into()),
                _ => wrong(lua),
            }
            lua.raw_set(private, place);
            lua.pop();
        }
        lua.get_field(element, c"data");
        match lua.bytes(-1) {
            Some(bytes) if bytes.len() <= 0xffff => room += control::space(bytes.len()),
            _ => wrong(lua),
        }
        lua.raw_set(private, at + 2);
        lua.set_top(list);
    }
    lua.set_top(private);
    (count, room)
}

/// Room for a message to receive: a size, or `{size=, control=, name=}`.
#[derive(Clone, Copy)]
pub struct Incoming {
    size: u32,
    control: u32,
    name: bool,
}

/// What lies at the beginning of an action's block, the control data and the data behind it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Received {
    message: sys::msghdr,
    iovec: sys::iovec,
    name: sys::sockaddr_storage,
}

impl Arg for Incoming {
    type Wire = *mut sys::msghdr;

    fn check(lua: &mut Lua, index: c_int) -> Incoming {
        if lua.kind(index) != Type::Table {
            return Incoming { size: size(lua, index), control: 0, name: true };
        }
        fields::only(lua, index, &[c"size", c"control", c"name"]);
        let size = fields::integer(lua, index, c"size", None, 0, i32::MAX.into()) as u32;
        let control = fields::integer(lua, index, c"control", Some(0), 0, 0xffff) as u32;
        let name = fields::boolean(lua, index, c"name").unwrap_or(true);
        Incoming { size, control: control.next_multiple_of(16), name }
    }

    fn front(self) -> usize {
        size_of::<Received>().next_multiple_of(16) + self.control as usize + self.size as usize
    }

    fn room(self) -> usize {
        self.front()
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> *mut sys::msghdr {
        let received: *mut Received = block.front().cast();
        let control = block.front().wrapping_add(size_of::<Received>().next_multiple_of(16));
        let data = control.wrapping_add(self.control as usize);
        // SAFETY: `front` asked for all of it; numbers and pointers may be zeros.
        unsafe {
            received.write(zeroed());
            (*received).iovec = sys::iovec { iov_base: data.cast(), iov_len: self.size as _ };
            let message = &raw mut (*received).message;
            (*message).msg_iov = &raw mut (*received).iovec;
            (*message).msg_iovlen = 1;
            (*message).msg_control = if self.control > 0 { control.cast() } else { null_mut() };
            (*message).msg_controllen = self.control as _;
            if self.name {
                (*message).msg_name = (&raw mut (*received).name).cast();
                (*message).msg_namelen = size_of::<sys::sockaddr_storage>() as _;
            }
            message
        }
    }
}

fn size(lua: &mut Lua, index: c_int) -> u32 {
    integers::integer(lua, index, 0, i32::MAX.into()) as u32
}

/// Pushes what was received: `{data=, addr=, control=, fds=, flags=}`. May raise.
///
/// # Safety
/// The block is one that `Incoming` has filled in, and stays meanwhile.
pub unsafe fn push(lua: &mut Lua, completion: &Completion) {
    let received: *const Received = completion.action.block.ptr().cast();
    // SAFETY: the caller's promise.
    let Received { mut message, iovec, name } = unsafe { received.read() };
    if message.msg_name.is_null() {
        message.msg_namelen = 0;
    }
    let len = (completion.res.max(0) as usize).min(iovec.iov_len);
    let data = Some(slice_from_raw_parts(iovec.iov_base.cast_const().cast(), len));
    // SAFETY: the kernel has written so many bytes there, and the rest; the block is lent.
    unsafe { push_parts(lua, &Parts { data, name, message }) };
}

/// What a message's table is made of.
pub struct Parts {
    /// The bytes, if they become a string.
    pub data: Option<*const [u8]>,
    /// The sender's address, as long as the message says.
    pub name: sys::sockaddr_storage,
    /// What the kernel has filled in.
    pub message: sys::msghdr,
}

/// As `push`, from its parts.
///
/// # Safety
/// The data and the control data can be read, and stay meanwhile.
pub unsafe fn push_parts(lua: &mut Lua, parts: &Parts) {
    lua.push_record_for(5);
    if let Some(data) = parts.data {
        // SAFETY: the caller's promise.
        unsafe { lua.push_lent(data) };
        lua.set_field(-2, c"data");
    }
    lua.push_integer(parts.message.msg_flags.into());
    lua.set_field(-2, c"flags");
    if parts.message.msg_namelen > 0 {
        address::push_table(lua, &Address::from_storage(parts.name, parts.message.msg_namelen));
        lua.set_field(-2, c"addr");
    }
    // SAFETY: the caller's promise.
    unsafe { push_controls(lua, &parts.message) };
}

/// Sets the fields `fds` and `control` of the table on top, where there are any.
///
/// # Safety
/// The kernel has filled in the message's control data, which stays meanwhile.
unsafe fn push_controls(lua: &mut Lua, message: &sys::msghdr) {
    let (mut fds, mut others) = (0, 0);
    let table = lua.top();
    // SAFETY: the caller's promise.
    for Control { level, kind, data } in unsafe { control::walk(message) } {
        let rights = level == sys::SOL_SOCKET as c_int && kind == control::RIGHTS;
        let field: &CStr = if rights { c"fds" } else { c"control" };
        let is_first = if rights { fds == 0 } else { others == 0 };
        if is_first {
            lua.push_table();
            lua.push_copy(-1);
            lua.set_field(table, field);
        } else {
            lua.get_field(table, field);
        }
        if rights {
            // SAFETY: the caller's promise.
            for fd in unsafe { control::descriptors(data) } {
                fds += 1;
                lua.push_integer(fd.into());
                lua.raw_set(-2, fds);
            }
        } else {
            others += 1;
            lua.push_record_for(3);
            lua.push_integer(level.into());
            lua.set_field(-2, c"level");
            lua.push_integer(kind.into());
            lua.set_field(-2, c"type");
            // SAFETY: it lies in the block, which is lent.
            unsafe { lua.push_lent(data) };
            lua.set_field(-2, c"data");
            lua.raw_set(-2, others);
        }
        lua.set_top(table);
    }
}
