//! What a callback gets: the memory that a row asks for, and the value that is made of it.

use super::arg::{Place, room};
use super::{address, epoll, iovecs, message, optval, siginfo, slot, statx};
use crate::lua::{Lua, RawState};
use crate::ring::Ring;
use crate::ring::in_flight::{Completion, Reply};
use crate::ring::slab::Key;
use crate::sys;
use std::ffi::c_int;

/// A row's reply.
pub trait Answer {
    /// Which it is.
    const REPLY: Reply;
    /// What liburing takes for the kernel to write into.
    type Memory: Copy;
    /// How many bytes of the action's block that needs.
    const ROOM: usize;
    /// Takes them.
    fn place(block: &mut Place) -> Self::Memory;

    /// Looks at the ring, which is not full, before anything is taken. Raises.
    #[inline]
    fn admit(_lua: &Lua, _ring: &mut Ring) {}

    /// Changes other actions, once this one is queued. Cannot fail.
    #[inline]
    fn settle(_ring: &mut Ring, _key: Key) {}
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident $(in $memory:ty)?;)*) => { $(
        $(#[$doc])*
        pub struct $name;

        impl Answer for $name {
            const REPLY: Reply = Reply::$name;
            answers!(@memory $($memory)?);
        }
    )* };

    (@memory) => {
        type Memory = ();
        const ROOM: usize = 0;

        #[inline]
        fn place(_block: &mut Place) {}
    };

    // Zeroed, since the kernel may leave parts of it alone.
    (@memory $memory:ty) => {
        type Memory = *mut $memory;
        const ROOM: usize = room(size_of::<$memory>());

        fn place(block: &mut Place) -> *mut $memory {
            let memory = block.values::<$memory>(1);
            // SAFETY: the room was asked for, and numbers and pointers may be zeros.
            unsafe { memory.write_bytes(0, 1) };
            memory
        }
    };
}

answers! {
    /// `(cqe, res)`.
    Nothing;
    /// `(cqe, res, data)`.
    Data;
    /// `(cqe, fd)`.
    Accepted;
    /// `(cqe, res, nil, flags)`.
    Plain;
    /// The bytes that were read.
    Bytes;
    /// `res` is a descriptor.
    Descriptor;
    /// What the kernel has put into a buffer that it selected.
    Selected;
    /// `luring.fixed(res)`.
    Slot;
    /// A list of strings.
    Strings;
    /// Two descriptors.
    Pair in [c_int; 2];
    /// What statx says.
    Stat in sys::statx;
    /// How a child ended.
    Child in sys::siginfo_t;
    /// A peer's address; `res` is a descriptor.
    Peer in Named;
    /// A socket's address.
    Name in Named;
    /// A message.
    Message;
    /// A message in a buffer that the kernel selected.
    Messages;
    /// A list of events.
    Events;
    /// How a zero-copy send went.
    ZeroCopy;
}

/// An address that the kernel writes, and its length before that.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Named {
    address: sys::sockaddr_storage,
    len: sys::socklen_t,
}

impl Named {
    /// Says how much room there is, and gives both places.
    ///
    /// # Safety
    /// `named` points to one that is the caller's.
    pub unsafe fn wire(named: *mut Named) -> (*mut sys::sockaddr, *mut sys::socklen_t) {
        // SAFETY: the caller's promise.
        unsafe {
            (*named).len = size_of::<sys::sockaddr_storage>() as _;
            ((&raw mut (*named).address).cast(), &raw mut (*named).len)
        }
    }
}

/// Whether a value is made of the block when the action has succeeded.
pub fn has_value(reply: Reply) -> bool {
    !matches!(
        reply,
        Reply::Nothing
            | Reply::Data
            | Reply::Accepted
            | Reply::Plain
            | Reply::Descriptor
            | Reply::ZeroCopy
            | Reply::ZeroCopyReport
            | Reply::Cancelled
    )
}

/// Makes the value of the completion that the argument points to.
///
/// # Safety
/// Lua has called with `state`, and the argument is the address of a `Completion` whose block
/// stays meanwhile.
pub unsafe extern "C-unwind" fn build(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    // SAFETY: as above.
    let completion = unsafe { &*(lua.pointer(1) as *const Completion) };
    // SAFETY: the row's reply says what the block begins with, and the kernel has filled it in.
    unsafe {
        match completion.action.reply {
            Reply::Slot => lua.push_integer(slot::fixed(completion.res)),
            Reply::OwnSlot => lua.push_integer(slot::fixed(first(completion))),
            Reply::Slots => slot::push_list(lua, completion),
            Reply::Strings => iovecs::push(lua, completion),
            Reply::Pair => {
                let pair: [c_int; 2] = first(completion);
                lua.push_table_for(2);
                for (number, fd) in (1..).zip(pair) {
                    lua.push_integer(fd.into());
                    lua.raw_set(-2, number);
                }
            }
            Reply::Stat => statx::push(lua, &first(completion)),
            Reply::Child => siginfo::push(lua, &first(completion)),
            Reply::Peer | Reply::Name => {
                let named: Named = first(completion);
                address::push_table(lua, &address::Address::from_storage(named.address, named.len));
            }
            Reply::Message => message::push(lua, completion),
            Reply::Option => optval::push(lua, completion),
            Reply::Events => epoll::push(lua, completion),
            _ => lua.push_nil(),
        }
    }
    1
}

/// What the block begins with.
///
/// # Safety
/// It is a `T`.
unsafe fn first<T: Copy>(completion: &Completion) -> T {
    // SAFETY: the caller's promise.
    unsafe { completion.action.block.ptr().cast::<T>().read() }
}
