//! What the running kernel can do, and this build of the module.

use super::refusal;
use crate::actions;
use crate::handle::{Handle, RING};
use crate::lua::{Lua, RawState, Type};
use crate::ring::asking::{Asking, Sqe};
use crate::sys;
use crate::values::integers as args;
use std::ffi::{CStr, c_int};

/// The kernel's operations, in the order of their numbers, by IORING_OP_'s names: those of
/// newer headers than there may be.
const OPERATIONS: [&CStr; 65] = [
    c"nop",
    c"readv",
    c"writev",
    c"fsync",
    c"read_fixed",
    c"write_fixed",
    c"poll_add",
    c"poll_remove",
    c"sync_file_range",
    c"sendmsg",
    c"recvmsg",
    c"timeout",
    c"timeout_remove",
    c"accept",
    c"async_cancel",
    c"link_timeout",
    c"connect",
    c"fallocate",
    c"openat",
    c"close",
    c"files_update",
    c"statx",
    c"read",
    c"write",
    c"fadvise",
    c"madvise",
    c"send",
    c"recv",
    c"openat2",
    c"epoll_ctl",
    c"splice",
    c"provide_buffers",
    c"remove_buffers",
    c"tee",
    c"shutdown",
    c"renameat",
    c"unlinkat",
    c"mkdirat",
    c"symlinkat",
    c"linkat",
    c"msg_ring",
    c"fsetxattr",
    c"setxattr",
    c"fgetxattr",
    c"getxattr",
    c"socket",
    c"uring_cmd",
    c"send_zc",
    c"sendmsg_zc",
    c"read_multishot",
    c"waitid",
    c"futex_wait",
    c"futex_wake",
    c"futex_waitv",
    c"fixed_fd_install",
    c"ftruncate",
    c"bind",
    c"listen",
    c"recv_zc",
    c"epoll_wait",
    c"readv_fixed",
    c"writev_fixed",
    c"pipe",
    c"nop128",
    c"uring_cmd128",
];

/// The kernel's features, in the order of their bits, by IORING_FEAT_'s names.
const FEATURES: [&CStr; 18] = [
    c"single_mmap",
    c"nodrop",
    c"submit_stable",
    c"rw_cur_pos",
    c"cur_personality",
    c"fast_poll",
    c"poll_32bits",
    c"sqpoll_nonfixed",
    c"ext_arg",
    c"native_workers",
    c"rsrc_tags",
    c"cqe_skip",
    c"linked_file",
    c"reg_reg_ring",
    c"recvsend_bundle",
    c"min_timeout",
    c"rw_attr",
    c"no_iowait",
];

/// Actions whose operation has another name than theirs, or than its beginning.
const OTHERWISE: [(&str, &str); 19] = [
    ("cancel", "async_cancel"),
    ("cancel_fd", "async_cancel"),
    ("cancel_all", "async_cancel"),
    ("cmd_discard", "uring_cmd"),
    ("cmd_getsockname", "uring_cmd"),
    ("cmd_sock", "uring_cmd"),
    ("link", "linkat"),
    ("mkdir", "mkdirat"),
    ("open", "openat"),
    ("open_direct", "openat"),
    ("poll_multishot", "poll_add"),
    ("poll_update", "poll_remove"),
    ("rename", "renameat"),
    ("sendto", "send"),
    ("symlink", "symlinkat"),
    ("timeout_update", "timeout_remove"),
    ("unlink", "unlinkat"),
    ("recvmsg_multishot", "recvmsg"),
    ("fadvise64", "fadvise"),
];

/// The number of the operation that does an action: the one of its name, or of the longest
/// beginning of it that is an operation's (`recv` for `recv_multishot`).
fn operation(action: &str) -> Option<u8> {
    let number = |name: &str| OPERATIONS.iter().position(|op| op.to_bytes() == name.as_bytes());
    if let Some((_, name)) = OTHERWISE.iter().find(|(other, _)| *other == action) {
        return number(name).map(|number| number as u8);
    }
    match number(action) {
        Some(number) => Some(number as u8),
        None => action.rsplit_once('_').and_then(|(shorter, _)| operation(shorter)),
    }
}

