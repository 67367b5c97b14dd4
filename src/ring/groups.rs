//! Groups of buffers that the kernel picks from when there is data: what liburing calls a ring
//! of provided buffers. They are registered by the system call itself, since older liburings
//! lack its structs.
//!
//! A buffer is the kernel's from when it is added to the group's queue until a completion
//! brings it, and then Lua's until it goes back: by itself when the completion is seen, or,
//! if the program wants views, when the last of them is done with. An incremental group's
//! buffer may be both in parts: what one completion brought is Lua's, the rest still the
//! kernel's.

use super::descriptor::Identity;
use super::region::{Region, Span};
use super::{Errno, Ring};
use crate::sys::{self, flag};
use std::alloc::{Layout, alloc, dealloc};
use std::ffi::c_int;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicU16, Ordering};

/// The flag for groups whose buffers are used up in parts.
pub const INCREMENTAL: u32 = 2;

/// How many buffers a group may have, which is a power of two.
pub const MOST: u32 = 32768;

/// Of io_uring_register(2).
mod operation {
    pub const REGISTER: u32 = 22;
    pub const UNREGISTER: u32 = 23;
    pub const STATUS: u32 = 26;
}

/// The kernel's `struct io_uring_buf_reg`.
#[repr(C)]
#[derive(Default)]
struct Registration {
    entries: u64,
    count: u32,
    id: u16,
    flags: u16,
    reserved: [u64; 3],
}

/// The kernel's `struct io_uring_buf_status`.
#[repr(C)]
#[derive(Default)]
struct Status {
    id: u32,
    head: u32,
    reserved: [u32; 8],
}

/// The kernel's `struct io_uring_buf`. The first one's last field is the queue's tail.
#[repr(C)]
struct Entry {
    address: u64,
    len: u32,
    number: u16,
    tail: AtomicU16,
}

/// One group. Its memory is counted as a region's is: the userdata, the ring, each lease and
/// each action in flight have a count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Group(NonNull<Inner>);

struct Inner {
    counted: usize,
    /// Null once the group is closed or its ring has ended.
    ring: *mut Ring,
    /// The ring's descriptor, which a program can close and give to another.
    fd: c_int,
    identity: Option<Identity>,
    id: u16,
    entries: Region,
    memory: Region,
    buffers: Vec<Provided>,
    size: u32,
    incremental: bool,
    manual: bool,
    tail: u16,
    /// Actions in flight that may select from it.
    users: u32,
    /// What the completion at the head has brought, until that is seen.
    selected: Option<Selected>,
}

/// One buffer of a group.
#[derive(Clone, Copy)]
struct Provided {
    /// Where in the queue it was put last.
    position: u16,
    /// Whether the kernel may still fill some of it.
    is_kernels: bool,
    /// How much of it completions have brought.
    used: u32,
    /// How many parts of it are Lua's.
    out: u32,
}

/// What a completion has brought.
#[derive(Clone, Copy)]
pub struct Selected {
    /// The bytes.
    pub span: Span,
    /// Whether there is a lease for them.
    pub is_leased: bool,
    /// The completion's place in the queue.
    position: u32,
    number: u16,
}

impl Group {
    /// Makes a group of `count` buffers of `size` bytes, and gives it to the kernel: counted
    /// twice, for the ring and for the caller.
    pub fn new(ring: &mut Ring, count: u32, size: u32, flags: u32) -> Result<Group, Errno> {
        let group = Group::make(ring, count, size, flags)?;
        let (entries, id) = (group.inner().entries.ptr() as u64, group.id());
        let mut registration = Registration { entries, count, id, flags: flags as u16, ..Default::default() };
        if let Err(errno) = register(ring.descriptor(), operation::REGISTER, &mut registration) {
            // SAFETY: the count is this function's.
            unsafe { group.release() };
            return Err(errno);
        }
        group.begin(ring);
        Ok(group)
    }

