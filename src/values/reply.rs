//! What a callback gets: the memory that a row asks for, and the value that is made of it.

use super::arg::Place;
use crate::lua::{Lua, RawState};
use crate::ring::in_flight::{Completion, Reply};
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
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        pub struct $name;

        impl Answer for $name {
            const REPLY: Reply = Reply::$name;
            type Memory = ();
            const ROOM: usize = 0;

            #[inline]
            fn place(_block: &mut Place) {}
        }
    )* };
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
    /// A descriptor.
    Descriptor;
}

/// Whether there is a value to be made of the block when the action has succeeded.
pub fn has_value(reply: Reply) -> bool {
    !matches!(reply, Reply::Nothing | Reply::Data | Reply::Accepted | Reply::Plain | Reply::Descriptor)
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
    let completion = unsafe { *(lua.pointer(1) as *const Completion) };
    match completion.action.reply {
        _ => lua.push_nil(),
    }
    1
}
