//! What an action in flight has of memory that is not its own. It stands at the end of the
//! action's block, and is let go of when the block is free again: so memory goes on the last
//! completion and at no other moment.

use super::region::{Span, Use};
use std::ptr::null_mut;

/// A count of a region, on the list of those that use it likewise.
pub struct Hold {
    next: *mut Hold,
    /// The place of the pointer to this one.
    previous: *mut *mut Hold,
    span: Span,
}

/// How many bytes of a block one takes.
pub const SIZE: usize = size_of::<Hold>();

const _: () = assert!(SIZE <= 64 && align_of::<Hold>() <= 16, "it fits into the smallest block");

impl Hold {
    /// Counts a span's region, and notes what the action does with the bytes.
    ///
    /// # Safety
    /// There is memory for a hold at `place`, which stays where it is until `end`.
    pub unsafe fn begin(place: *mut Hold, span: Span, how: Use) {
        span.region.keep();
        let first = span.region.holds(how);
        // SAFETY: the caller's promise; what is on the list lives.
        unsafe {
            place.write(Hold { next: *first, previous: first, span });
            if let Some(next) = (*first).as_mut() {
                next.previous = &raw mut (*place).next;
            }
            *first = place;
        }
    }

    /// Lets go.
    ///
    /// # Safety
    /// `begin` has made what is at `place`, and the kernel is done with the bytes.
    pub unsafe fn end(place: *mut Hold) {
        // SAFETY: the caller's promise; what is beside it on the list lives.
        unsafe {
            *(*place).previous = (*place).next;
            if let Some(next) = (*place).next.as_mut() {
                next.previous = (*place).previous;
            }
            (*place).next = null_mut();
            (*place).span.region.release();
        }
    }

    pub(super) fn next(&self) -> *mut Hold {
        self.next
    }

    pub(super) fn overlaps(&self, span: Span) -> bool {
        let ours = self.span;
        let end = (ours.start + ours.len as usize).min(span.start + span.len as usize);
        ours.start.max(span.start) < end
    }
}
