//! The functions of a ring that are no actions, and give numbers, a row each.

use crate::functions::Answer;
use crate::lua::Lua;
use crate::values::buffers::Buffers;
use crate::values::cpus::Cpus;
use crate::values::descriptors::{Descriptors, Files};
use crate::values::fd::NoSlot;
use crate::values::integers::{OrNone, Unsigned, UpTo};
use crate::values::napi::Napi;
use std::ffi::c_int;

/// A row says what a function of that name does, and what it returns: the arguments
/// are checked from left to right, and only then is the ring taken, since that may run Lua code.
macro_rules! calls {
    ($($(#[doc = $doc:literal])*
    fn $name:ident($ring:ident $(, $arg:ident: $kind:ty)*) $(-> $answer:ident)? = $body:expr;)*) => {
        $(
            $(#[doc = $doc])*
            unsafe extern "C-unwind" fn $name(state: $crate::lua::RawState) -> std::ffi::c_int {
                // SAFETY: Lua calls with a live state.
                let lua = &mut unsafe { $crate::lua::Lua::new(state) };
                let handle = $crate::handle::Handle::check(lua);
                let mut _index = $crate::handle::RING;
                $(
                    _index += 1;
                    let $arg = <$kind as $crate::values::arg::Arg>::check(lua, _index);
                )*
                let $ring = handle.ring(lua);
                $crate::functions::Answer::push($body, lua)
            }
        )*

        /// Each, by the name that Lua calls it by.
        pub const CALLS: &[$crate::rows::Entry] =
            &[$(($crate::rows::c_name(concat!(stringify!($name), "\0")), $name),)*];

        /// What there is to say about each.
        #[cfg(test)]
        pub const ROWS: &[$crate::rows::Row] = &[$($crate::rows::Row {
            name: stringify!($name),
            doc: &[$($doc),*],
            args: &[$((stringify!($arg), stringify!($kind))),*],
            reply: concat!("" $(, stringify!($answer))?),
            needs: None,
        },)*];
    };
}

impl Answer for i32 {
    fn push(self, lua: &mut Lua) -> c_int {
        i64::from(self).push(lua)
    }
}

impl Answer for u32 {
    fn push(self, lua: &mut Lua) -> c_int {
        i64::from(self).push(lua)
    }
}

impl Answer for bool {
    fn push(self, lua: &mut Lua) -> c_int {
        lua.push_boolean(self);
        1
    }
}

/// Two numbers, or `-errno`.
impl Answer for Result<[u32; 2], i32> {
    fn push(self, lua: &mut Lua) -> c_int {
        match self {
            Ok([first, second]) => first.push(lua) + second.push(lua),
            Err(error) => error.push(lua),
        }
    }
}

calls! {
    /// Gives the ring a table of files, whose slots actions take in place of a descriptor:
    /// `luring.fixed(slot)`. `files` is a list of descriptors, -1 for an empty slot, or the
    /// number of slots, all empty. The table holds the files: their descriptors may be closed.
    /// 0, or -errno: -EMFILE for more slots than the process may have descriptors.
    /// Since Linux 5.1. Man page: io_uring_register_files(3).
    fn register_files(ring, files: Files) = ring.register_files(files.0.ptr, files.0.len);

    /// Puts the descriptors of a list into the slots from `offset` on; -1 empties a slot, and
    /// IORING_REGISTER_FILES_SKIP leaves one as it is. How many were done, or -errno.
    /// Since Linux 5.5. Man page: io_uring_register_files_update(3).
    fn register_files_update(ring, offset: Unsigned, files: Descriptors) =
        ring.update_files(offset.0, files.wire().ptr, files.wire().len);

    /// Takes the ring's table of files away; what is in flight on a slot goes on. 0 or -errno.
    /// Since Linux 5.1. Man page: io_uring_unregister_files(3).
    fn unregister_files(ring) = ring.unregister_files();

    /// Chooses free slots (IORING_FILE_INDEX_ALLOC) from the `len` ones from `offset` on, and no
    /// others. 0 or -errno.
    /// Since Linux 6.0. Man page: io_uring_register_file_alloc_range(3).
    fn register_file_alloc_range(ring, offset: Unsigned, len: Unsigned) = ring.file_alloc_range(offset.0, len.0);

    /// Gives the ring a table of buffers, which read_fixed and write_fixed find by their slots, from 0:
    /// the kernel need not look for the pages of each anew. `buffers` is a list of them, or of views,
    /// with false for an empty slot; or the number of slots, all empty. 0 or -errno.
    /// Since Linux 5.1. Man page: io_uring_register_buffers(3).
    fn register_buffers(ring, buffers: Buffers) = {
        let (entries, iovecs) = buffers.parts();
        ring.register_buffers(entries, iovecs)
    };

    /// Puts the buffers of a list into the slots from `offset` on; false empties one. How many were
    /// done, or -errno.
    /// Since Linux 5.13. Man page: io_uring_register_buffers_update_tag(3).
    fn register_buffers_update(ring, offset: Unsigned, buffers: Buffers) = {
        let (entries, iovecs) = buffers.parts();
        ring.update_buffers(offset.0, entries, iovecs)
    };

    /// Takes the ring's table of buffers away; what is in flight goes on. 0 or -errno.
    /// Since Linux 5.1. Man page: io_uring_unregister_buffers(3).
    fn unregister_buffers(ring) = ring.unregister_buffers();

    /// Signals an eventfd with each completion, for a loop that waits for descriptors. 0 or -errno.
    /// Since Linux 5.2. Man page: io_uring_register_eventfd(3).
    fn register_eventfd(ring, fd: NoSlot) = ring.register_eventfd(fd.number(), false);

    /// As register_eventfd, but only for what the kernel's workers have done (fsync, say). 0 or -errno.
    /// Since Linux 5.6. Man page: io_uring_register_eventfd(3).
    fn register_eventfd_async(ring, fd: NoSlot) = ring.register_eventfd(fd.number(), true);

    /// Signals the eventfd no more. 0 or -errno.
    /// Since Linux 5.2. Man page: io_uring_unregister_eventfd(3).
    fn unregister_eventfd(ring) = ring.unregister_eventfd();

    /// Lets the kernel's workers of this ring run on the processors of a list only, which count
    /// from 0. 0 or -errno.
    /// Since Linux 5.14. Man page: io_uring_register_iowq_aff(3).
    fn register_iowq_aff(ring, cpus: Cpus) = ring.register_iowq_aff(&cpus.0);

    /// Lets them run on every processor again. 0 or -errno.
    /// Since Linux 5.14. Man page: io_uring_unregister_iowq_aff(3).
    fn unregister_iowq_aff(ring) = ring.unregister_iowq_aff();

    /// Limits the kernel's workers of this ring, for files and for all else; 0 leaves a limit as it is.
    /// The limits that there were before, two numbers, or -errno.
    /// Since Linux 5.15. Man page: io_uring_register_iowq_max_workers(3).
    fn register_iowq_max_workers(ring, bounded: Unsigned, unbounded: Unsigned) -> pair =
        ring.register_iowq_max_workers([bounded.0, unbounded.0]);

    /// Looks for what has arrived from the network while it waits for completions, for
    /// `busy_poll_to` microseconds (`{busy_poll_to=, prefer_busy_poll=}`). 0 or -errno.
    /// Since Linux 6.9. Man page: io_uring_register_napi(3).
    fn register_napi(ring, napi: Napi) = ring.register_napi(napi.0);

    /// Does that no more. 0 or -errno.
    /// Since Linux 6.9. Man page: io_uring_unregister_napi(3).
    fn unregister_napi(ring) = ring.unregister_napi();

    /// Notes who the program is now, and gives a number for `sqe_set_personality`: actions
    /// with it are done by that user's and group's rights, whoever the program is then. Or -errno.
    /// Since Linux 5.6. Man page: io_uring_register_personality(3).
    fn register_personality(ring) = ring.register_personality();

    /// Forgets it. 0 or -errno.
    /// Since Linux 5.6. Man page: io_uring_unregister_personality(3).
    fn unregister_personality(ring, id: UpTo<65535>) = ring.unregister_personality(id.0);

    /// Chooses the clock by which `submit_and_wait`'s timeout is measured: CLOCK_MONOTONIC or
    /// CLOCK_BOOTTIME. 0 or -errno.
    /// Since Linux 6.12. Man page: io_uring_register_clock(3).
    fn register_clock(ring, clock: Unsigned) = ring.register_clock(clock.0);

    /// The number of the ring's descriptor, which is readable when there are completions.
    fn ring_fd(ring) = ring.descriptor();

    /// How many actions, queued ones included, have a last completion that was not seen yet.
    fn in_flight(ring) = ring.count_in_flight();

    /// How many actions are queued and not submitted.
    /// Man page: io_uring_sq_ready(3).
    fn sq_ready(ring) = ring.sq_ready();

    /// How many more actions can be queued before a submit.
    /// Man page: io_uring_sq_space_left(3).
    fn sq_space_left(ring) = ring.sq_space_left();

    /// How many completions are there.
    /// Man page: io_uring_cq_ready(3).
    fn cq_ready(ring) = ring.cq_ready();

    /// Whether completions had no room in the queue, so that the kernel keeps them until it is entered:
    /// a boolean. None is lost.
    /// Man page: io_uring_cq_has_overflow(3).
    fn cq_has_overflow(ring) -> boolean = ring.cq_has_overflow();

    /// Gives the ring queues of another size: `entries` SQEs, and `cq_entries` CQEs, or twice as many.
    /// What is queued and what is there moves along. Only for a ring with IORING_SETUP_DEFER_TASKRUN. A
    /// callback may call it too. 0 or -errno: -EOVERFLOW if that has no room.
    /// Since Linux 6.13. Man page: io_uring_resize_rings(3).
    fn resize_rings(ring, entries: Unsigned, cq_entries: OrNone) = ring.resize(entries.0, cq_entries.0);
}
