//! Random numbers for tests, the same ones each time: SplitMix64.

/// Gives one number after another.
pub struct Dice(u64);

impl Dice {
    /// Those that follow from a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Any.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.any() % end as u64) as usize
    }

    /// Yes, once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Takes one of the list away.
    pub fn take<T>(&mut self, list: &mut Vec<T>) -> Option<T> {
        (!list.is_empty()).then(|| list.swap_remove(self.below(list.len())))
    }
}

/// How many rounds a test of random steps has: Miri is some thousand times slower.
pub fn rounds(many: usize) -> usize {
    if cfg!(miri) { many.div_ceil(40) } else { many }
}
