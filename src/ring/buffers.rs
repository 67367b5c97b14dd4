//! Memory that the kernel reads and writes, a block an action, kept for the next once it is
//! free.

use super::hold::{self, Hold};
use std::alloc::{Layout, alloc, dealloc};
use std::ptr::null_mut;

/// The smallest buffer. A free one holds the pointer to the next.
const SMALLEST: usize = 64;
/// Buffers are powers of two from `SMALLEST` on. Those up to 16 MiB are kept.
const CLASSES: usize = 19;
/// Free buffers are kept while a pool has not more than this, so that a burst of large
/// reads doesn't stay. Under the fuzzer none are, so that it sees who uses one that is free.
const KEEP: usize = if cfg!(fuzzing) { 0 } else { 256 << 20 };
/// The number of holds at a block's end stands in `class`, above the class itself: so what
/// has any is of no class that a pool keeps, and costs the others nothing.
const HOLDS: u8 = 32;

/// One buffer. It has no destructor, since Lua errors skip those: whoever takes it
/// from a pool gives it back to the same pool.
#[derive(Clone, Copy)]
pub struct Buffer {
    ptr: *mut u8,
    size: u32,
    class: u8,
}

impl Buffer {
    /// No memory at all.
    pub const EMPTY: Buffer = Buffer { ptr: null_mut(), size: 0, class: 0 };

    /// The first byte; null when the size is zero.
    #[inline]
    pub fn ptr(self) -> *mut u8 {
        self.ptr
    }

    /// How many bytes at its beginning the action asked to read.
    #[inline]
    pub fn size(self) -> u32 {
        self.size
    }

    /// The same block, with `size` bytes to be read.
    #[inline]
    pub fn with_size(self, size: u32) -> Buffer {
        Buffer { size, ..self }
    }

    /// The same block, with that many holds at its end.
    #[inline]
    pub fn with_holds(self, holds: u8) -> Buffer {
        debug_assert!(self.class < HOLDS && holds < u8::MAX / HOLDS);
        Buffer { class: self.class + holds * HOLDS, ..self }
    }

    /// The place of a hold, of which the first has number 1.
    pub fn hold(self, number: u8) -> *mut Hold {
        let plain = Buffer { class: self.class % HOLDS, ..self };
        self.ptr.wrapping_add(plain.room() - hold::SIZE * usize::from(number)).cast()
    }

    /// Its holds.
    pub fn holds(self) -> impl Iterator<Item = *mut Hold> {
        (1..=self.class / HOLDS).map(move |number| self.hold(number))
    }

    /// Ends its holds: the same block without any.
    ///
    /// # Safety
    /// They have begun, and the kernel is done with the action.
    unsafe fn let_go(self) -> Buffer {
        // SAFETY: the caller's promise.
        self.holds().for_each(|hold| unsafe { Hold::end(hold) });
        Buffer { class: self.class % HOLDS, ..self }
    }

    /// Frees a buffer whose pool is gone.
    ///
    /// # Safety
    /// A pool handed it out, it was not given back, and nobody uses it any more.
    pub unsafe fn free(self) {
        // SAFETY: the caller's promise.
        let buffer = if self.class < HOLDS { self } else { unsafe { self.let_go() } };
        if let Some(layout) = buffer.layout().filter(|_| !buffer.ptr.is_null()) {
            // SAFETY: `Pool::take` allocated it with this layout.
            unsafe { dealloc(buffer.ptr, layout) }
        }
    }

    /// The class of the smallest that has room for `room` bytes, which is not zero.
    #[inline]
    fn class_of(room: usize) -> u8 {
        // The bits of the number of `SMALLEST`s before the last one.
        (((room - 1) / (SMALLEST / 2)) | 1).ilog2() as u8
    }

    /// How many bytes were allocated for it.
    fn room(self) -> usize {
        // On a 32-bit machine, more than there are addresses becomes what no allocation has.
        SMALLEST.checked_shl(self.class.into()).filter(|room| *room != 0).unwrap_or(usize::MAX)
    }

    /// Copies of much memory, the kernel's and Lua's, are several times slower where source
    /// and destination are a few bytes apart within their pages.
    fn layout(self) -> Option<Layout> {
        let align = match self.room() {
            ..512 => 16,
            512..0x10000 => 64,
            _ => 4096,
        };
        Layout::from_size_align(self.room(), align).ok()
    }
}

/// Buffers that are free, by class. Dropping a pool frees those, and not the ones that
/// are out.
pub struct Pool {
    free: [*mut u8; CLASSES],
    /// One that was reserved and is of no class that is kept.
    spare: Buffer,
    /// The room of all its buffers, free or out.
    room: usize,
}

impl Pool {
    /// A pool that holds nothing.
    pub fn new() -> Pool {
        Pool { free: [null_mut(); CLASSES], spare: Buffer::EMPTY, room: 0 }
    }

