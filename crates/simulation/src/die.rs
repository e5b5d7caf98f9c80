//! What the seed decides.

use fastrand::Rng;

/// Chance from a seed. The same calls in the same order give the same answers.
#[derive(Clone, Debug)]
pub(crate) struct Die(Rng);

impl Die {
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds begin alike; one number of each is thrown away with the likeness.
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        rng.u64(..);
        Self(rng)
    }

    /// A number from zero up to but not including `end`, which is not zero.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end)
    }

    /// A number from `from` up to and including `to`.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        self.0.u64(from..=to)
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// One of `things`, of which there is at least one.
    pub(crate) fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())]
    }
}
