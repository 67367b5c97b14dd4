//! Where recvmsg_multishot puts its messages, and what the callback gets of each.

use super::arg::{Arg, HOLD, Place};
use super::message::{self, Parts};
use super::{fields, group};
use crate::lua::{Lua, Message, RawState, Type};
use crate::ring::groups::Group;
use crate::ring::hold::Held;
use crate::ring::received::{Received, overhead};
use crate::sys;
use std::ffi::c_int;
use std::mem::zeroed;
use std::ptr::slice_from_raw_parts;

/// A group, or `{group=, control=, name=}`: how much room each of its buffers has for control
/// data, and whether there is some for the sender's address.
#[derive(Clone, Copy)]
#[allow(dead_code)] // where liburing has no recvmsg_multishot
pub struct Inbox {
    group: Group,
    control: u32,
    name: u32,
}

/// The message that says so, and the group.
#[derive(Clone, Copy)]
#[allow(dead_code)] // as above
pub struct Wire {
    /// What recvmsg takes.
    pub message: *mut sys::msghdr,
    /// What the kernel selects from.
    pub group: group::Wire,
}

/// The room for any address.
const NAME: u32 = size_of::<sys::sockaddr_storage>() as u32;

impl Arg for Inbox {
    type Wire = Wire;

    fn check(lua: &mut Lua, index: c_int) -> Inbox {
        let is_table = lua.kind(index) == Type::Table;
        let (mut control, mut name) = (0, NAME);
        if is_table {
            fields::only(lua, index, &[c"group", c"control", c"name"]);
            control = fields::integer(lua, index, c"control", Some(0), 0, 0xffff) as u32;
            name = if fields::boolean(lua, index, c"name") == Some(false) { 0 } else { NAME };
            lua.get_field(index, c"group");
            if group::find_at(lua, index, -1).is_none() {
                fields::wrong(lua, index, c"group", format_args!("a luring.buf_ring"));
            }
            lua.replace(index);
        }
        let group = group::check(lua, index);
        let control = control.next_multiple_of(16);
        let before = overhead(name, control);
        match group.len() {
            0 => lua
                .argument_error(index, Message::new(format_args!("an incremental group takes no messages"))),
            len if len <= before => {
                let why =
                    Message::new(format_args!("the group's buffers must be larger than {before} bytes"));
                lua.argument_error(index, why)
            }
            _ => Inbox { group, control, name },
        }
    }

    fn front(self) -> usize {
        size_of::<sys::msghdr>()
    }

    fn room(self) -> usize {
        self.front() + HOLD
    }

    fn is_anchored(self) -> bool {
        true
    }

    fn place(self, _lua: &Lua, block: &mut Place, _index: c_int) -> Wire {
        let message: *mut sys::msghdr = block.front().cast();
        // SAFETY: `front` and `room` have asked for both; numbers and pointers may be zeros.
        unsafe {
            message.write(zeroed());
            (*message).msg_namelen = self.name as _;
            (*message).msg_controllen = self.control as _;
            block.hold(Held::Group(self.group));
        }
        Wire { message, group: group::Wire::of(self.group) }
    }
}

/// Makes the value of the message that the first argument points to. The second is a view of
/// its data, or nil for a string.
///
/// # Safety
/// Lua has called with `state`, the first argument is the address of a `Received`, and the
/// buffer that it lies in stays meanwhile.
pub unsafe extern "C-unwind" fn build(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    // SAFETY: as above.
    let Received { message, data, .. } = unsafe { &*(lua.pointer(1) as *const Received) };
    // SAFETY: numbers may be zeros; so many bytes lie in the buffer, and the name's room is not
    // larger than an address.
    let name = unsafe {
        let mut name: sys::sockaddr_storage = zeroed();
        let bytes: *mut u8 = (&raw mut name).cast();
        bytes.copy_from_nonoverlapping(message.msg_name.cast(), message.msg_namelen as usize);
        name
    };
    let data = match lua.kind(2) {
        Type::Nil => Some(slice_from_raw_parts(data.ptr().cast_const(), data.len as usize)),
        _ => None,
    };
    // SAFETY: the caller's promise.
    unsafe { message::push_parts(lua, &Parts { data, name, message: *message }) };
    if data.is_none() {
        lua.push_copy(2);
        lua.set_field(-2, c"data");
    }
    1
}
