//! Memory that Lua and the kernel share for longer than an action. It is counted: whoever
//! has it holds one count, a userdata as well as an action in flight, and with the last it
//! goes. What the end of a ring could not reap keeps its count for good.

use super::hold::Hold;
use super::pages;
use std::alloc::{Layout, alloc, dealloc};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

/// One such memory. A copy counts only if `keep` is called for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Region(NonNull<Memory>);

/// How many bytes all of them have.
static TOTAL: AtomicUsize = AtomicUsize::new(0);

struct Memory {
    count: usize,
    ptr: *mut u8,
    len: usize,
    shared: bool,
    /// What actions in flight read of it.
    read: *mut Hold,
    /// What they fill.
    filled: *mut Hold,
}

/// What actions in flight do with some bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// The kernel reads them.
    Read,
    /// The kernel writes them.
    Fill,
}

impl Region {
    /// Zeros, `len` of them and not none, from a page's beginning on: shared ones are the
    /// same memory in a forked child. Counted once; `None` when there is no memory.
    pub fn new(len: usize, shared: bool) -> Option<Region> {
        let layout = Layout::new::<Memory>();
        // SAFETY: the layout's size is not zero.
        let memory: NonNull<Memory> = NonNull::new(unsafe { alloc(layout) })?.cast();
        let ptr = pages::map(len, shared);
        if ptr.is_null() {
            // SAFETY: allocated above, with this layout.
            unsafe { dealloc(memory.as_ptr().cast(), layout) };
            return None;
        }
        // SAFETY: allocated above.
        unsafe { memory.write(Memory { count: 1, ptr, len, shared, read: null_mut(), filled: null_mut() }) };
        TOTAL.fetch_add(len, Ordering::Relaxed);
        Some(Region(memory))
    }

    /// How many bytes all regions of the process have.
    pub fn total() -> usize {
        TOTAL.load(Ordering::Relaxed)
    }

    /// One count more.
    pub fn keep(self) {
        // SAFETY: who calls has a count, so it lives; one thread at a time has a Lua state.
        unsafe { (*self.0.as_ptr()).count += 1 }
    }

    /// One count less: with the last it is freed.
    ///
    /// # Safety
    /// The count is the caller's, who does not use the region any more.
    pub unsafe fn release(self) {
        let memory = self.0.as_ptr();
        // SAFETY: it lives while it is counted; nothing refers to it after the last.
        unsafe {
            (*memory).count -= 1;
            if (*memory).count == 0 {
                debug_assert!((*memory).read.is_null() && (*memory).filled.is_null());
                TOTAL.fetch_sub((*memory).len, Ordering::Relaxed);
                pages::unmap((*memory).ptr, (*memory).len);
                dealloc(memory.cast(), Layout::new::<Memory>());
            }
        }
    }

    /// The first byte.
    pub fn ptr(self) -> *mut u8 {
        // SAFETY: who calls has a count.
        unsafe { (*self.0.as_ptr()).ptr }
    }

    /// Whether a forked child has the same memory.
    pub fn is_shared(self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.0.as_ptr()).shared }
    }

    /// How often it is counted.
    #[cfg(test)]
    pub fn count(self) -> usize {
        // SAFETY: as above.
        unsafe { (*self.0.as_ptr()).count }
    }

    /// The list of the holds of a use.
    pub(super) fn holds(self, how: Use) -> *mut *mut Hold {
        let memory = self.0.as_ptr();
        // SAFETY: as above.
        unsafe {
            match how {
                Use::Read => &raw mut (*memory).read,
                Use::Fill => &raw mut (*memory).filled,
            }
        }
    }
}

/// Some bytes of a region.
#[derive(Clone, Copy)]
pub struct Span {
    /// Whose.
    pub region: Region,
    /// The place of the first.
    pub start: usize,
    /// How many.
    pub len: u32,
}

impl Span {
    /// The first byte.
    pub fn ptr(self) -> *mut u8 {
        self.region.ptr().wrapping_add(self.start)
    }

    /// Whether an action in flight does that with any of the bytes.
    pub fn is_in(self, how: Use) -> bool {
        // SAFETY: the holds on the list belong to actions in flight, so they live.
        unsafe {
            let mut next = *self.region.holds(how);
            while let Some(hold) = next.as_ref() {
                if hold.overlaps(self) {
                    return true;
                }
                next = hold.next();
            }
        }
        false
    }
}
