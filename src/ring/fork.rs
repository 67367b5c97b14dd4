//! Tells a forked child from the process that made a ring, at the cost of one load.

use super::pages;
use crate::sys;
use std::ptr::read_volatile;

/// What is wiped is whole pages.
const PAGE: usize = pages::LARGEST;

/// A page that the kernel hands to a forked child filled with zeros.
pub struct ForkGuard {
    page: *mut u8,
}

impl ForkGuard {
    /// Marks the calling process. `None` when the kernel has no memory for it.
    pub fn new() -> Option<ForkGuard> {
        let page = pages::map(PAGE, false);
        if page.is_null() {
            return None;
        }
        let guard = ForkGuard { page };
        // SAFETY: the page was just mapped, for reading and writing.
        unsafe {
            // Miri knows no madvise, and no fork.
            if !cfg!(miri) && sys::madvise(page.cast(), PAGE, sys::MADV_WIPEONFORK as i32) != 0 {
                return None;
            }
            guard.page.write(1);
        }
        Some(guard)
    }

    /// Whether this process is a child of the one that called `new`.
    #[inline]
    pub fn in_child(&self) -> bool {
        // SAFETY: mapped until drop. Volatile, since fork changes it behind the compiler.
        unsafe { read_volatile(self.page) == 0 }
    }
}

impl Drop for ForkGuard {
    fn drop(&mut self) {
        // SAFETY: `new` mapped it, and nothing else has the address.
        unsafe { pages::unmap(self.page, PAGE) };
    }
}
