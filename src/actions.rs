//! The actions, a row each: all there is to say about one is here.

use crate::action::amend::Linked;
use crate::action::cancel::{self, All, Cancelled, One};
#[allow(unused_imports)] // where liburing has no msg_ring
use crate::ring::messages::MARK;
use crate::rows::rows;
use crate::sys::{self, flag, prep};
use crate::system::sigpipe;
use crate::values::address::Address;
use crate::values::content::Content;
use crate::values::descriptors::Descriptors;
use crate::values::epoll::{Event, Events as MaxEvents};
use crate::values::fd::{Closing, Dir, Fd, Input, NoSlot};
use crate::values::futexes::Futexes;
use crate::values::group::Group;
use crate::values::inbox::Inbox;
use crate::values::integers::{Datum, Int, Length, Mode, Offset, SendFlags, Unsigned, UpTo};
use crate::values::iovecs::{Sizes, Strings as List};
use crate::values::key::Key;
use crate::values::message::{Incoming, Outgoing, Parcel, Payload};
use crate::values::open_how::OpenHow;
use crate::values::optval::OptVal;
use crate::values::path::Path;
use crate::values::reply::{
    Accepted, Bytes, Child, Data, Descriptor, Events, Message, Messages, Name, Named, Nothing, Pair, Peer,
    Plain, Selected, Slot, Stat, Strings, ZeroCopy,
};
use crate::values::size::{Size, TRUNCATE};
use crate::values::slot::{
    self, FirstSlot, FromSlot, IntoSlot, OwnSlot, SlotFlags, SlotHow, SlotOrAny, Slots,
};
use crate::values::time::Duration;
use crate::values::views::{Filled, Written};
use crate::values::word::{Nth, Word, Words};
use crate::values::zero_copy::ZcFlags;
use std::ffi::c_int;
use std::ptr::{null, null_mut};

/// Flags that every send has: a peer that is gone is -EPIPE, never a signal.
const SEND: c_int = sys::MSG_NOSIGNAL as c_int;

/// As many bytes as a socket takes or gives at once: of more the kernel does a part, or refuses
/// it, as Linux 6.18 does.
const AT_ONCE: u32 = c_int::MAX as u32;

/// recvmsg's flags as the kernel gets them: descriptors are close-on-exec, and control data is this
/// machine's, not that of a 32-bit program (MSG_CMSG_COMPAT, which is the sign).
fn for_messages(flags: c_int) -> c_int {
    flags & c_int::MAX | sys::MSG_CMSG_CLOEXEC as c_int
}

