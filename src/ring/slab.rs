//! Numbered slots for what is in flight, found by keys that go stale.

/// Bits of a key that number the slot; the rest, up to `KEY_BITS`, hold the generation.
const INDEX_BITS: u32 = if cfg!(target_pointer_width = "64") { 22 } else { 18 };
/// Lua holds a key as a light userdata. LuaJIT's have 47 bits, and a state can hold only
/// some 250 different values of those from the 39th on, pointers of others included.
const KEY_BITS: u32 = match () {
    _ if cfg!(target_pointer_width = "32") => 32,
    _ if cfg!(any(feature = "lua51", feature = "luajit")) => 42,
    _ => 53,
};
const MAX_SLOTS: usize = 1 << INDEX_BITS;
const GENERATIONS: u32 = 1 << (KEY_BITS - INDEX_BITS);
const NONE: u32 = u32::MAX;

/// Names one use of one slot. Never zero, so it is never a null pointer in Lua.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key(usize);

/// Where a light userdata's high bits begin, of which LuaJIT keeps a list.
const HIGH_BITS: u32 = 39;

impl Key {
    /// Numbers with all the high bits that keys can have, for the Luas that list them: a new one
    /// takes memory there, and what is queued must not be lost for want of it.
    pub fn high_bits() -> impl Iterator<Item = usize> {
        let listed = cfg!(any(feature = "lua51", feature = "luajit"));
        let count = if listed { 1 << KEY_BITS.saturating_sub(HIGH_BITS) } else { 0 };
        (0..count).map(|bits: usize| bits.checked_shl(HIGH_BITS).unwrap_or(0))
    }

    fn new(index: u32, generation: u32) -> Key {
        Key((generation as usize) << INDEX_BITS | index as usize)
    }

    /// The key as a number: what the kernel and Lua hold.
    #[inline]
    pub fn raw(self) -> usize {
        self.0
    }

    /// Any number may be asked about; only a live key finds something.
    #[inline]
    pub fn from_raw(raw: usize) -> Key {
        Key(raw)
    }

    /// The number of the slot: no other live key has the same.
    #[inline]
    pub fn index(self) -> u32 {
        (self.0 & (MAX_SLOTS - 1)) as u32
    }

    #[inline]
    fn generation(self) -> usize {
        self.0 >> INDEX_BITS
    }
}

/// Why there is no slot to be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Full {
    /// As many are in use as a key can number.
    Keys,
    /// There is no memory for more.
    Memory,
}

#[derive(Clone, Copy)]
struct Slot<T> {
    /// Zero while the slot is free.
    generation: u32,
    next_free: u32,
    value: T,
}

/// Slots that are found in constant time. A freed one is used again first.
pub struct Slab<T: Copy> {
    slots: Vec<Slot<T>>,
    free: u32,
    live: usize,
    generation: u32,
}

impl<T: Copy> Slab<T> {
    /// An empty slab. Slabs with different seeds start with different keys, so that
    /// one slab's key is hardly ever taken for another's.
    pub fn new(seed: u32) -> Slab<T> {
        // A multiplicative hash spreads seeds that are close together.
        let generation = seed.wrapping_mul(0x9E37_79B1) % GENERATIONS;
        Slab { slots: Vec::new(), free: NONE, live: 0, generation }
    }

    /// How many slots are in use.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Makes sure that the next `insert` has a slot, and gives that slot's number.
    #[inline]
    pub fn reserve(&mut self) -> Result<u32, Full> {
        if self.free != NONE {
            return Ok(self.free);
        }
        if self.slots.len() == self.slots.capacity() {
            self.grow()?;
        }
        Ok(self.slots.len() as u32)
    }

    #[cold]
    fn grow(&mut self) -> Result<(), Full> {
        if self.slots.len() >= MAX_SLOTS {
            return Err(Full::Keys);
        }
        let more = self.slots.len().clamp(16, MAX_SLOTS - self.slots.len());
        self.slots.try_reserve_exact(more).map_err(|_| Full::Memory)
    }

    /// Puts a value into the slot that `reserve` promised.
    #[inline]
    pub fn insert(&mut self, value: T) -> Key {
        self.generation = if self.generation + 1 >= GENERATIONS { 1 } else { self.generation + 1 };
        self.live += 1;
        let generation = self.generation;
        match self.slots.get_mut(self.free as usize) {
            Some(slot) => {
                let index = self.free;
                self.free = slot.next_free;
                *slot = Slot { generation, next_free: NONE, value };
                Key::new(index, generation)
            }
            None => {
                self.slots.push(Slot { generation, next_free: NONE, value });
                Key::new(self.slots.len() as u32 - 1, generation)
            }
        }
    }