    /// A buffer with room for `room` bytes, whose contents may be anything; `None` when
    /// there is no memory.
    #[inline]
    pub fn take(&mut self, room: usize) -> Option<Buffer> {
        if room == 0 {
            return Some(Buffer::EMPTY);
        }
        let class = Buffer::class_of(room);
        let ptr = match self.free.get_mut(class as usize) {
            Some(free) if !free.is_null() => {
                let first = *free;
                // SAFETY: what is on the list is a free buffer that begins with the next's
                // address.
                *free = unsafe { first.cast::<*mut u8>().read() };
                first
            }
            _ => self.allocate(class),
        };
        (!ptr.is_null()).then_some(Buffer { ptr, size: 0, class })
    }

    /// Null when there is no memory.
    #[cold]
    #[inline(never)]
    fn allocate(&mut self, class: u8) -> *mut u8 {
        if !self.spare.ptr.is_null() && self.spare.class == class {
            return std::mem::replace(&mut self.spare, Buffer::EMPTY).ptr;
        }
        let buffer = Buffer { class, ..Buffer::EMPTY };
        let Some(layout) = buffer.layout().filter(|_| class < HOLDS) else {
            return null_mut(); // no machine has as much
        };
        // SAFETY: the layout's size is not zero.
        let ptr = unsafe { alloc(layout) };
        if !ptr.is_null() {
            self.room += buffer.room();
        }
        ptr
    }

    /// Makes sure that the next `take` of this room succeeds; false when there is no memory.
    pub fn reserve(&mut self, room: usize) -> bool {
        let Some(buffer) = self.take(room) else { return false };
        match self.free.get_mut(buffer.class as usize) {
            // SAFETY: just taken, and nobody has got it.
            Some(_) => unsafe { self.put(buffer) },
            None => {
                let other = std::mem::replace(&mut self.spare, buffer);
                // SAFETY: a spare one is nobody's.
                unsafe { self.give(other) }
            }
        }
        true
    }

    /// Puts a buffer on its class's list, which there is.
    ///
    /// # Safety
    /// As for `give`.
    #[inline]
    unsafe fn put(&mut self, buffer: Buffer) {
        if let Some(free) = self.free.get_mut(buffer.class as usize).filter(|_| !buffer.ptr.is_null()) {
            // SAFETY: the smallest buffer has room for a pointer, and is aligned for it.
            unsafe { buffer.ptr.cast::<*mut u8>().write(*free) };
            *free = buffer.ptr;
        }
    }

    /// Takes a buffer back.
    ///
    /// # Safety
    /// It came from this pool, is given back once, and nobody uses it any more: not the
    /// kernel either.
    #[inline]
    pub unsafe fn give(&mut self, buffer: Buffer) {
        if buffer.ptr.is_null() {
            return;
        }
        match self.free.get_mut(buffer.class as usize) {
            Some(free) if self.room <= KEEP => {
                // SAFETY: the smallest buffer has room for a pointer, and is aligned for it.
                unsafe { buffer.ptr.cast::<*mut u8>().write(*free) };
                *free = buffer.ptr;
            }
            // SAFETY: the caller's promise.
            _ => unsafe { self.give_rare(buffer.ptr, buffer.class) },
        }
    }