    /// As `new`, and the kernel knows nothing of it: counted once.
    pub(super) fn make(ring: &mut Ring, count: u32, size: u32, flags: u32) -> Result<Group, Errno> {
        let short = || Errno(sys::ENOMEM as i32);
        ring.groups.try_reserve(1).map_err(|_| short())?;
        let id = ring.next_group().ok_or(Errno(sys::ENOSPC as i32))?;
        let mut buffers = Vec::new();
        buffers.try_reserve_exact(count as usize).map_err(|_| short())?;
        let none = Provided { position: 0, is_kernels: false, used: 0, out: 0 };
        buffers.resize(count as usize, none);
        let bytes = stride(size).checked_mul(count as usize).ok_or_else(short)?;
        let memory = Region::new(bytes, false).ok_or_else(short)?;
        let entries = Region::new(size_of::<Entry>() * count as usize, false);
        // SAFETY: the layout's size is not zero.
        let inner = NonNull::new(unsafe { alloc(Layout::new::<Inner>()) }).map(NonNull::cast::<Inner>);
        let (Some(entries), Some(inner)) = (entries, inner) else {
            // SAFETY: the counts are this function's.
            unsafe {
                memory.release();
                entries.into_iter().for_each(|entries| entries.release());
                inner.into_iter().for_each(|inner| dealloc(inner.as_ptr().cast(), Layout::new::<Inner>()));
            }
            return Err(short());
        };
        let incremental = flags & INCREMENTAL != 0;
        // SAFETY: allocated above.
        unsafe {
            inner.write(Inner {
                counted: 1,
                ring,
                fd: ring.uring.ring_fd,
                identity: ring.identity,
                id,
                entries,
                memory,
                buffers,
                size,
                incremental,
                manual: false,
                tail: 0,
                users: 0,
                selected: None,
            });
        }
        Ok(Group(inner))
    }

    /// All buffers are the kernel's, and the ring has a count.
    pub(super) fn begin(self, ring: &mut Ring) {
        (0..self.inner().buffers.len()).for_each(|number| self.give(number as u16));
        self.keep();
        ring.groups.push(self);
    }

    /// Who calls has a count, so it lives. Nobody keeps what this gives: each use ends before
    /// the next begins.
    #[allow(clippy::mut_from_ref)]
    fn inner(&self) -> &mut Inner {
        // SAFETY: as said above; one thread at a time has a Lua state.
        unsafe { &mut *self.0.as_ptr() }
    }

    /// One count more.
    pub fn keep(self) {
        self.inner().counted += 1;
    }

    /// One count less: with the last it is freed.
    ///
    /// # Safety
    /// The count is the caller's, who does not use the group any more.
    pub unsafe fn release(self) {
        self.inner().counted -= 1;
        if self.inner().counted > 0 {
            return;
        }
        // SAFETY: nobody has it any more. Its ring has let go, so the kernel has, too.
        unsafe {
            let inner = self.0.as_ptr().read();
            dealloc(self.0.as_ptr().cast(), Layout::new::<Inner>());
            inner.memory.release();
            inner.entries.release();
        }
    }

    /// Its number for the kernel.
    pub fn id(self) -> u16 {
        self.inner().id
    }

    /// How much an action that selects from it asks for: the kernel takes the whole of what is
    /// left of an incremental buffer only if that is nothing in particular.
    pub fn len(self) -> u32 {
        if self.inner().incremental { 0 } else { self.inner().size }
    }

    /// Whether its buffers are used up in parts.
    pub fn is_incremental(self) -> bool {
        self.inner().incremental
    }

    /// Its ring, unless it is closed.
    pub fn ring(self) -> *mut Ring {
        self.inner().ring
    }

    /// Whether completions bring views.
    pub fn is_manual(self) -> bool {
        self.inner().manual
    }

    /// Sets that.
    pub fn set_manual(self, manual: bool) {
        self.inner().manual = manual;
    }

    /// Whether an action in flight may select from it.
    pub fn is_used(self) -> bool {
        self.inner().users > 0
    }

