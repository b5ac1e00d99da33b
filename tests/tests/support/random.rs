//! A sequence of numbers that follows from its seed: Marsaglia's xorshift.

/// The seed is not 0.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// Another sequence.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.below(u64::MAX) | 1)
    }
}