    /// As `give`, for what has holds or is not kept. It takes registers, so that `give` needs
    /// no memory for the struct.
    ///
    /// # Safety
    /// As for `give`.
    #[cold]
    #[inline(never)]
    unsafe fn give_rare(&mut self, ptr: *mut u8, class: u8) {
        let buffer = Buffer { ptr, size: 0, class };
        // SAFETY: the caller's promise.
        let buffer = if buffer.class < HOLDS { buffer } else { unsafe { buffer.let_go() } };
        if self.room <= KEEP && usize::from(buffer.class) < CLASSES {
            // SAFETY: as above.
            return unsafe { self.put(buffer) };
        }
        self.room -= buffer.room();
        // SAFETY: as above.
        unsafe { buffer.free() }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: a spare one is nobody's.
        unsafe { self.spare.free() };
        for (class, free) in self.free.iter_mut().enumerate() {
            while !free.is_null() {
                let buffer = Buffer { ptr: *free, size: 0, class: class as u8 };
                // SAFETY: it is a free buffer of this class, and leaves the list here.
                unsafe {
                    *free = buffer.ptr.cast::<*mut u8>().read();
                    buffer.free();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{Dice, rounds};

    /// Gives back what the tests below took from the same pool.
    fn give(pool: &mut Pool, buffer: Buffer) {
        // SAFETY: every test gives a buffer back once, to the pool it came from.
        unsafe { pool.give(buffer) }
    }

    #[test]
    fn classes_hold_what_they_are_asked_for() {
        for (size, class) in
            [(1, 0), (64, 0), (65, 1), (128, 1), (129, 2), (4096, 6), (16 << 20, CLASSES - 1)]
        {
            let buffer = Buffer { class: Buffer::class_of(size), ..Buffer::EMPTY };
            assert_eq!(buffer.class as usize, class, "{size}");
            assert_eq!(buffer.room(), size.next_power_of_two().max(SMALLEST));
        }
        let huge = Buffer { class: Buffer::class_of((16 << 20) + 1), ..Buffer::EMPTY };
        assert_eq!((huge.class as usize, huge.room()), (CLASSES, 32 << 20));
    }

    #[test]
    fn large_buffers_begin_a_page() {
        let mut pool = Pool::new();
        for (size, align) in [(1, 16), (512, 64), (0xFFFF, 4096), (1 << 20, 4096), (64 << 20, 4096)] {
            let buffer = pool.take(size).unwrap();
            assert_eq!(buffer.ptr() as usize % align, 0, "{size}");
            give(&mut pool, buffer);
        }
    }

    #[test]
    fn a_buffer_comes_back() {
        let mut pool = Pool::new();
        let first = pool.take(100).unwrap();
        give(&mut pool, first);
        let second = pool.take(65).unwrap();
        assert_eq!((second.ptr(), pool.room), (first.ptr(), 128));
        give(&mut pool, second);
    }

    #[test]
    fn buffers_that_are_out_do_not_overlap() {
        let mut pool = Pool::new();
        let buffers: Vec<Buffer> = (0..100).map(|i| pool.take(1 + i * 7).unwrap()).collect();
        for (i, buffer) in buffers.iter().enumerate() {
            // SAFETY: the buffer is out and has that size.
            unsafe { buffer.ptr().write_bytes(i as u8, 1 + i * 7) };
        }
        for (i, buffer) in buffers.iter().enumerate() {
            // SAFETY: it was just filled.
            let bytes = unsafe { std::slice::from_raw_parts(buffer.ptr(), 1 + i * 7) };
            assert!(bytes.iter().all(|byte| *byte == i as u8));
        }
        buffers.into_iter().for_each(|buffer| give(&mut pool, buffer));
    }

    #[test]
    fn nothing_is_allocated_for_nothing() {
        let mut pool = Pool::new();
        let empty = pool.take(0).unwrap();
        assert!(empty.ptr().is_null());
        give(&mut pool, empty);
        assert_eq!(pool.room, 0);
    }

    #[test]
    fn what_is_reserved_is_taken_next() {
        let mut pool = Pool::new();
        for room in [100, (16 << 20) + 1] {
            assert!(pool.reserve(room) && pool.reserve(room));
            let reserved = pool.room;
            let buffer = pool.take(room).unwrap();
            assert_eq!(pool.room, reserved, "nothing more was allocated");
            give(&mut pool, buffer);
        }
    }

    #[test]
    fn a_pool_keeps_no_more_than_its_limit() {
        let mut pool = Pool::new();
        let buffers: Vec<Buffer> = (0..20).map(|_| pool.take(16 << 20).unwrap()).collect();
        buffers.into_iter().for_each(|buffer| give(&mut pool, buffer));
        assert_eq!(pool.room, KEEP);
        let large = pool.take((16 << 20) + 1).unwrap();
        give(&mut pool, large);
        assert_eq!(pool.room, KEEP);
    }

    #[test]
    fn a_pool_hands_out_what_is_nobodys_and_knows_how_much_there_is() {
        for seed in 0..rounds(100) as u64 {
            let mut dice = Dice::new(seed);
            let mut pool = Pool::new();
            let mut out: Vec<(Buffer, usize, u8)> = Vec::new();
            let mut promised = None;
            for _ in 0..100 {
                let bits = dice.below(14);
                let room = 1 + dice.below(1 << bits);
                match dice.below(4) {
                    0 => {
                        assert!(pool.reserve(room));
                        promised = Some(room);
                    }
                    1 => {
                        let before = pool.room;
                        let room = promised.unwrap_or(room);
                        let buffer = pool.take(room).unwrap();
                        assert!(promised.take().is_none() || pool.room == before, "it was promised");
                        let mark = dice.any() as u8;
                        // SAFETY: it has the room.
                        unsafe { buffer.ptr().write_bytes(mark, room) };
                        out.push((buffer, room, mark));
                    }
                    _ => {
                        let Some((buffer, room, mark)) = dice.take(&mut out) else { continue };
                        // SAFETY: filled above.
                        let bytes = unsafe { std::slice::from_raw_parts(buffer.ptr(), room) };
                        assert!(bytes.iter().all(|byte| *byte == mark));
                        give(&mut pool, buffer);
                    }
                }
                let least: usize = out.iter().map(|(buffer, ..)| buffer.room()).sum();
                assert!(pool.room >= least);
            }
            // SAFETY: a pool that is gone has left these to the test.
            out.into_iter().for_each(|(buffer, ..)| unsafe { buffer.free() });
        }
    }
}