    /// An action selects from it, from now until `unuse`.
    pub(super) fn used(self) {
        self.keep();
        self.inner().users += 1;
    }

    /// The action has ended.
    ///
    /// # Safety
    /// It was `used`.
    pub(super) unsafe fn unused(self) {
        self.finish();
        self.inner().users -= 1;
        // SAFETY: `used` has counted.
        unsafe { self.release() };
    }

    /// How many buffers the kernel can pick from.
    pub fn available(self) -> u32 {
        match self.head() {
            Some(head) => self.inner().tail.wrapping_sub(head).into(),
            None => self.inner().buffers.iter().filter(|buffer| buffer.is_kernels).count() as u32,
        }
    }

    /// What stands in the kernel's queue at `head`, if that is not its end: where a buffer begins,
    /// how many bytes it has, and its number.
    #[cfg(test)]
    pub(super) fn entry(self, head: u16) -> Option<(*mut u8, u32, u16)> {
        let inner = self.inner();
        let first: *const Entry = inner.entries.ptr().cast();
        // SAFETY: the index is masked.
        unsafe {
            let entry = first.add(usize::from(head) & (inner.buffers.len() - 1));
            let address = std::ptr::with_exposed_provenance_mut((*entry).address as usize);
            ((*first).tail.load(Ordering::Acquire) != head).then_some((
                address,
                (*entry).len,
                (*entry).number,
            ))
        }
    }

    /// How far the kernel has come in the queue, where it tells.
    fn head(self) -> Option<u16> {
        let mut status = Status { id: self.id().into(), ..Default::default() };
        let inner = self.inner();
        if inner.ring.is_null() || Identity::of(inner.fd) != inner.identity {
            return None;
        }
        register(inner.fd, operation::STATUS, &mut status).ok().map(|()| status.head as u16)
    }

    /// Puts a buffer into the kernel's queue.
    fn give(self, number: u16) {
        let inner = self.inner();
        let Some(buffer) = inner.buffers.get_mut(usize::from(number)) else { return };
        debug_assert!(!buffer.is_kernels && buffer.out == 0);
        *buffer = Provided { position: inner.tail, is_kernels: true, used: 0, out: 0 };
        let first: *mut Entry = inner.entries.ptr().cast();
        let index = usize::from(inner.tail) & (inner.buffers.len() - 1);
        let address = inner.memory.ptr().wrapping_add(usize::from(number) * stride(inner.size)) as u64;
        inner.tail = inner.tail.wrapping_add(1);
        // SAFETY: the index is masked, and the kernel does not read an entry behind the tail. Of
        // the first entry's last field it reads the tail.
        unsafe {
            let entry = first.add(index);
            (&raw mut (*entry).address).write(address);
            (&raw mut (*entry).len).write(inner.size);
            (&raw mut (*entry).number).write(number);
            (*first).tail.store(inner.tail, Ordering::Release);
        }
    }

    /// What the completion at `position` has brought. Asked again, it says the same.
    pub fn select(self, position: u32, res: i32, flags: u32) -> Option<Selected> {
        if let Some(selected) = self.inner().selected {
            if selected.position == position {
                return Some(selected);
            }
            self.finish();
        }
        if flags & sys::IORING_CQE_F_BUFFER == 0 {
            return None;
        }
        let number = (flags >> sys::IORING_CQE_BUFFER_SHIFT) as u16;
        let more = self.inner().incremental && flags & MORE != 0;
        if res <= 0 && !more && self.is_queued(number) {
            return None; // the kernel names it, and has not taken it
        }
        let inner = self.inner();
        let buffer = inner.buffers.get_mut(usize::from(number))?;
        let start = usize::from(number) * stride(inner.size) + buffer.used as usize;
        let len = (res.max(0) as u32).min(inner.size - buffer.used);
        buffer.used += len;
        buffer.is_kernels = more;
        buffer.out += 1;
        let span = Span { region: inner.memory, start, len };
        inner.selected = Some(Selected { span, is_leased: false, position, number });
        inner.selected
    }

