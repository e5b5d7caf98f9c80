//! Which objects an import has seen: one bit each, in blocks, so that a million objects take little room.

use std::collections::BTreeMap;

use identitymesh_model::SpaceId;

const BLOCK_BITS: i64 = 65_536;

/// A set of object ids.
#[derive(Default)]
pub(super) struct Seen {
    blocks: BTreeMap<i64, Box<[u64; 1_024]>>,
}

impl Seen {
    /// Adds an id; false when it was there.
    pub(super) fn insert(&mut self, id: SpaceId) -> bool {
        let (block, word, bit) = place(id);
        let words = self.blocks.entry(block).or_insert_with(|| Box::new([0; 1_024]));
        let is_new = words[word] & bit == 0;
        words[word] |= bit;
        is_new
    }

    pub(super) fn contains(&self, id: SpaceId) -> bool {
        let (block, word, bit) = place(id);
        self.blocks.get(&block).is_some_and(|words| words[word] & bit != 0)
    }
}

fn place(id: SpaceId) -> (i64, usize, u64) {
    let within = id.0.rem_euclid(BLOCK_BITS);
    let word = usize::try_from(within / 64).expect("a block has 1,024 words");
    (id.0.div_euclid(BLOCK_BITS), word, 1 << (within % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_it_once() {
        let mut seen = Seen::default();
        for id in [1, 63, 64, 65_535, 65_536, 10_000_000_000] {
            assert!(!seen.contains(SpaceId(id)));
            assert!(seen.insert(SpaceId(id)));
            assert!(!seen.insert(SpaceId(id)));
            assert!(seen.contains(SpaceId(id)));
        }
        assert!(!seen.contains(SpaceId(2)));
    }
}
