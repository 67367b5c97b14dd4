//! Which callbacks are in flight, each kept once however many actions share it.
//!
//! Programs tend to give the same function to action after action. Keeping it in a Lua
//! table for each would be most of an action's cost: so the last one is recognised by
//! its address, and only counted. The address can't become another value's meanwhile,
//! since the table keeps this one.

use std::num::NonZeroU32;

/// Numbers a callback in the ring's table, from 1 on as Lua does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Id(NonZeroU32);

impl Id {
    /// As a key of a Lua table.
    #[inline]
    pub fn number(self) -> u32 {
        self.0.get()
    }

    #[inline]
    fn of(index: usize) -> Option<Id> {
        u32::try_from(index + 1).ok().and_then(NonZeroU32::new).map(Id)
    }

    #[inline]
    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

#[derive(Clone, Copy)]
struct Entry {
    /// Actions in flight that share the callback; zero when the number is free.
    count: u32,
    next_free: Option<Id>,
}

/// The callbacks of one ring.
pub struct Callbacks {
    entries: Vec<Entry>,
    free: Option<Id>,
    last: Option<Id>,
    last_address: usize,
    /// A number that no action has yet, and the address that goes with it.
    reserved: Option<(Id, usize)>,
}

impl Callbacks {
    /// None yet.
    pub fn new() -> Callbacks {
        Callbacks { entries: Vec::new(), free: None, last: None, last_address: 0, reserved: None }
    }

    /// The callback at `address` if it was the last one that was kept, and still is.
    #[inline]
    pub fn find(&self, address: usize) -> Option<Id> {
        if self.last_address == address { self.last } else { None }
    }

    /// A number for a new callback at `address`, which `keep_reserved` takes; `None` when
    /// there is no memory. The address is zero for what has none, such as a string.
    #[inline]
    pub fn reserve(&mut self, address: usize) -> Option<Id> {
        let id = match self.free {
            Some(id) => id,
            None => {
                if self.entries.len() == self.entries.capacity() {
                    self.entries.try_reserve(16).ok()?;
                }
                Id::of(self.entries.len())?
            }
        };
        self.reserved = Some((id, address));
        Some(id)
    }

    /// Counts one more action for a callback that is known.
    #[inline]
    pub fn keep(&mut self, id: Id) {
        if let Some(entry) = self.entries.get_mut(id.index()) {
            debug_assert!(entry.count > 0);
            entry.count += 1;
        }
    }

    /// Counts the first action of the callback that has been reserved.
    pub fn keep_reserved(&mut self) -> Option<Id> {
        let (id, address) = self.reserved.take()?;
        self.last = (address != 0).then_some(id);
        self.last_address = address;
        match self.entries.get_mut(id.index()) {
            Some(entry) => {
                debug_assert_eq!(entry.count, 0);
                self.free = entry.next_free;
                entry.count = 1;
            }
            None => self.entries.push(Entry { count: 1, next_free: None }),
        }
        Some(id)
    }

    /// Counts one action less; whether it was the last, so that the callback may go.
    #[inline]
    pub fn release(&mut self, id: Id) -> bool {
        let Some(entry) = self.entries.get_mut(id.index()).filter(|entry| entry.count > 0) else {
            return false;
        };
        entry.count -= 1;
        if entry.count > 0 {
            return false;
        }
        entry.next_free = self.free;
        self.free = Some(id);
        if self.last == Some(id) {
            self.last = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{Dice, rounds};
    use std::collections::BTreeMap;

    fn keep(callbacks: &mut Callbacks, address: usize) -> Id {
        match callbacks.find(address) {
            Some(id) => {
                callbacks.keep(id);
                id
            }
            None => {
                callbacks.reserve(address).unwrap();
                callbacks.keep_reserved().unwrap()
            }
        }
    }

    #[test]
    fn a_callback_goes_with_its_last_action() {
        let mut callbacks = Callbacks::new();
        let id = keep(&mut callbacks, 0x10);
        assert_eq!(keep(&mut callbacks, 0x10), id);
        assert!(!callbacks.release(id));
        assert!(callbacks.release(id));
        assert!(!callbacks.release(id), "it is gone");
    }

    #[test]
    fn an_address_is_forgotten_with_its_callback() {
        let mut callbacks = Callbacks::new();
        let id = keep(&mut callbacks, 0x10);
        assert!(callbacks.release(id));
        assert_eq!(callbacks.find(0x10), None);
    }

    #[test]
    fn no_address_is_never_found() {
        assert_eq!(Callbacks::new().find(0), None);
    }

    #[test]
    fn what_has_no_address_is_never_recognised() {
        let mut callbacks = Callbacks::new();
        let id = keep(&mut callbacks, 0);
        assert_eq!(callbacks.find(0), None);
        assert!(callbacks.release(id));
    }

    #[test]
    fn callbacks_that_take_turns_have_numbers_of_their_own() {
        let mut callbacks = Callbacks::new();
        let ids: Vec<Id> =
            [0x10, 0x20, 0x10, 0x20].iter().map(|address| keep(&mut callbacks, *address)).collect();
        for (i, id) in ids.iter().enumerate() {
            assert!(!ids[..i].contains(id), "only the last one is recognised");
        }
        assert!(ids.iter().all(|id| callbacks.release(*id)));
    }

    #[test]
    fn a_number_that_is_free_is_used_again() {
        let mut callbacks = Callbacks::new();
        let (a, b) = (keep(&mut callbacks, 0x10), keep(&mut callbacks, 0x20));
        assert!(callbacks.release(a));
        assert_eq!(keep(&mut callbacks, 0x30), a);
        assert!(callbacks.release(b) && callbacks.release(a));
        assert_eq!(callbacks.entries.len(), 2);
    }

    #[test]
    fn reserving_takes_nothing() {
        let mut callbacks = Callbacks::new();
        assert_eq!(callbacks.reserve(1), callbacks.reserve(2));
        assert_eq!(callbacks.find(1), None);
    }

    #[test]
    fn a_number_is_one_callbacks_until_its_last_action_has_ended() {
        for seed in 0..rounds(50) as u64 {
            let mut dice = Dice::new(seed);
            let mut callbacks = Callbacks::new();
            // What a number stands for, and how many actions share it; the address of the last one kept.
            let mut kept: BTreeMap<u32, (Id, usize, u32)> = BTreeMap::new();
            let mut last = None;
            for _ in 0..300 {
                let address = dice.below(4) * 16; // zero has none
                match dice.below(3) {
                    0 => {
                        let known = callbacks.find(address);
                        let expected =
                            last.filter(|(_, it)| *it == address && address != 0).map(|(id, _)| id);
                        assert_eq!(known, expected);
                        let id = keep(&mut callbacks, address);
                        let entry = kept.entry(id.number()).or_insert((id, address, 0));
                        assert_eq!((entry.1, entry.2 > 0), (address, known.is_some()));
                        entry.2 += 1;
                        last = Some((id, address));
                    }
                    1 => {
                        // An action that was refused after its callback got a number.
                        let id = callbacks.reserve(address + 1).unwrap();
                        assert!(!kept.contains_key(&id.number()));
                    }
                    _ => {
                        let Some(number) = dice.take(&mut kept.keys().copied().collect()) else { continue };
                        let entry = kept.get_mut(&number).unwrap();
                        entry.2 -= 1;
                        let (id, _, left) = *entry;
                        assert_eq!(callbacks.release(id), left == 0);
                        if left == 0 {
                            kept.remove(&number);
                            last = last.filter(|(it, _)| *it != id);
                        }
                    }
                }
            }
        }
    }
}