    /// Whether the kernel has yet to take a buffer out of the queue.
    fn is_queued(self, number: u16) -> bool {
        let Some(head) = self.head() else { return false };
        let inner = self.inner();
        let tail = inner.tail;
        inner.buffers.get(usize::from(number)).is_some_and(|buffer| {
            buffer.is_kernels && buffer.position.wrapping_sub(head) < tail.wrapping_sub(head)
        })
    }

    /// The completion at the head is seen: what it has brought goes back, unless it is leased.
    pub(super) fn finish(self) {
        if let Some(selected) = self.inner().selected.take().filter(|selected| !selected.is_leased) {
            self.done(selected.number);
        }
    }

    /// A part of a buffer is not Lua's any more: with the last, the buffer goes back.
    fn done(self, number: u16) {
        let Some(buffer) = self.inner().buffers.get_mut(usize::from(number)) else { return };
        buffer.out -= 1;
        if buffer.out == 0 && !buffer.is_kernels && !self.ring().is_null() {
            self.give(number);
        }
    }

    /// Takes it from the kernel, if nobody uses it.
    ///
    /// # Safety
    /// Nobody holds a reference to the ring.
    pub unsafe fn close(self) -> Result<(), Errno> {
        // SAFETY: the caller's promise; a ring that has ended is not referred to.
        let Some(ring) = (unsafe { self.ring().as_mut() }) else { return Ok(()) };
        let mut registration = Registration { id: self.id(), ..Default::default() };
        register(ring.descriptor(), operation::UNREGISTER, &mut registration)?;
        ring.groups.retain(|group| *group != self);
        // SAFETY: the ring's count, which it had for the kernel.
        unsafe { self.end() };
        Ok(())
    }

    /// # Safety
    /// The count is the ring's, and the kernel is done with the group.
    unsafe fn end(self) {
        self.inner().ring = null_mut();
        // SAFETY: the caller's promise.
        unsafe { self.release() };
    }
}

/// IORING_CQE_F_BUF_MORE: the kernel goes on with the rest of the buffer.
const MORE: u32 = 1 << 4;

const _: () =
    assert!(flag::IORING_CQE_F_BUF_MORE == 0 || flag::IORING_CQE_F_BUF_MORE == MORE, "the kernel's number");

/// From one buffer to the next: a line of the processor's cache begins with each.
fn stride(size: u32) -> usize {
    (size as usize).next_multiple_of(64)
}

impl Ring {
    /// A number that no group of the ring has. It goes round, so that what was queued for a
    /// group that has been closed meanwhile finds none.
    fn next_group(&mut self) -> Option<u16> {
        for _ in 0..=u16::MAX {
            let id = self.group_id;
            self.group_id = id.wrapping_add(1);
            if !self.groups.iter().any(|group| group.id() == id) {
                return Some(id);
            }
        }
        None
    }

    /// Lets go of the groups when the ring ends. If something could not be `reaped`, the kernel
    /// may still fill their buffers: these stay for good, and are given.
    pub(super) fn end_groups(&mut self, reaped: bool) -> Vec<Group> {
        let mut groups = std::mem::take(&mut self.groups);
        groups.iter().for_each(|group| group.inner().ring = null_mut());
        if reaped {
            // SAFETY: the ring's count, and all its actions have ended.
            groups.drain(..).for_each(|group| unsafe { group.end() });
        }
        groups
    }
}

fn register<T>(fd: c_int, operation: u32, argument: &mut T) -> Result<(), Errno> {
    if cfg!(miri) {
        return Err(Errno(sys::EBADF as i32)); // there is no kernel, nor a descriptor
    }
    // SAFETY: the argument is what the kernel takes for the operation.
    match unsafe { sys::luring_register(fd, operation, (&raw mut *argument).cast(), 1) } {
        error if error < 0 => Err(Errno(-error)),
        _ => Ok(()),
    }
}