/// What tells whether the kernel has something.
#[derive(Clone, Copy)]
enum Sign {
    /// This SQE, with a descriptor that is none, fails for another reason than -EINVAL.
    Sqe(Sqe),
    /// This operation of io_uring_register does, with so many arguments that are nowhere.
    Register(u32, u32),
    /// This one does, with none.
    Unregister(u32),
    /// A group of buffers can be had with these flags.
    Buffers(u16),
    /// A ring can be had with these flags.
    Setup(u32),
    /// It came with this feature.
    Feature(u8),
    /// It came with this operation.
    Operation(&'static str),
}

/// The SQE of an action whose operation was there before it.
const fn sqe(op: u8) -> Sqe {
    Sqe { opcode: op, fd: -1, ..Sqe::EMPTY }
}

const ALLOC: u32 = u32::MAX;

/// What is younger than its operation, and what is none.
const YOUNGER: [(&str, Sign); 55] = [
    ("accept_multishot", Sign::Sqe(Sqe { ioprio: 1, ..sqe(13) })),
    ("accept_direct", Sign::Sqe(Sqe { file_index: 1, ..sqe(13) })),
    ("accept_multishot_direct", Sign::Sqe(Sqe { ioprio: 1, file_index: ALLOC, ..sqe(13) })),
    ("open_direct", Sign::Sqe(Sqe { file_index: 1, ..sqe(18) })),
    ("openat_direct", Sign::Sqe(Sqe { file_index: 1, ..sqe(18) })),
    ("openat2_direct", Sign::Sqe(Sqe { file_index: 1, len: 24, ..sqe(28) })),
    ("close_direct", Sign::Sqe(Sqe { fd: 0, file_index: 1, ..sqe(19) })),
    ("poll_multishot", Sign::Sqe(Sqe { len: 1, ..sqe(6) })),
    ("poll_update", Sign::Sqe(Sqe { len: 2, ..sqe(7) })),
    ("timeout_update", Sign::Sqe(Sqe { op_flags: 2, ..sqe(12) })),
    ("recv_multishot", Sign::Sqe(Sqe { flags: 1 << 5, ioprio: 2, ..sqe(27) })),
    ("recvmsg_multishot", Sign::Sqe(Sqe { flags: 1 << 5, ioprio: 2, ..sqe(10) })),
    ("send_vectorized", Sign::Sqe(Sqe { ioprio: 1 << 5, len: 1, ..sqe(26) })),
    ("cancel_fd", Sign::Sqe(Sqe { op_flags: 2, ..sqe(14) })),
    ("cancel_all", Sign::Sqe(Sqe { op_flags: 4, ..sqe(14) })),
    ("msg_ring_fd", Sign::Sqe(Sqe { addr: 1, ..sqe(40) })),
    ("cmd_sock", Sign::Operation("waitid")),
    ("cmd_discard", Sign::Feature(15)),
    ("cmd_getsockname", Sign::Operation("nop128")),
    ("buf_ring", Sign::Buffers(1)),
    ("buf_ring_inc", Sign::Buffers(3)),
    ("register_buffers", Sign::Register(0, 1)),
    ("unregister_buffers", Sign::Unregister(1)),
    ("register_buffers_update", Sign::Register(16, 32)),
    ("register_files", Sign::Register(2, 1)),
    ("unregister_files", Sign::Unregister(3)),
    ("register_files_update", Sign::Register(6, 1)),
    ("register_file_alloc_range", Sign::Register(25, 0)),
    ("register_eventfd", Sign::Register(4, 1)),
    ("register_eventfd_async", Sign::Register(7, 1)),
    ("unregister_eventfd", Sign::Unregister(5)),
    ("register_iowq_aff", Sign::Register(17, 8)),
    ("unregister_iowq_aff", Sign::Unregister(18)),
    ("register_iowq_max_workers", Sign::Register(19, 2)),
    ("register_napi", Sign::Register(27, 1)),
    ("unregister_napi", Sign::Register(28, 1)),
    ("register_personality", Sign::Unregister(9)),
    ("unregister_personality", Sign::Unregister(9)),
    ("register_clock", Sign::Register(29, 0)),
    ("resize_rings", Sign::Register(33, 1)),
    ("sync_cancel", Sign::Register(24, 1)),
    ("iopoll", Sign::Setup(1 << 0)),
    ("sqpoll", Sign::Setup(1 << 1)),
    ("sq_aff", Sign::Setup(1 << 1 | 1 << 2)),
    // What needs a number more came with the kernels that have these features.
    ("cqsize", Sign::Feature(2)),
    ("clamp", Sign::Feature(4)),
    ("attach_wq", Sign::Feature(4)),
    ("submit_all", Sign::Setup(1 << 7)),
    ("coop_taskrun", Sign::Setup(1 << 8)),
    ("taskrun_flag", Sign::Setup(1 << 8 | 1 << 9)),
    ("sqe128", Sign::Setup(1 << 10)),
    ("cqe32", Sign::Setup(1 << 11)),
    ("single_issuer", Sign::Setup(1 << 12)),
    ("defer_taskrun", Sign::Setup(1 << 12 | 1 << 13)),
    ("no_sqarray", Sign::Setup(1 << 16)),
];

impl Sign {
    fn is_there(self, asking: &mut Asking) -> bool {
        let known = |result: i32| ![-(sys::EINVAL as i32), -(sys::EOPNOTSUPP as i32)].contains(&result);
        match self {
            Sign::Sqe(sqe) => known(asking.submit(sqe)),
            Sign::Register(op, count) => known(asking.register(op, count)),
            Sign::Unregister(op) => known(asking.unregister(op)),
            Sign::Buffers(flags) => known(asking.register_buffers(flags)),
            Sign::Setup(flags) => Asking::can_have(flags),
            Sign::Feature(bit) => asking.features() >> bit & 1 != 0,
            Sign::Operation(name) => has_operation(asking, name),
        }
    }
}

fn has_operation(asking: &Asking, action: &str) -> bool {
    operation(action).is_some_and(|number| asking.operations().get(usize::from(number)) == Some(&true))
}

/// Whether both this build and the kernel have what is called so. False for what nobody knows:
/// a newer luring may.
fn can_do(name: &str) -> bool {
    let Ok(mut asking) = Asking::new() else { return false };
    let is = |entry: &&CStr| entry.to_bytes() == name.as_bytes();
    if actions::MISSING.iter().any(is) {
        return false;
    }
    if let Some(bit) = FEATURES.iter().position(is) {
        return Sign::Feature(bit as u8).is_there(&mut asking);
    }
    if let Some((_, sign)) = YOUNGER.iter().find(|(younger, _)| *younger == name) {
        return sign.is_there(&mut asking);
    }
    if actions::ACTIONS.iter().any(|(action, _)| is(action)) {
        return has_operation(&asking, name);
    }
    crate::others().any(|(function, _)| is(function))
}

/// `can(name)`: whether this build and the running kernel can do an action or another function,
/// or have a feature.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn can(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let name = args::bytes(lua, 1);
    // SAFETY: the string is on the stack.
    let known = std::str::from_utf8(unsafe { &*name }).is_ok_and(can_do);
    lua.push_boolean(known);
    1
}