rows! {
    // ---- the five of the original module ----

    /// Reads up to `nbytes` bytes from `fd` at `offset`, in bytes from the file's start; -1 is
    /// the file's own position. `res` is how many bytes there are, 0 at the end of the file. Of two in
    /// flight on one pipe or socket the second may get what the first waits for: queue it when the
    /// first has ended.
    /// Since Linux 5.6. Man page: io_uring_prep_read(3).
    fn read(fd: Fd, nbytes: Size, offset: Offset) -> Data =
        |sqe| prep::read(sqe, fd, nbytes.ptr.cast(), nbytes.len, offset);

    /// Writes `data` to `fd` at `offset`, in bytes from the file's start; -1 is the file's own
    /// position. `res` is how many bytes were written, which may be fewer. A reader that is gone is
    /// -EPIPE, never a signal.
    /// Since Linux 5.6. Man page: io_uring_prep_write(3).
    fn write(fd: Fd, data: Content, offset: Offset) -> Nothing = |sqe| {
        prep::write(sqe, fd, data.ptr.cast(), data.len, offset);
        sigpipe::keep_off(sqe)
    };

    /// Receives up to `nbytes` bytes from a socket; `flags` are recv's (MSG_PEEK, MSG_WAITALL, ...).
    /// `res` is how many bytes there are, 0 when the peer has ended its side. Of two in flight on one
    /// socket the second may get what the first waits for: queue it when the first has ended.
    /// Since Linux 5.6. Man page: io_uring_prep_recv(3).
    fn recv(fd: Fd, nbytes: Size, flags: Int) -> Data = |sqe| {
        // With MSG_TRUNC, TCP counts bytes that it doesn't write.
        let flags = flags & !nbytes.unfit;
        if flags & TRUNCATE != 0 {
            nbytes.ptr.write_bytes(0, nbytes.len as usize);
        }
        prep::recv(sqe, fd, nbytes.ptr.cast(), nbytes.len.min(AT_ONCE) as usize, flags)
    };

    /// Sends `data`, a string or a list of strings, to a connected socket; `flags` are send's
    /// (MSG_WAITALL, MSG_MORE, ...). `res` is how many bytes were sent, which may be fewer. A peer that
    /// is gone is -EPIPE, never a signal.
    /// Since Linux 5.6. Man page: io_uring_prep_send(3).
    fn send(fd: Fd, data: Payload, flags: SendFlags) mostly (Fd, Content, SendFlags) -> Nothing =
        |sqe| prep::send(sqe, fd, data.ptr.cast(), data.len.min(AT_ONCE) as usize, flags | SEND);

    /// Accepts a connection on a listening socket; `flags` are accept4's (SOCK_CLOEXEC,
    /// SOCK_NONBLOCK). `res` is the new descriptor; it is closed if nobody gets it.
    /// Since Linux 5.5. Man page: io_uring_prep_accept(3).
    fn accept(fd: Fd, flags: Int) -> Accepted = |sqe| prep::accept(sqe, fd, null_mut(), null_mut(), flags);

    // ---- the data of files ----

    /// Reads into several buffers of the sizes in the list `sizes` (at most 1024), one after the other.
    /// The value is a list of strings, the last of which may be shorter. `flags` are preadv2's (RWF_NOWAIT, ...).
    /// Since Linux 5.1. Man page: io_uring_prep_readv2(3).
    fn readv(fd: Fd, sizes: Sizes, offset: Offset, flags: Int) -> Strings = |sqe| {
        prep::readv(sqe, fd, sizes.ptr, sizes.len, offset);
        (*sqe).__bindgen_anon_3.rw_flags = flags
    };

    /// Writes the strings of the list `data` (at most 1024), one after the other, without joining them.
    /// `flags` are pwritev2's (RWF_APPEND, RWF_DSYNC, ...).
    /// Since Linux 5.1. Man page: io_uring_prep_writev2(3).
    fn writev(fd: Fd, data: List, offset: Offset, flags: Int) -> Plain = |sqe| {
        prep::writev(sqe, fd, data.ptr, data.len, offset);
        (*sqe).__bindgen_anon_3.rw_flags = flags;
        sigpipe::keep_off(sqe)
    };

    /// Waits until a file's data is on the disk, and its attributes too without IORING_FSYNC_DATASYNC in
    /// `flags`. Writes that are in flight are not waited for: link them, or wait for them first.
    /// Since Linux 5.1. Man page: io_uring_prep_fsync(3).
    fn fsync(fd: Fd, flags: Unsigned) -> Plain;

    /// Writes a part of a file's data to the disk: `len` bytes from `offset`; `flags` are
    /// SYNC_FILE_RANGE_WRITE and its kin. It says nothing of the file's attributes: see sync_file_range(2).
    /// Since Linux 5.2. Man page: io_uring_prep_sync_file_range(3).
    fn sync_file_range(fd: Fd, len: Unsigned, offset: Length, flags: Int) -> Plain;

    /// Reserves, or with FALLOC_FL_PUNCH_HOLE and its kin in `mode` frees, `len` bytes of a file from
    /// `offset`.
    /// Since Linux 5.6. Man page: io_uring_prep_fallocate(3).
    fn fallocate(fd: Fd, mode: Int, offset: Length, len: Length) -> Plain =
        |sqe| {
            sys::io_uring_prep_rw(sys::IORING_OP_FALLOCATE as c_int, sqe, fd, null(), mode as u32, offset);
            (*sqe).__bindgen_anon_2.addr = len
        };

    /// Cuts a file to `len` bytes, or fills it up with zeros.
    /// Since Linux 6.9. Man page: io_uring_prep_ftruncate(3).
    fn ftruncate(fd: Fd, len: Length) -> Plain needs "ftruncate" "2.6" = |sqe| prep::ftruncate(sqe, fd, len as _);

    /// Says how a file will be read: `advice` (POSIX_FADV_SEQUENTIAL, ...) for `len` bytes from `offset`,
    /// or with 0 to the end. Kernels that know no `len` of 2^32 or more answer it with -EINVAL.
    /// Since Linux 5.6. Man page: io_uring_prep_fadvise(3).
    fn fadvise(fd: Fd, offset: Length, len: Length, advice: Int) -> Plain = |sqe| {
        // Older kernels know only the place of 32 bits.
        let (short, long) = u32::try_from(len).map_or((0, len), |short| (short, 0));
        sys::io_uring_prep_rw(sys::IORING_OP_FADVISE as c_int, sqe, fd, null(), short, offset);
        (*sqe).__bindgen_anon_2.addr = long;
        (*sqe).__bindgen_anon_3.fadvise_advice = advice as u32
    };

    /// Moves up to `nbytes` bytes between two descriptors, one of them a pipe, without copying them
    /// through the program; an offset of -1 is the descriptor's own position, and the only one for a
    /// pipe. `res` is how many bytes were moved.
    /// Since Linux 5.7. Man page: io_uring_prep_splice(3).
    fn splice(fd_in: Input, off_in: Offset, fd_out: Fd, off_out: Offset, nbytes: Unsigned, flags: Unsigned) -> Plain =
        |sqe| prep::splice(sqe, fd_in.fd, off_in as i64, fd_out, off_out as i64, nbytes, flags | fd_in.flag);

    /// Copies up to `nbytes` bytes from one pipe to another, which stay in the first.
    /// Since Linux 5.8. Man page: io_uring_prep_tee(3).
    fn tee(fd_in: Input, fd_out: Fd, nbytes: Unsigned, flags: Unsigned) -> Plain =
        |sqe| prep::tee(sqe, fd_in.fd, fd_out, nbytes, flags | fd_in.flag);

    /// Makes a pipe; `flags` are pipe2's (O_CLOEXEC, O_NONBLOCK, O_DIRECT). The value is a list of two
    /// descriptors, to read from and to write to.
    /// Since Linux 6.16. Man page: io_uring_prep_pipe(3).
    fn pipe(flags: Int) -> Pair in fds needs "pipe" "2.12" = |sqe| prep::pipe(sqe, fds.cast(), flags);

    /// Tells a block device that `nbytes` bytes from `offset` are no longer needed.
    /// Since Linux 6.12. Man page: io_uring_prep_cmd_discard(3).
    fn cmd_discard(fd: Fd, offset: Length, nbytes: Length) -> Plain needs "cmd_discard" "2.8" =
        |sqe| prep::cmd_discard(sqe, fd, offset, nbytes);

    /// Reads one time after the other from what can be polled (a pipe, a terminal, not a file) into buffers
    /// that the kernel selects from `group`: the callback gets each, until a completion without
    /// IORING_CQE_F_MORE in its flags. The value is as for read with a group.
    /// Since Linux 6.7. Man page: io_uring_prep_read_multishot(3).
    fn read_multishot(fd: Fd, group: Group, offset: Offset) -> Selected needs "read_multishot" "2.6" = |sqe| {
        prep::read_multishot(sqe, fd, 0, offset, 0);
        group.select(sqe)
    };

    // ---- files ----

    /// Opens the file `path`, from the folder `dfd` (or AT_FDCWD) if it is relative; `flags` are open's
    /// (O_RDONLY, O_RDWR + O_CREAT, ...), and `mode` the permissions of a new file (0 to 4095). `res` is the descriptor.
    /// Since Linux 5.6. Man page: io_uring_prep_openat(3).
    fn openat(dfd: Dir, path: Path, flags: Int, mode: Mode) -> Descriptor;

    /// Opens the file `path`; `flags` and `mode` are openat's.
    /// Since Linux 5.6. Man page: io_uring_prep_open(3).
    fn open(path: Path, flags: Int, mode: Mode) -> Descriptor =
        |sqe| prep::openat(sqe, sys::AT_FDCWD, path, flags, mode);

    /// Opens the file `path` as `how` says: `{flags=, mode=, resolve=}`, where `resolve` keeps the path
    /// within its folder (RESOLVE_BENEATH), or from links (RESOLVE_NO_SYMLINKS), ... `res` is the descriptor.
    /// Since Linux 5.6. Man page: io_uring_prep_openat2(3).
    fn openat2(dfd: Dir, path: Path, how: OpenHow) -> Descriptor = |sqe| prep::openat2(sqe, dfd, path, how.cast());

    /// Closes a descriptor, or the file in a slot (`luring.fixed(slot)`). What is in flight on it goes on: a later message of the peer still ends a
    /// recv. `cancel_fd` ends all of it.
    /// Since Linux 5.6. Man page: io_uring_prep_close(3).
    fn close(fd: Closing) -> Plain;

    /// Looks at a file: the value is a table with the C names of struct statx, those that its
    /// `stx_mask` says are there; times are `{tv_sec=, tv_nsec=}`. `flags` are AT_SYMLINK_NOFOLLOW,
    /// AT_EMPTY_PATH (with an empty path, `dfd` itself), ...; `mask` is STATX_BASIC_STATS or single ones.
    /// `stx_mnt_id`, `stx_dio_...`, `stx_subvol` and `stx_atomic_write_...` are there only if `mask` asks for
    /// them, by STATX_MNT_ID, STATX_DIOALIGN, STATX_SUBVOL and STATX_WRITE_ATOMIC, which older headers lack.
    /// Since Linux 5.6. Man page: io_uring_prep_statx(3).
    fn statx(dfd: Dir, path: Path, flags: Int, mask: Unsigned) -> Stat in statxbuf =
        |sqe| prep::statx(sqe, dfd, path, flags, mask, statxbuf.cast());

    /// Removes a file, or with AT_REMOVEDIR in `flags` an empty folder.
    /// Since Linux 5.11. Man page: io_uring_prep_unlinkat(3).
    fn unlinkat(dfd: Dir, path: Path, flags: Int) -> Plain;

    /// Removes a file; `flags` are unlinkat's.
    /// Since Linux 5.11. Man page: io_uring_prep_unlink(3).
    fn unlink(path: Path, flags: Int) -> Plain = |sqe| prep::unlinkat(sqe, sys::AT_FDCWD, path, flags);

    /// Makes a folder with the permissions `mode` (0 to 4095).
    /// Since Linux 5.15. Man page: io_uring_prep_mkdirat(3).
    fn mkdirat(dfd: Dir, path: Path, mode: Mode) -> Plain;

    /// Makes a folder with the permissions `mode`.
    /// Since Linux 5.15. Man page: io_uring_prep_mkdir(3).
    fn mkdir(path: Path, mode: Mode) -> Plain = |sqe| prep::mkdirat(sqe, sys::AT_FDCWD, path, mode);

    /// Gives a file another name or place; `flags` are renameat2's (RENAME_NOREPLACE, RENAME_EXCHANGE).
    /// Since Linux 5.11. Man page: io_uring_prep_renameat(3).
    fn renameat(olddfd: Dir, oldpath: Path, newdfd: Dir, newpath: Path, flags: Unsigned) -> Plain =
        |sqe| prep::renameat(sqe, olddfd, oldpath, newdfd, newpath, flags as _);

    /// Gives a file another name or place.
    /// Since Linux 5.11. Man page: io_uring_prep_rename(3).
    fn rename(oldpath: Path, newpath: Path) -> Plain =
        |sqe| prep::renameat(sqe, sys::AT_FDCWD, oldpath, sys::AT_FDCWD, newpath, 0);

    /// Gives a file one more name; `flags` are linkat's (AT_SYMLINK_FOLLOW).
    /// Since Linux 5.15. Man page: io_uring_prep_linkat(3).
    fn linkat(olddfd: Dir, oldpath: Path, newdfd: Dir, newpath: Path, flags: Int) -> Plain;

    /// Gives a file one more name; `flags` are linkat's.
    /// Since Linux 5.15. Man page: io_uring_prep_link(3).
    fn link(oldpath: Path, newpath: Path, flags: Int) -> Plain =
        |sqe| prep::linkat(sqe, sys::AT_FDCWD, oldpath, sys::AT_FDCWD, newpath, flags);

    /// Makes a symbolic link at `linkpath` that leads to `target`.
    /// Since Linux 5.15. Man page: io_uring_prep_symlinkat(3).
    fn symlinkat(target: Path, newdirfd: Dir, linkpath: Path) -> Plain;

    /// Makes a symbolic link at `linkpath` that leads to `target`.
    /// Since Linux 5.15. Man page: io_uring_prep_symlink(3).
    fn symlink(target: Path, linkpath: Path) -> Plain = |sqe| prep::symlinkat(sqe, target, sys::AT_FDCWD, linkpath);

    /// Reads the extended attribute `name` of the file `path`, up to `len` bytes: the value. With 0,
    /// `res` is how many there are; -ERANGE says that `len` is too small.
    /// Since Linux 5.19. Man page: io_uring_prep_getxattr(3).
    fn getxattr(name: Path, path: Path, len: Size) -> Bytes needs "getxattr" "2.2" =
        |sqe| prep::getxattr(sqe, name, len.ptr.cast(), path, len.len as _);

    /// As getxattr, of an open file.
    /// Since Linux 5.19. Man page: io_uring_prep_fgetxattr(3).
    fn fgetxattr(fd: Fd, name: Path, len: Size) -> Bytes needs "fgetxattr" "2.2" =
        |sqe| prep::fgetxattr(sqe, fd, name, len.ptr.cast(), len.len as _);

    /// Sets the extended attribute `name` of the file `path` to the string `value`; `flags` are
    /// XATTR_CREATE or XATTR_REPLACE.
    /// Since Linux 5.19. Man page: io_uring_prep_setxattr(3).
    fn setxattr(name: Path, value: Content, path: Path, flags: Int) -> Plain needs "setxattr" "2.2" =
        |sqe| prep::setxattr(sqe, name, value.ptr.cast(), path, flags, value.len as _);

    /// As setxattr, of an open file.
    /// Since Linux 5.19. Man page: io_uring_prep_fsetxattr(3).
    fn fsetxattr(fd: Fd, name: Path, value: Content, flags: Int) -> Plain needs "fsetxattr" "2.2" =
        |sqe| prep::fsetxattr(sqe, fd, name, value.ptr.cast(), flags, value.len as _);

    // ---- sockets ----

    /// Makes a socket: `domain` is AF_INET, AF_INET6 or AF_UNIX, `kind` SOCK_STREAM or SOCK_DGRAM, with
    /// SOCK_CLOEXEC and SOCK_NONBLOCK; `flags` must be 0 so far. `res` is the descriptor.
    /// Since Linux 5.19. Man page: io_uring_prep_socket(3).
    fn socket(domain: Int, kind: Int, protocol: Int, flags: Unsigned) -> Descriptor needs "socket" "2.2";

    /// Gives a socket an address of this machine, as the helpers' tables have them.
    /// Since Linux 6.11. Man page: io_uring_prep_bind(3).
    fn bind(fd: Fd, addr: Address) -> Plain needs "bind" "2.7" = |sqe| prep::bind(sqe, fd, addr.ptr, addr.len);

    /// Makes a socket listen; `backlog` is how many connections may wait.
    /// Since Linux 6.11. Man page: io_uring_prep_listen(3).
    fn listen(fd: Fd, backlog: Int) -> Plain needs "listen" "2.7";

    /// Connects a socket to an address, as the helpers' tables have them.
    /// Since Linux 5.5. Man page: io_uring_prep_connect(3).
    fn connect(fd: Fd, addr: Address) -> Plain = |sqe| prep::connect(sqe, fd, addr.ptr, addr.len);

    /// Accepts one connection after the other: the callback gets each, until a completion without
    /// IORING_CQE_F_MORE in its flags (-EMFILE, -ECANCELED, ...). Armed again while descriptors are short,
    /// it ends at once again.
    /// Since Linux 5.19. Man page: io_uring_prep_multishot_accept(3).
    fn accept_multishot(fd: Fd, flags: Int) -> Descriptor needs "multishot_accept" "2.2" =
        |sqe| prep::multishot_accept(sqe, fd, null_mut(), null_mut(), flags);

    /// Accepts a connection, and says who it is from: the value is the peer's address.
    /// Since Linux 5.5. Man page: io_uring_prep_accept(3).
    fn accept_from(fd: Fd, flags: Int) -> Peer in peer = |sqe| {
        let (addr, len) = Named::wire(peer);
        prep::accept(sqe, fd, addr, len, flags)
    };

    /// Ends one side of a connection, or both: `how` is SHUT_RD, SHUT_WR or SHUT_RDWR.
    /// Since Linux 5.11. Man page: io_uring_prep_shutdown(3).
    fn shutdown(fd: Fd, how: Int) -> Plain;

    /// Receives one time after the other into buffers that the kernel selects from `group`: the callback
    /// gets each, until a completion without IORING_CQE_F_MORE in its flags (0 at the peer's end, -ENOBUFS when
    /// no buffer is left, ...). The value is as for recv with a group.
    /// Since Linux 6.0. Man page: io_uring_prep_recv_multishot(3).
    fn recv_multishot(fd: Fd, group: Group, flags: Int) -> Selected needs "recv_multishot" "2.3" = |sqe| {
        prep::recv_multishot(sqe, fd, null_mut(), 0, flags & !TRUNCATE);
        group.select(sqe)
    };

    /// Sends `data`, a string or a list of strings, to an address, from a socket that need not be connected.
    /// Since Linux 5.3. Man page: io_uring_prep_sendmsg(3).
    fn sendto(fd: Fd, data: Parcel, flags: SendFlags, addr: Address) -> Plain = |sqe| {
        (*data).msg_name = addr.ptr.cast();
        (*data).msg_namelen = addr.len;
        prep::sendmsg(sqe, fd, data, (flags | SEND) as u32)
    };

    /// Sends a message: `{data=, addr=, fds=, control=}`. `data` is a string or a list of strings; `addr` an
    /// address, for a socket that is not connected; `fds` a list of descriptors that the peer of a Unix
    /// socket gets (at most 253); `control` a list of `{level=, type=, data=}` (at most 16).
    /// Since Linux 5.3. Man page: io_uring_prep_sendmsg(3).
    fn sendmsg(fd: Fd, message: Outgoing, flags: SendFlags) -> Plain =
        |sqe| prep::sendmsg(sqe, fd, message, (flags | SEND) as u32);

    /// Receives a message of up to `size` bytes, or `{size=, control=, name=}`: `control` is the room for
    /// control data in bytes (0 to 65535), `name` says whether the sender's address is wanted. The value is
    /// `{data=, addr=, control=, fds=, flags=}`: what is not there is nil. Descriptors that come are
    /// close-on-exec, and closed if nobody gets them.
    /// Since Linux 5.3. Man page: io_uring_prep_recvmsg(3).
    fn recvmsg(fd: Fd, size: Incoming, flags: Int) -> Message = |sqe| {
        if flags & TRUNCATE != 0 {
            let data = (*size).msg_iov.read(); // as for recv
            data.iov_base.cast::<u8>().write_bytes(0, data.iov_len);
        }
        prep::recvmsg(sqe, fd, size, for_messages(flags) as u32)
    };

    /// As recvmsg, one message after the other, each in a buffer that the kernel selects from `group`: until a
    /// completion without IORING_CQE_F_MORE in its flags. An empty message is the last. `group` is a group
    /// that is not incremental, or `{group=, control=, name=}`, where `control` is the room for control data
    /// and `name` is false if nobody wants the sender's address: a buffer needs 16 bytes, 128 for the
    /// address, and those of `control`, before the data. The value is recvmsg's; for a manual group `data` is a view.
    /// Since Linux 6.0. Man page: io_uring_prep_recvmsg_multishot(3).
    fn recvmsg_multishot(fd: Fd, group: Inbox, flags: Int) -> Messages needs "recvmsg_multishot" "2.3" = |sqe| {
        prep::recvmsg_multishot(sqe, fd, group.message, for_messages(flags & !TRUNCATE) as u32);
        group.group.select(sqe)
    };

    /// As send, without copying `data` into the kernel, which pays for large data; `zc_flags` are 0 or
    /// IORING_SEND_ZC_REPORT_USAGE. The string is kept until the kernel no longer needs it, which is a
    /// second completion. The callback hears of that one only with the flag: `res` is 0 then, and the value
    /// "zerocopy" or "copied".
    /// Since Linux 6.0. Man page: io_uring_prep_send_zc(3).
    fn send_zc(fd: Fd, data: Content, flags: Int, zc_flags: ZcFlags) -> ZeroCopy needs "send_zc" "2.3" =
        |sqe| prep::send_zc(sqe, fd, data.ptr.cast(), data.len as usize, flags | SEND, zc_flags);

    /// As sendmsg, without copying `data` into the kernel: see send_zc.
    /// Since Linux 6.1. Man page: io_uring_prep_sendmsg_zc(3).
    fn sendmsg_zc(fd: Fd, message: Outgoing, flags: Int, zc_flags: ZcFlags) -> ZeroCopy needs "sendmsg_zc" "2.3" = |sqe| {
        prep::sendmsg_zc(sqe, fd, message, (flags | SEND) as u32);
        (*sqe).ioprio |= zc_flags as u16
    };

    /// Asks a socket something: `cmd_op` is SOCKET_URING_OP_SIOCINQ or SOCKET_URING_OP_SIOCOUTQ, whose `res`
    /// is how many bytes wait to be read or sent; or SOCKET_URING_OP_GETSOCKOPT or
    /// SOCKET_URING_OP_SETSOCKOPT with an option's `level` and `optname`. `optval` is an integer for an
    /// option that is a C int, or a string as long as the option; the value is what GETSOCKOPT got, likewise.
    /// Since Linux 6.7. Man page: io_uring_prep_cmd_sock(3).
    fn cmd_sock(cmd_op: UpTo<3>, fd: Fd, level: Int, optname: Int, optval: OptVal) -> Bytes needs "cmd_sock" "2.5" =
        // A later command takes level and optname for an address, and writes there.
        |sqe| prep::cmd_sock(sqe, cmd_op as c_int, fd, level, optname, optval.ptr.cast(), optval.len as c_int);

    /// The address that a socket is bound to, or with 1 as `peer` the one that it is connected to.
    /// Since Linux 6.19. Man page: io_uring_prep_cmd_getsockname(3).
    fn cmd_getsockname(fd: Fd, peer: Int) -> Name in name needs "cmd_getsockname" "2.13" = |sqe| {
        let (addr, len) = Named::wire(name);
        prep::cmd_getsockname(sqe, fd, addr, len, peer)
    };

    // ---- time and waiting ----

    /// Ends after a time, in seconds or as `{tv_sec=, tv_nsec=}`, with -ETIME; or with 0 once `count` other
    /// completions have come (0: only the time counts). -ETIME breaks a chain, unless `flags` have
    /// IORING_TIMEOUT_ETIME_SUCCESS. IORING_TIMEOUT_ABS makes the time a moment.
    /// Since Linux 5.4. Man page: io_uring_prep_timeout(3).
    fn timeout(after: Duration, count: Unsigned, flags: Unsigned) -> Plain;

    /// Ends the timeout that `key` names, before its time: it gets -ECANCELED, and this 0; -ENOENT if it
    /// has ended.
    /// Since Linux 5.5. Man page: io_uring_prep_timeout_remove(3).
    fn timeout_remove(key: Key, flags: Unsigned) -> Plain;

    /// Gives the timeout that `key` names another time.
    /// Since Linux 5.11. Man page: io_uring_prep_timeout_update(3).
    fn timeout_update(after: Duration, key: Key, flags: Unsigned) -> Plain =
        |sqe| prep::timeout_update(sqe, after, key, flags);

    /// Waits until a descriptor is ready as `mask` says (POLLIN, POLLOUT, ...). `res` is what it is ready for.
    /// Since Linux 5.1. Man page: io_uring_prep_poll_add(3).
    fn poll_add(fd: Fd, mask: Unsigned) -> Plain;

    /// As poll_add, again and again: until a completion without IORING_CQE_F_MORE in its flags.
    /// Since Linux 5.13. Man page: io_uring_prep_poll_multishot(3).
    fn poll_multishot(fd: Fd, mask: Unsigned) -> Plain;

    /// Ends the poll that `key` names: it gets -ECANCELED, and this 0; -ENOENT if it has ended.
    /// Since Linux 5.1. Man page: io_uring_prep_poll_remove(3).
    fn poll_remove(key: Key) -> Plain = |sqe| {
        sys::io_uring_prep_rw(sys::IORING_OP_POLL_REMOVE as c_int, sqe, -1, null(), 0, 0);
        (*sqe).__bindgen_anon_2.addr = key
    };

    /// Gives the poll that `key` names another mask, and nothing else: a multishot goes on as one, and
    /// another ends once, whatever `flags` say; 0 will do.
    /// Since Linux 5.13. Man page: io_uring_prep_poll_update(3).
    fn poll_update(key: Key, mask: Unsigned, flags: UpTo<3>) -> Plain = |sqe| {
        // IORING_POLL_UPDATE_USER_DATA, which is 4, would take the poll's key from it.
        let flags = flags | sys::IORING_POLL_UPDATE_EVENTS;
        sys::io_uring_prep_rw(sys::IORING_OP_POLL_REMOVE as c_int, sqe, -1, null(), flags, 0);
        (*sqe).__bindgen_anon_2.addr = key;
        // The mask's halves change places on a big-endian machine.
        (*sqe).__bindgen_anon_3.poll32_events = if cfg!(target_endian = "big") { mask.rotate_left(16) } else { mask }
    };

    /// Adds, changes or removes (`op`: EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL) what an epoll descriptor
    /// watches `fd` for; `event` is `{events=, data=}`, or nil for EPOLL_CTL_DEL.
    /// Since Linux 5.6. Man page: io_uring_prep_epoll_ctl(3).
    fn epoll_ctl(epfd: NoSlot, fd: NoSlot, op: Int, event: Event) -> Plain;

    /// Waits for an epoll descriptor's events, at most `maxevents` (1 to 4096): the value is a list of
    /// `{events=, data=}`.
    /// Since Linux 6.15. Man page: io_uring_prep_epoll_wait(3).
    fn epoll_wait(epfd: Fd, maxevents: MaxEvents, flags: Unsigned) -> Events needs "epoll_wait" "2.10" =
        |sqe| prep::epoll_wait(sqe, epfd, maxevents.ptr, maxevents.len as c_int, flags);

    /// Waits until a child process changes: `idtype` is P_PID, P_PIDFD, P_PGID or P_ALL, `id` its number,
    /// `options` WEXITED, WNOHANG, ... The value is `{pid=, uid=, signo=, code=, status=}`, where `code` is
    /// CLD_EXITED, CLD_KILLED, ...
    /// Since Linux 6.7. Man page: io_uring_prep_waitid(3).
    fn waitid(idtype: Unsigned, id: Unsigned, options: Int, flags: Unsigned) -> Child in infop needs "waitid" "2.6" =
        |sqe| prep::waitid(sqe, idtype as _, id as _, infop, options, flags);

    /// Waits while the `k`-th word, from 1, of the shared buffer `b` is `value`, until futex_wake comes:
    /// `res` is 0 then, or -EAGAIN if the word is another already. A waker meets those who have a bit
    /// of its `mask` in theirs; FUTEX_BITSET_MATCH_ANY is all of them. `futex_flags` are
    /// FUTEX2_SIZE_U32, and FUTEX2_PRIVATE if no other process uses the word; `flags` must be 0 so far.
    /// Since Linux 6.7. Man page: io_uring_prep_futex_wait(3).
    fn futex_wait(b: Words, k: Nth, value: Word, mask: Unsigned, futex_flags: Unsigned, flags: Unsigned) -> Plain
        needs "futex_wait" "2.6" =
            |sqe| prep::futex_wait(sqe, b.wrapping_add(k), value, mask.into(), futex_flags, flags);

    /// Wakes up to `count` of those who wait for the `k`-th word, from 1, of the shared buffer `b`, here
    /// or in another process, by any system call: see futex_wait for the rest. `res` is how many were
    /// woken. The word itself is as before: change it first.
    /// Since Linux 6.7. Man page: io_uring_prep_futex_wake(3).
    fn futex_wake(b: Words, k: Nth, count: UpTo<2147483647>, mask: Unsigned, futex_flags: Unsigned, flags: Unsigned) -> Plain
        needs "futex_wake" "2.6" =
            |sqe| prep::futex_wake(sqe, b.wrapping_add(k), count.into(), mask.into(), futex_flags, flags);

    /// As futex_wait, for any of several words: `futexes` is a list of `{b, k, value=, flags=}` (at most
    /// 128), where `flags` are `futex_flags`, by default FUTEX2_SIZE_U32. `res` is the place in the list
    /// of one that was woken, counted from 0, or -EAGAIN if a word has another value already.
    /// Since Linux 6.7. Man page: io_uring_prep_futex_waitv(3).
    fn futex_waitv(futexes: Futexes, flags: Unsigned) -> Plain needs "futex_waitv" "2.6" =
        |sqe| prep::futex_waitv(sqe, futexes.ptr.cast(), futexes.len, flags);

    /// Does nothing, and completes: what it costs to go through the ring.
    /// Since Linux 5.1. Man page: io_uring_prep_nop(3).
    fn nop() -> Plain;

    // ---- direct descriptors: files that only a slot of the ring's table has ----

    /// As accept, but the connection goes into `slot` (a number, `luring.fixed` of it, or with
    /// IORING_FILE_INDEX_ALLOC a free one) of the ring's table of files, and has no descriptor; a file
    /// that is there is closed. The value is `luring.fixed(slot)`. SOCK_CLOEXEC makes no sense then.
    /// -ENFILE: no slot is free; -ENXIO: the ring has no table.
    /// Since Linux 5.15. Man page: io_uring_prep_accept_direct(3).
    fn accept_direct(fd: Fd, flags: SlotFlags, slot: IntoSlot) -> OwnSlot in own = |sqe| {
        own.write(slot);
        prep::accept(sqe, fd, null_mut(), null_mut(), flags)
    };

    /// As accept_multishot, into free slots: each value is the `luring.fixed` of one.
    /// Since Linux 5.19. Man page: io_uring_prep_multishot_accept_direct(3).
    fn accept_multishot_direct(fd: Fd, flags: SlotFlags) -> Slot needs "multishot_accept" "2.2" = |sqe| {
        prep::multishot_accept(sqe, fd, null_mut(), null_mut(), flags);
        slot::set_file_index(&mut *sqe, slot::ALLOC)
    };

    /// As open, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
    /// Since Linux 5.15. Man page: io_uring_prep_open_direct(3).
    fn open_direct(path: Path, flags: SlotFlags, mode: Mode, slot: IntoSlot) -> OwnSlot in own = |sqe| {
        own.write(slot);
        prep::openat(sqe, sys::AT_FDCWD, path, flags, mode)
    };

    /// As openat, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
    /// Since Linux 5.15. Man page: io_uring_prep_openat_direct(3).
    fn openat_direct(dfd: Dir, path: Path, flags: SlotFlags, mode: Mode, slot: IntoSlot) -> OwnSlot in own = |sqe| {
        own.write(slot);
        prep::openat(sqe, dfd, path, flags, mode)
    };

    /// As openat2, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
    /// Since Linux 5.15. Man page: io_uring_prep_openat2_direct(3).
    fn openat2_direct(dfd: Dir, path: Path, how: SlotHow, slot: IntoSlot) -> OwnSlot in own = |sqe| {
        own.write(slot);
        prep::openat2(sqe, dfd, path, how.cast())
    };

    /// As socket, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
    /// Since Linux 5.19. Man page: io_uring_prep_socket_direct(3).
    fn socket_direct(domain: Int, kind: SlotFlags, protocol: Int, slot: IntoSlot, flags: Unsigned) -> OwnSlot in own
        needs "socket" "2.2" = |sqe| {
            own.write(slot);
            prep::socket(sqe, domain, kind, protocol, flags)
        };

    /// As socket_direct, into a free slot.
    /// Since Linux 5.19. Man page: io_uring_prep_socket_direct_alloc(3).
    fn socket_direct_alloc(domain: Int, kind: SlotFlags, protocol: Int, flags: Unsigned) -> Slot
        needs "socket" "2.2" = |sqe| {
            prep::socket(sqe, domain, kind, protocol, flags);
            slot::set_file_index(&mut *sqe, slot::ALLOC)
        };

    /// Closes the file in a slot, which is free then; `close(luring.fixed(slot))` is the same.
    /// -EBADF: the slot is empty.
    /// Since Linux 5.15. Man page: io_uring_prep_close_direct(3).
    fn close_direct(slot: FromSlot) -> Plain = |sqe| {
        prep::close(sqe, 0);
        slot::set_file_index(&mut *sqe, slot as u32)
    };

    /// As pipe, into two slots: `slot` and the one behind it, or with IORING_FILE_INDEX_ALLOC any that are
    /// free. The value is a list of two `luring.fixed`, to read from and to write to.
    /// Since Linux 6.16. Man page: io_uring_prep_pipe_direct(3).
    fn pipe_direct(flags: SlotFlags, slot: IntoSlot) -> Slots in slots needs "pipe" "2.12" =
        |sqe| prep::pipe(sqe, Slots::wire(slots, slot), flags);

    /// Gives the file in a slot a descriptor too, which is close-on-exec unless `flags` is
    /// IORING_FIXED_FD_NO_CLOEXEC. `res` is the descriptor.
    /// Since Linux 6.8. Man page: io_uring_prep_fixed_fd_install(3).
    fn fixed_fd_install(slot: FromSlot, flags: Unsigned) -> Descriptor needs "fixed_fd_install" "2.6";

    /// Puts the descriptors of a list into the slots from `offset` on; -1 empties a slot, and
    /// IORING_REGISTER_FILES_SKIP leaves one as it is. With IORING_FILE_INDEX_ALLOC as `offset` free
    /// slots are chosen, and the value is a list of their `luring.fixed`. `res` is how many were done.
    /// Since Linux 5.6. Man page: io_uring_prep_files_update(3).
    fn files_update(fds: Descriptors, offset: FirstSlot) -> Plain = |sqe| prep::files_update(sqe, fds.ptr, fds.len, offset);

    // ---- registered buffers ----

    /// As read, into a buffer or a view that lies in the registered one of the slot `buf_index`, from 0.
    /// The value is the buffer. -EFAULT: it does not lie there.
    /// Since Linux 5.1. Man page: io_uring_prep_read_fixed(3).
    fn read_fixed(fd: Fd, buf: Size, offset: Offset, buf_index: UpTo<65535>) -> Bytes =
        |sqe| prep::read_fixed(sqe, fd, buf.ptr.cast(), buf.len, offset, buf_index as c_int);

    /// As write, from a buffer or a view that lies in the registered one of the slot `buf_index`.
    /// Since Linux 5.1. Man page: io_uring_prep_write_fixed(3).
    fn write_fixed(fd: Fd, buf: Content, offset: Offset, buf_index: UpTo<65535>) -> Plain = |sqe| {
        prep::write_fixed(sqe, fd, buf.ptr.cast(), buf.len, offset, buf_index as c_int);
        sigpipe::keep_off(sqe)
    };

    /// As readv, into the buffers or views of the list `bufs` (at most 1024), which lie in the registered
    /// one of the slot `buf_index`. `res` is how many bytes there are; the first of the list get them.
    /// Since Linux 6.15. Man page: io_uring_prep_readv_fixed(3).
    fn readv_fixed(fd: Fd, bufs: Filled, offset: Offset, flags: Int, buf_index: UpTo<65535>) -> Plain
        needs "readv_fixed" "2.10" =
            |sqe| prep::readv_fixed(sqe, fd, bufs.ptr, bufs.len, offset, flags, buf_index as c_int);

    /// As writev, from the buffers or views of the list `bufs` (at most 1024), which lie in the registered
    /// one of the slot `buf_index`.
    /// Since Linux 6.15. Man page: io_uring_prep_writev_fixed(3).
    fn writev_fixed(fd: Fd, bufs: Written, offset: Offset, flags: Int, buf_index: UpTo<65535>) -> Plain
        needs "writev_fixed" "2.10" = |sqe| {
            prep::writev_fixed(sqe, fd, bufs.ptr, bufs.len, offset, flags, buf_index as c_int);
            sigpipe::keep_off(sqe)
        };

    /// As send_zc, from a buffer or a view that lies in the registered one of the slot `buf_index`.
    /// Since Linux 6.0. Man page: io_uring_prep_send_zc_fixed(3).
    fn send_zc_fixed(fd: Fd, buf: Content, flags: Int, zc_flags: ZcFlags, buf_index: UpTo<65535>) -> ZeroCopy
        needs "send_zc_fixed" "2.3" = |sqe|
            prep::send_zc_fixed(sqe, fd, buf.ptr.cast(), buf.len as usize, flags | SEND, zc_flags, buf_index);

    // ---- control ----

    /// Cancels the action that `key` names, which then ends with -ECANCELED or -EINTR, if that is
    /// still possible: one that is not submitted yet never runs. `res` is 0, or -ENOENT if there is
    /// none (any more), or -EALREADY if it can't be stopped. With IORING_ASYNC_CANCEL_ALL in `flags`,
    /// `res` is how many were cancelled. IORING_ASYNC_CANCEL_ANY is `cancel_all`.
    /// Since Linux 5.5. Man page: io_uring_prep_cancel(3).
    fn cancel(key: Key, flags: One) -> Cancelled = |sqe| cancel::prep(sqe, key, -1, flags);

    /// Cancels all that is in flight on a descriptor, or with 0 as `flags` one action. `res` is how
    /// many were cancelled, or for one 0 or -ENOENT.
    /// Since Linux 5.19. Man page: io_uring_prep_cancel_fd(3).
    fn cancel_fd(fd: Fd, flags: All) -> Cancelled = |sqe| cancel::prep(sqe, 0, fd, flags | flag::IORING_ASYNC_CANCEL_FD);

    /// Cancels all that is in flight. `res` is how many were cancelled.
    /// Since Linux 5.19. Man page: io_uring_prep_cancel(3).
    fn cancel_all() -> Cancelled = |sqe| cancel::prep(sqe, 0, -1, flag::IORING_ASYNC_CANCEL_ANY);

    /// Puts a timeout behind the action that was queued last, which `key` names: after that time it
    /// is cancelled. Without a callback the timeout itself completes in silence; with one it gets
    /// -ETIME, or -ECANCELED if the action has ended before. On a ring with auto_submit `reserve` room
    /// for both first: what is queued last may be submitted before the timeout is.
    /// Since Linux 5.5. Man page: io_uring_prep_link_timeout(3).
    fn link_timeout(key: Key, after: Duration) -> Linked = |sqe| {
        let _ = key;
        prep::link_timeout(sqe, after, 0)
    };

    /// Sends a message to the ring whose descriptor is `fd`: its `on_message` gets `len` as `res`, and
    /// `data`, 0 to 2^53-1.
    /// Since Linux 5.18. Man page: io_uring_prep_msg_ring(3).
    fn msg_ring(fd: Fd, len: Int, data: Datum, flags: Unsigned) -> Plain needs "msg_ring" "2.2" =
        |sqe| prep::msg_ring(sqe, fd, len as u32, data | MARK, flags);

    /// Sends a descriptor of this ring's table to the ring whose descriptor is `fd`, into the slot
    /// `target` of its table, or without one into any that is free; `data` is a message's.
    /// Since Linux 6.0. Man page: io_uring_prep_msg_ring_fd(3).
    fn msg_ring_fd(fd: Fd, source: FromSlot, target: SlotOrAny, data: Datum, flags: Unsigned) -> Plain needs "msg_ring_fd" "2.4" =
        |sqe| prep::msg_ring_fd(sqe, fd, source, target as c_int, data | MARK, flags);
}
