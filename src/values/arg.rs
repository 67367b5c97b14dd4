//! What an action's argument is, and all of an action's together.

use crate::lua::Lua;
use crate::ring::buffers::Buffer;
use crate::ring::hold::{self, Held, Hold};
use crate::ring::in_flight::Reply;
use crate::sys;
use std::ffi::c_int;

/// A kind of argument. `Copy`, since a later argument's error skips destructors.
pub trait Arg: Copy {
    /// What liburing takes.
    type Wire: Copy;

    /// Takes the argument at `index` of the stack. It may be replaced there by a copy that
    /// no other Lua code can change. Raises.
    fn check(lua: &mut Lua, index: c_int) -> Self;

    /// As `check`, where most calls have something simple: what else it may be is left to
    /// `check`, which then begins anew. Raises.
    #[inline]
    fn quick(lua: &mut Lua, index: c_int) -> Option<Self> {
        Some(Self::check(lua, index))
    }

    /// How many bytes of the action's block it may need.
    #[inline]
    fn room(self) -> usize {
        0
    }

    /// Whether the Lua value must be kept until the last completion.
    #[inline]
    fn is_anchored(self) -> bool {
        false
    }

    /// How many bytes of that come at the block's beginning, where what the kernel writes is
    /// found again.
    #[inline]
    fn front(self) -> usize {
        0
    }

    /// How much there is at the front, in bytes or whatever the reply counts in.
    #[inline]
    fn size(self) -> u32 {
        0
    }

    /// What the callback gets, if the argument changes that.
    #[inline]
    fn reply(self, reply: Reply) -> Reply {
        reply
    }

    /// Puts into the block what the kernel reads there. Cannot fail.
    fn place(self, lua: &Lua, block: &mut Place, index: c_int) -> Self::Wire;

    /// Sets what the helper of liburing doesn't.
    #[inline]
    fn amend(self, _sqe: &mut sys::io_uring_sqe) {}
}

/// Where something is, and how many bytes or elements it has: the wire of what takes two
/// arguments in C.
#[derive(Clone, Copy)]
pub struct Extent<T: Copy> {
    /// The first of them.
    pub ptr: *mut T,
    /// How many there are.
    pub len: u32,
}

/// The part of an action's block that is still free.
pub struct Place {
    block: Buffer,
    next: *mut u8,
    holds: u8,
}

/// What a part of a block is aligned to.
const ALIGN: usize = 16;

/// The room for a hold.
pub const HOLD: usize = hold::SIZE;

/// The room for each hold of a list.
pub const HOLD_IN_LIST: usize = size_of::<Hold>();

/// The room for `bytes` bytes, wherever the part before them ends.
pub const fn room(bytes: usize) -> usize {
    bytes.saturating_add(ALIGN - 1)
}

impl Place {
    /// A block whose first `front` bytes are one argument's.
    #[inline]
    pub fn new(block: Buffer, front: usize) -> Place {
        Place { block, next: block.ptr().wrapping_add(front), holds: 0 }
    }

    /// The block's beginning, for the argument that has asked for it.
    #[inline]
    pub fn front(&self) -> *mut u8 {
        self.block.ptr()
    }

    /// Holds what is not the action's own until its last completion.
    ///
    /// # Safety
    /// `HOLD` was asked for.
    pub unsafe fn hold(&mut self, held: Held) {
        self.holds += 1;
        // SAFETY: the caller's promise: the block's end is for holds, and stays.
        unsafe { Hold::begin(self.block.hold(self.holds), held) }
    }

    /// Holds what `held` gives for each number below `count`.
    ///
    /// # Safety
    /// `HOLD`, and `room` of so many times `HOLD_IN_LIST`, were asked for.
    pub unsafe fn hold_list(&mut self, count: usize, mut held: impl FnMut(usize) -> Option<Held>) {
        let first = self.values::<Hold>(count);
        let mut begun = 0;
        for held in (0..count).filter_map(&mut held) {
            // SAFETY: the caller's promise: there is room for so many, and the block stays.
            unsafe { Hold::begin(first.add(begun), held) };
            begun += 1;
        }
        // SAFETY: as above.
        unsafe { self.hold(Held::List(first, begun as u32)) };
    }

    /// The block, with what has been put there.
    #[inline]
    pub fn block(&self) -> Buffer {
        if self.holds == 0 { self.block } else { self.block.with_holds(self.holds) }
    }

    /// The next `bytes` bytes, from wherever the part before them ends.
    #[inline]
    pub fn bytes(&mut self, bytes: usize) -> *mut u8 {
        let start = self.next;
        self.next = start.wrapping_add(bytes);
        start
    }

    /// Room for `count` values, aligned for each.
    pub fn values<T>(&mut self, count: usize) -> *mut T {
        debug_assert!(align_of::<T>() <= ALIGN);
        self.next = self.next.wrapping_add(self.next.align_offset(ALIGN));
        self.bytes(count * size_of::<T>()).cast()
    }

    /// Writes a value there.
    ///
    /// # Safety
    /// `room` of its size was asked for.
    pub unsafe fn put<T: Copy>(&mut self, value: T) -> *mut T {
        let place = self.values::<T>(1);
        // SAFETY: the caller's promise.
        unsafe { place.write(value) };
        place
    }
}

/// All arguments of an action between the ring and the callback.
pub trait Args: Copy {
    /// What liburing takes for each.
    type Wires: Copy;

    /// How many there are.
    const COUNT: c_int;

    /// Takes the arguments from `first` on. Raises.
    fn check(lua: &mut Lua, first: c_int) -> Self;

