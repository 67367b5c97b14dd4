//! Memory that the kernel reads into, kept for the next action once it is free.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::null_mut;

/// The smallest buffer. A free one holds the pointer to the next.
const SMALLEST: usize = 64;
/// Buffers are powers of two from `SMALLEST` to 16 MiB; a larger one is not kept.
const CLASSES: usize = 19;
/// How much free memory a pool keeps, so that a burst of large reads doesn't stay.
const KEEP: usize = 64 << 20;

/// One buffer. It has no destructor, since Lua errors skip those: whoever takes it
/// from a pool gives it back to the same pool.
#[derive(Clone, Copy)]
pub struct Buffer {
    ptr: *mut u8,
    size: u32,
}

impl Buffer {
    /// No memory at all.
    pub const EMPTY: Buffer = Buffer { ptr: null_mut(), size: 0 };

    /// The first byte; null when the size is zero.
    #[inline]
    pub fn ptr(self) -> *mut u8 {
        self.ptr
    }

    /// How many bytes may be used.
    #[inline]
    pub fn size(self) -> u32 {
        self.size
    }

    /// Fills the buffer with zeros.
    pub fn clear(self) {
        // SAFETY: the pool handed out `size` bytes at `ptr`; zero bytes may be anywhere.
        unsafe { self.ptr.write_bytes(0, self.size as usize) }
    }

    /// Frees a buffer whose pool is gone.
    ///
    /// # Safety
    /// A pool handed it out, it was not given back, and nobody uses it any more.
    pub unsafe fn free(self) {
        if let Some(layout) = self.layout().filter(|_| !self.ptr.is_null()) {
            // SAFETY: `Pool::take` allocated it with this layout.
            unsafe { dealloc(self.ptr, layout) }
        }
    }

    #[inline]
    fn class(self) -> usize {
        let blocks = (self.size as usize).saturating_sub(1) / SMALLEST;
        (usize::BITS - blocks.leading_zeros()) as usize
    }

    fn layout(self) -> Option<Layout> {
        let class = self.class();
        let bytes = if class < CLASSES { SMALLEST << class } else { self.size as usize };
        Layout::from_size_align(bytes, 16).ok()
    }
}

/// Buffers that are free, by size. Dropping a pool frees those, and not the ones
/// that are out.
pub struct Pool {
    free: [*mut u8; CLASSES],
    kept: usize,
}

impl Pool {
    /// A pool that holds nothing.
    pub fn new() -> Pool {
        Pool { free: [null_mut(); CLASSES], kept: 0 }
    }

