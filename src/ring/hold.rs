//! What an action in flight has of memory that is not its own. It stands at the end of the
//! action's block, and is let go of when the block is free again: so memory goes on the last
//! completion and at no other moment.

use super::groups::{Group, Lease};
use super::region::{Span, Use};
use crate::sys;
use std::ptr::null_mut;

/// What is held.
#[derive(Clone, Copy)]
pub enum Held {
    /// Bytes that the action does something with.
    Bytes(Span, Use),
    /// Bytes of a lease, which it sends.
    Lease(Span, Lease),
    /// A group that it selects from.
    Group(Group),
    /// All of these, which have begun.
    List(*mut Hold, u32),
}

/// A count of it. If it is bytes, it is on the list of those that use their region likewise.
pub struct Hold {
    next: *mut Hold,
    /// The place of the pointer to this one.
    previous: *mut *mut Hold,
    held: Held,
    /// What the action has returned.
    res: i32,
}

/// How many bytes of a block one takes.
pub const SIZE: usize = size_of::<Hold>().next_multiple_of(align_of::<Hold>());

const _: () = assert!(SIZE <= 64 && align_of::<Hold>() <= 8, "it fits into the smallest block");

impl Hold {
    /// Counts what is held.
    ///
    /// # Safety
    /// There is memory for a hold at `place`, which stays where it is until `end`.
    pub unsafe fn begin(place: *mut Hold, held: Held) {
        let first = match held {
            Held::Bytes(span, how) => {
                span.region.keep();
                span.region.holds(how)
            }
            Held::Lease(span, lease) => {
                lease.sending();
                span.region.holds(Use::Read)
            }
            Held::Group(group) => {
                group.used();
                null_mut()
            }
            Held::List(..) => null_mut(),
        };
        // SAFETY: the caller's promise; what is on the list lives.
        unsafe {
            place.write(Hold { next: null_mut(), previous: first, held, res: -(sys::ECANCELED as i32) });
            if let Some(first) = first.as_mut() {
                (*place).next = *first;
                if let Some(next) = (*place).next.as_mut() {
                    next.previous = &raw mut (*place).next;
                }
                *first = place;
            }
        }
    }

    /// Lets go.
    ///
    /// # Safety
    /// `begin` has made what is at `place`, and the kernel is done with the action.
    pub unsafe fn end(place: *mut Hold) {
        // SAFETY: the caller's promise; what is beside it on the list lives.
        unsafe {
            let Hold { next, previous, held, res } = place.read();
            if let Some(previous) = previous.as_mut() {
                *previous = next;
            }
            if let Some(next) = next.as_mut() {
                next.previous = previous;
            }
            match held {
                Held::Bytes(span, _) => span.region.release(),
                Held::Lease(span, lease) => lease.sent(span, res),
                Held::Group(group) => group.unused(),
                Held::List(first, count) => {
                    (0..count as usize).for_each(|number| Hold::end(first.add(number)))
                }
            }
        }
    }

    /// What is held.
    pub fn held(&self) -> Held {
        self.held
    }

    /// Notes what the action has returned.
    pub fn note(&mut self, res: i32) {
        self.res = res;
    }

    pub(super) fn next(&self) -> *mut Hold {
        self.next
    }

    pub(super) fn overlaps(&self, span: Span) -> bool {
        let (Held::Bytes(ours, _) | Held::Lease(ours, _)) = self.held else { return false };
        let end = (ours.start + ours.len as usize).min(span.start + span.len as usize);
        ours.start.max(span.start) < end
    }
}