    #[inline]
    fn slot(&mut self, key: Key) -> Option<&mut Slot<T>> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        (slot.generation as usize == key.generation() && slot.generation != 0).then_some(slot)
    }

    /// The value that `key` names, unless the key is stale or foreign.
    #[inline]
    pub fn get(&mut self, key: Key) -> Option<&mut T> {
        self.slot(key).map(|slot| &mut slot.value)
    }

    /// Takes the value out and makes `key` stale.
    #[inline]
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let free = self.free;
        let slot = self.slot(key)?;
        slot.generation = 0;
        slot.next_free = free;
        let value = slot.value;
        self.free = key.index();
        self.live -= 1;
        Some(value)
    }

    /// The first live key whose slot number is `from` or higher.
    pub fn next_live(&self, from: u32) -> Option<Key> {
        let live = |slot: &(usize, &Slot<T>)| slot.1.generation != 0;
        let (index, slot) = self.slots.iter().enumerate().skip(from as usize).find(live)?;
        Some(Key::new(index as u32, slot.generation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{Dice, rounds};
    use std::collections::BTreeMap;

    fn add(slab: &mut Slab<u32>, value: u32) -> Key {
        slab.reserve().unwrap();
        slab.insert(value)
    }

    #[test]
    fn a_key_finds_its_value_until_it_is_removed() {
        let mut slab = Slab::new(1);
        let (a, b) = (add(&mut slab, 10), add(&mut slab, 20));
        assert_eq!(slab.get(a).copied(), Some(10));
        assert_eq!(slab.remove(a), Some(10));
        assert_eq!((slab.get(a).copied(), slab.remove(a)), (None, None));
        assert_eq!((slab.get(b).copied(), slab.len()), (Some(20), 1));
    }

    #[test]
    fn a_slot_that_is_used_again_has_another_key() {
        let mut slab = Slab::new(1);
        let old = add(&mut slab, 1);
        slab.remove(old);
        assert_eq!(slab.reserve(), Ok(old.index()));
        let new = slab.insert(2);
        assert_eq!(new.index(), old.index());
        assert_ne!(new, old);
        assert_eq!((slab.get(old).copied(), slab.get(new).copied()), (None, Some(2)));
    }

    #[test]
    fn reserving_takes_nothing() {
        let mut slab = Slab::<u32>::new(1);
        assert_eq!((slab.reserve(), slab.reserve()), (Ok(0), Ok(0)));
        assert_eq!((slab.len(), slab.next_live(0)), (0, None));
    }

    #[test]
    fn keys_fit_a_light_userdata_and_are_never_null() {
        let mut slab = Slab::new(7);
        slab.generation = GENERATIONS - 3;
        for value in 0..6 {
            let key = add(&mut slab, value);
            assert!(key.raw() != 0 && (key.raw() as u64) < 1 << KEY_BITS);
            assert_eq!(slab.remove(key), Some(value));
        }
    }

    #[test]
    fn numbers_that_are_no_keys_find_nothing() {
        let mut slab = Slab::new(1);
        let key = add(&mut slab, 1);
        slab.remove(key);
        for raw in [0, 1, key.raw(), key.index() as usize, usize::MAX] {
            assert!(slab.get(Key::from_raw(raw)).is_none(), "{raw}");
        }
    }

    #[test]
    fn slabs_with_other_seeds_have_other_keys() {
        let keys: Vec<usize> = (0..64).map(|seed| add(&mut Slab::new(seed), 0).raw()).collect();
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(key));
        }
    }

    #[test]
    fn live_keys_are_walked_in_order() {
        let mut slab = Slab::new(1);
        let keys: Vec<Key> = (0..5).map(|value| add(&mut slab, value)).collect();
        slab.remove(keys[0]);
        slab.remove(keys[3]);
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(key) = slab.next_live(from) {
            found.push(key);
            from = key.index() + 1;
        }
        assert_eq!(found, [keys[1], keys[2], keys[4]]);
    }

    #[test]
    fn a_slab_is_a_map_whose_keys_are_never_the_same() {
        for seed in 0..rounds(50) as u64 {
            let mut dice = Dice::new(seed);
            let mut slab = Slab::new(seed as u32);
            let (mut live, mut gone) = (BTreeMap::new(), Vec::new());
            for value in 0..200 {
                if dice.one_in(2) {
                    let index = slab.reserve().unwrap();
                    let key = slab.insert(value);
                    assert_eq!(key.index(), index, "the slot that was promised");
                    assert!(!gone.contains(&key));
                    assert_eq!(live.insert(key.index(), (key, value)), None);
                } else if let Some(index) = dice.take(&mut live.keys().copied().collect()) {
                    let (key, value) = live.remove(&index).unwrap();
                    assert_eq!(slab.remove(key), Some(value));
                    gone.push(key);
                }
                assert_eq!(slab.len(), live.len());
                assert!(gone.iter().all(|key| slab.get(*key).is_none() && slab.remove(*key).is_none()));
                assert!(live.values().all(|(key, value)| slab.get(*key) == Some(&mut value.clone())));
                let from = dice.below(8) as u32;
                assert_eq!(slab.next_live(from), live.range(from..).next().map(|(_, it)| it.0));
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes hours")]
    fn there_are_no_more_slots_than_a_key_can_number() {
        let mut slab = Slab::<()>::new(1);
        slab.slots.resize(MAX_SLOTS, Slot { generation: 1, next_free: NONE, value: () });
        while slab.slots.len() < slab.slots.capacity() {
            slab.slots.push(Slot { generation: 1, next_free: NONE, value: () });
        }
        assert_eq!(slab.reserve(), Err(Full::Keys));
        slab.live = 1;
        let last = Key::new(MAX_SLOTS as u32 - 1, 1);
        assert_eq!(slab.remove(last), Some(()));
        assert_eq!(slab.reserve(), Ok(MAX_SLOTS as u32 - 1));
        assert_eq!(slab.insert(()).index(), MAX_SLOTS as u32 - 1);
    }
}