    /// A buffer of `size` bytes, whose contents may be anything; `None` when there is
    /// no memory.
    #[inline]
    pub fn take(&mut self, size: u32) -> Option<Buffer> {
        if size == 0 {
            return Some(Buffer::EMPTY);
        }
        let mut buffer = Buffer { ptr: null_mut(), size };
        let class = buffer.class();
        if let Some(free) = self.free.get_mut(class).filter(|free| !free.is_null()) {
            buffer.ptr = *free;
            // SAFETY: what is on the list is a free buffer that begins with the next's address.
            *free = unsafe { buffer.ptr.cast::<*mut u8>().read() };
            self.kept -= SMALLEST << class;
            return Some(buffer);
        }
        // SAFETY: the layout's size is not zero.
        buffer.ptr = unsafe { alloc(buffer.layout()?) };
        if buffer.ptr.is_null() { None } else { Some(buffer) }
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
        let class = buffer.class();
        match self.free.get_mut(class) {
            Some(free) if self.kept + (SMALLEST << class) <= KEEP => {
                // SAFETY: the smallest buffer has room for a pointer, and is aligned for it.
                unsafe { buffer.ptr.cast::<*mut u8>().write(*free) };
                *free = buffer.ptr;
                self.kept += SMALLEST << class;
            }
            // SAFETY: the caller's promise.
            _ => unsafe { buffer.free() },
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for class in 0..CLASSES {
            while !self.free[class].is_null() {
                let buffer = Buffer { ptr: self.free[class], size: (SMALLEST << class) as u32 };
                // SAFETY: it is a free buffer of this class, and leaves the list here.
                unsafe {
                    self.free[class] = buffer.ptr.cast::<*mut u8>().read();
                    buffer.free();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives back what the tests below took from the same pool.
    fn give(pool: &mut Pool, buffer: Buffer) {
        // SAFETY: every test gives a buffer back once, to the pool it came from.
        unsafe { pool.give(buffer) }
    }

    #[test]
    fn classes_hold_what_they_are_asked_for() {
        for (size, class) in [(1, 0), (64, 0), (65, 1), (128, 1), (129, 2), (4096, 6)] {
            let buffer = Buffer { ptr: null_mut(), size };
            assert_eq!(buffer.class(), class, "{size}");
            assert!(buffer.layout().unwrap().size() >= size as usize);
        }
        let huge = Buffer { ptr: null_mut(), size: u32::MAX };
        assert!(huge.class() >= CLASSES);
        assert_eq!(
            huge.layout().map(|layout| layout.size()),
            Some(u32::MAX as usize).filter(|_| usize::BITS > 32)
        );
        let largest_kept = Buffer { ptr: null_mut(), size: 16 << 20 };
        assert_eq!((largest_kept.class(), largest_kept.layout().unwrap().size()), (CLASSES - 1, 16 << 20));
    }

    #[test]
    fn a_buffer_comes_back() {
        let mut pool = Pool::new();
        let first = pool.take(100).unwrap();
        give(&mut pool, first);
        assert_eq!(pool.kept, 128);
        let second = pool.take(65).unwrap();
        assert_eq!((second.ptr(), second.size(), pool.kept), (first.ptr(), 65, 0));
        give(&mut pool, second);
    }

    #[test]
    fn buffers_that_are_out_do_not_overlap() {
        let mut pool = Pool::new();
        let buffers: Vec<Buffer> = (0..100).map(|i| pool.take(1 + i * 7).unwrap()).collect();
        for (i, buffer) in buffers.iter().enumerate() {
            // SAFETY: the buffer is out and has that size.
            unsafe { buffer.ptr().write_bytes(i as u8, buffer.size() as usize) };
        }
        for (i, buffer) in buffers.iter().enumerate() {
            // SAFETY: it was just filled.
            let bytes = unsafe { std::slice::from_raw_parts(buffer.ptr(), buffer.size() as usize) };
            assert!(bytes.iter().all(|byte| *byte == i as u8));
        }
        buffers.into_iter().for_each(|buffer| give(&mut pool, buffer));
    }

    #[test]
    fn nothing_is_allocated_for_nothing() {
        let mut pool = Pool::new();
        let empty = pool.take(0).unwrap();
        assert!(empty.ptr().is_null());
        empty.clear();
        give(&mut pool, empty);
        assert_eq!(pool.kept, 0);
    }

    #[test]
    fn a_pool_keeps_no_more_than_its_limit() {
        let mut pool = Pool::new();
        let buffers: Vec<Buffer> = (0..10).map(|_| pool.take(16 << 20).unwrap()).collect();
        buffers.into_iter().for_each(|buffer| give(&mut pool, buffer));
        assert_eq!(pool.kept, KEEP);
        let large = pool.take((16 << 20) + 1).unwrap();
        give(&mut pool, large);
        assert_eq!(pool.kept, KEEP);
    }

    #[test]
    fn clearing_clears_all_of_it() {
        let mut pool = Pool::new();
        let buffer = pool.take(300).unwrap();
        // SAFETY: 300 bytes are ours.
        unsafe { buffer.ptr().write_bytes(7, 300) };
        buffer.clear();
        // SAFETY: as above.
        assert!(unsafe { std::slice::from_raw_parts(buffer.ptr(), 300) }.iter().all(|byte| *byte == 0));
        give(&mut pool, buffer);
    }
}