/// A part of a group's buffer that is the program's. It counts what sends it, and goes back
/// when the last of them has ended and all of it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Lease(NonNull<Lent>);

struct Lent {
    /// The userdata that have it, and the actions in flight.
    counted: usize,
    group: Group,
    number: u16,
    /// The place of its first byte in the group's memory, and how many there are.
    start: usize,
    len: u32,
    /// Actions in flight that send some of it.
    sends: u32,
    /// How many bytes from the first on are sent.
    sent: u32,
    /// Whether one of these sends has sent less than it was to.
    is_short: bool,
    is_back: bool,
}

impl Lease {
    /// Of what the head of the group's ring has brought; `None` when there is no memory.
    pub fn new(group: Group, selected: Selected) -> Option<Lease> {
        // SAFETY: the layout's size is not zero.
        let lent: NonNull<Lent> = NonNull::new(unsafe { alloc(Layout::new::<Lent>()) })?.cast();
        let Selected { span, number, .. } = selected;
        group.keep();
        // SAFETY: allocated above.
        unsafe {
            lent.write(Lent {
                counted: 1,
                group,
                number,
                start: span.start,
                len: span.len,
                sends: 0,
                sent: 0,
                is_short: false,
                is_back: false,
            })
        }
        if let Some(selected) = &mut group.inner().selected {
            selected.is_leased = true;
        }
        Some(Lease(lent))
    }

    /// As `Group::inner`.
    #[allow(clippy::mut_from_ref)]
    fn lent(&self) -> &mut Lent {
        // SAFETY: who calls has a count; one thread at a time has a Lua state.
        unsafe { &mut *self.0.as_ptr() }
    }

    /// One count more.
    pub fn keep(self) {
        self.lent().counted += 1;
    }

    /// One count less: with the last it goes back.
    ///
    /// # Safety
    /// The count is the caller's, who does not use the lease any more.
    pub unsafe fn release(self) {
        self.lent().counted -= 1;
        if self.lent().counted > 0 {
            return;
        }
        self.give();
        let group = self.lent().group;
        // SAFETY: nobody has it any more; `new` has counted the group.
        unsafe {
            dealloc(self.0.as_ptr().cast(), Layout::new::<Lent>());
            group.release();
        }
    }

    /// Whose it is.
    pub fn group(self) -> Group {
        self.lent().group
    }

    /// All of it.
    #[cfg(test)]
    pub(super) fn span(self) -> Span {
        let lent = self.lent();
        Span { region: lent.group.inner().memory, start: lent.start, len: lent.len }
    }

    /// Whether it has gone back.
    pub fn is_back(self) -> bool {
        self.lent().is_back
    }

    /// Whether an action in flight sends some of it.
    pub fn is_sent(self) -> bool {
        self.lent().sends > 0
    }

    /// It goes back to its group.
    pub fn give(self) {
        let lent = self.lent();
        debug_assert_eq!(lent.sends, 0);
        if !std::mem::replace(&mut lent.is_back, true) {
            lent.group.done(lent.number);
        }
    }

    /// An action sends some of it, from now until `sent`.
    pub(super) fn sending(self) {
        self.keep();
        let lent = self.lent();
        lent.is_short &= lent.sends > 0;
        lent.sends += 1;
    }

    /// The action has ended with `res`.
    ///
    /// # Safety
    /// It was `sending` this span.
    pub(super) unsafe fn sent(self, span: Span, res: i32) {
        let lent = self.lent();
        lent.sends -= 1;
        let from = (span.start - lent.start) as u32;
        if res < 0 || (res as u32) < span.len {
            lent.is_short = true;
        } else if from <= lent.sent {
            lent.sent = lent.sent.max(from + span.len);
        }
        if lent.sends == 0 && !lent.is_short && lent.sent >= lent.len {
            self.give();
        }
        // SAFETY: `sending` has counted.
        unsafe { self.release() };
    }
}