    /// As `check`, if all are of the simple kind. Raises.
    fn quick(lua: &mut Lua, first: c_int) -> Option<Self>;

    /// How large a block they need.
    fn room(self) -> usize;

    /// How many have a Lua value that must be kept.
    fn anchors(self) -> c_int;

    /// The place on the stack of each that has.
    fn each_anchor(self, first: c_int, visit: impl FnMut(c_int));

    /// How many bytes of that come at the block's beginning.
    fn front(self) -> usize;

    /// How much is to be read there.
    fn size(self) -> u32;

    /// What the callback gets.
    fn reply(self, reply: Reply) -> Reply;

    /// Fills in the block.
    fn place(self, lua: &Lua, block: &mut Place, first: c_int) -> Self::Wires;

    /// Sets what the helper of liburing doesn't.
    fn amend(self, sqe: &mut sys::io_uring_sqe);
}

macro_rules! tuples {
    ($(($count:literal: $($kind:ident $number:tt),*))*) => { $(
        #[allow(unused_variables, unused_mut, clippy::unused_unit)]
        impl<$($kind: Arg),*> Args for ($($kind,)*) {
            type Wires = ($($kind::Wire,)*);
            const COUNT: c_int = $count;

            #[inline]
            fn check(lua: &mut Lua, first: c_int) -> Self {
                ($($kind::check(lua, first + $number),)*)
            }

            #[inline]
            fn quick(lua: &mut Lua, first: c_int) -> Option<Self> {
                Some(($($kind::quick(lua, first + $number)?,)*))
            }

            #[inline]
            fn room(self) -> usize {
                0usize $(.saturating_add(self.$number.room()))*
            }

            #[inline]
            fn anchors(self) -> c_int {
                0 $(+ c_int::from(self.$number.is_anchored()))*
            }

            #[inline]
            fn each_anchor(self, first: c_int, mut visit: impl FnMut(c_int)) {
                $(if self.$number.is_anchored() {
                    visit(first + $number);
                })*
            }

            #[inline]
            fn front(self) -> usize {
                0usize $(.max(self.$number.front()))*
            }

            #[inline]
            fn size(self) -> u32 {
                0 $(.max(self.$number.size()))*
            }

            #[inline]
            fn reply(self, reply: Reply) -> Reply {
                $(let reply = self.$number.reply(reply);)*
                reply
            }

            #[inline]
            fn place(self, lua: &Lua, block: &mut Place, first: c_int) -> Self::Wires {
                ($(self.$number.place(lua, block, first + $number),)*)
            }

            #[inline]
            fn amend(self, sqe: &mut sys::io_uring_sqe) {
                $(self.$number.amend(sqe);)*
            }
        }
    )* };
}

tuples! {
    (0: )
    (1: A 0)
    (2: A 0, B 1)
    (3: A 0, B 1, C 2)
    (4: A 0, B 1, C 2, D 3)
    (5: A 0, B 1, C 2, D 3, E 4)
    (6: A 0, B 1, C 2, D 3, E 4, F 5)
    (7: A 0, B 1, C 2, D 3, E 4, F 5, G 6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{Dice, rounds};
    use crate::ring::buffers::Pool;
    use crate::ring::region::{Region, Span, Use};

    #[test]
    fn parts_of_a_block_are_apart_aligned_and_within() {
        let region = Region::new(100, false).unwrap();
        let held = |number: usize| Held::Bytes(Span { region, start: number, len: 1 }, Use::Read);
        for seed in 0..rounds(1000) as u64 {
            let mut dice = Dice::new(seed);
            let mut pool = Pool::new();
            // What each part is: some bytes, a value, a list of holds, or one.
            let parts: Vec<(usize, usize)> =
                (0..dice.below(6)).map(|_| (dice.below(4), dice.below(20))).collect();
            let front = dice.below(3) * 7;
            let sum: usize = parts
                .iter()
                .map(|(kind, count)| match kind {
                    0 => *count,
                    1 => room(count * 8),
                    2 => room(count * HOLD_IN_LIST) + HOLD,
                    _ => HOLD,
                })
                .sum();
            let block = pool.take(front + sum).unwrap();
            let mut place = Place::new(block, front);
            let (mut written, mut holds) = (Vec::new(), 0);
            for (number, (kind, count)) in parts.iter().enumerate() {
                // SAFETY: all of that was asked for.
                unsafe {
                    match kind {
                        0 => {
                            let bytes = place.bytes(*count);
                            bytes.write_bytes(number as u8, *count);
                            written.push((bytes, *count, number as u8));
                        }
                        1 => {
                            let values = place.values::<u64>(*count);
                            assert_eq!(values as usize % ALIGN, 0);
                            values.write_bytes(number as u8, *count);
                            written.push((values.cast(), *count * 8, number as u8));
                        }
                        2 => {
                            place.hold_list(*count, |number| (number % 2 == 0).then(|| held(number)));
                            holds += count.div_ceil(2);
                        }
                        _ => {
                            place.hold(held(*count));
                            holds += 1;
                        }
                    }
                }
            }
            assert_eq!(region.count(), 1 + holds);
            for (bytes, len, byte) in written {
                // SAFETY: written above.
                let bytes = unsafe { std::slice::from_raw_parts(bytes, len) };
                assert!(bytes.iter().all(|it| *it == byte), "another part lies there");
            }
            // SAFETY: the pool's own, given back once.
            unsafe { pool.give(place.block()) };
            assert_eq!(region.count(), 1);
        }
        // SAFETY: the test's own count.
        unsafe { region.release() };
    }
}
