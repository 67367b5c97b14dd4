//! Whole pages from the kernel.

use crate::sys;
use std::ptr::null_mut;

/// As much as one page on any machine that Linux runs on.
pub const LARGEST: usize = 65536;

/// Zeros, `len` of them and not none: null when there is no memory. If they are shared, they are the
/// same memory in a forked child.
pub fn map(len: usize, shared: bool) -> *mut u8 {
    if cfg!(miri) {
        return layout(len).map_or(null_mut(), |layout| {
            // SAFETY: the layout's size is not zero.
            unsafe { std::alloc::alloc_zeroed(layout) }
        });
    }
    let visible = if shared { sys::MAP_SHARED } else { sys::MAP_PRIVATE };
    anonymous(len, visible, sys::PROT_READ | sys::PROT_WRITE)
}

/// Addresses, `len` of them and not none, for a mapping that will take their place: null when there
/// are none left.
pub fn reserve(len: usize) -> *mut u8 {
    anonymous(len, sys::MAP_PRIVATE, sys::PROT_NONE)
}

fn anonymous(len: usize, visible: u32, protection: u32) -> *mut u8 {
    let flags = (visible | sys::MAP_ANONYMOUS) as i32;
    // SAFETY: a new anonymous mapping touches nothing that exists.
    let ptr = unsafe { sys::mmap(null_mut(), len as _, protection as i32, flags, -1, 0) };
    if ptr as isize == -1 { null_mut() } else { ptr.cast() }
}

/// Gives them back.
///
/// # Safety
/// `map` or `reserve` gave them, and nobody uses them any more.
pub unsafe fn unmap(ptr: *mut u8, len: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match layout(len) {
            Some(layout) if cfg!(miri) => std::alloc::dealloc(ptr, layout),
            _ => {
                sys::munmap(ptr.cast(), len as _);
            }
        }
    }
}

/// Miri has no kernel, and so no pages.
fn layout(len: usize) -> Option<std::alloc::Layout> {
    std::alloc::Layout::from_size_align(len, 4096).ok()
}