/// `available()`: true, or false and why no ring can be had.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn available(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    // Nothing that has a destructor is there any more when Lua may raise.
    match Asking::new().map(drop) {
        Ok(()) => {
            lua.push_boolean(true);
            1
        }
        Err(errno) => {
            lua.push_boolean(false);
            lua.push_bytes(refusal::message(errno, 1, None).as_bytes());
            2
        }
    }
}

/// `probe(ring?)`: a table that has true for each operation that the kernel knows, by the names
/// of IORING_OP_, in lower case.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn probe(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let operations = if matches!(lua.kind(RING), Type::None | Type::Nil) {
        match Asking::new().map(|asking| asking.operations()) {
            Ok(operations) => operations,
            Err(errno) => lua.error(refusal::message(errno, 1, None)),
        }
    } else {
        Handle::check(lua).ring(lua).operations()
    };
    push_names(lua, &OPERATIONS, |number| operations.get(number) == Some(&true));
    1
}

/// `features(ring)`: a table that has true for each feature of the kernel, by the names of
/// IORING_FEAT_, in lower case.
///
/// # Safety
/// Lua has called with `state`.
pub unsafe extern "C-unwind" fn features(state: RawState) -> c_int {
    // SAFETY: the caller's promise.
    let lua = &mut unsafe { Lua::new(state) };
    let features = Handle::check(lua).ring(lua).features();
    push_names(lua, &FEATURES, |bit| features >> bit & 1 != 0);
    1
}

/// Pushes a table that has true for each of the names whose number is there. May raise.
fn push_names(lua: &mut Lua, names: &[&CStr], is_there: impl Fn(usize) -> bool) {
    lua.push_record_for(names.len() as c_int);
    for (number, name) in names.iter().enumerate() {
        if is_there(number) {
            lua.push_boolean(true);
            lua.set_field(-2, name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OTHERWISE, YOUNGER, operation};
    use crate::actions::ROWS;

    #[test]
    fn each_action_has_its_operation() {
        for row in ROWS {
            assert!(operation(row.name).is_some(), "{}", row.name);
        }
        assert_eq!(operation("recv_multishot"), operation("recv"));
        assert_eq!(operation("read_multishot"), Some(49));
        assert_eq!((operation("socket_direct_alloc"), operation("uring_cmd128")), (Some(45), Some(64)));
        assert_eq!(operation("bogus_direct"), None);
    }

    #[test]
    fn each_other_name_is_an_operations() {
        for (action, op) in OTHERWISE {
            assert!(operation(op).is_some(), "{action}");
        }
    }

    #[test]
    fn a_name_stands_once() {
        for (number, (name, _)) in YOUNGER.iter().enumerate() {
            assert!(YOUNGER.iter().skip(number + 1).all(|(other, _)| other != name), "{name}");
        }
    }
}
