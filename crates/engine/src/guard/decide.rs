//! Whether what was counted is over its limit.

use identitymesh_model::plan::Operation;
use identitymesh_model::rules::{HoldClass, Limit};

/// The changes that one limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Changes that would be made now.
    pub free: u64,
    /// Changes that are held already and wait for a person.
    pub held: u64,
}

/// The objects that a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Population {
    /// How many there are.
    pub size: u64,
    /// No import has shown an object of the type in the target yet.
    pub is_unseen: bool,
}

impl Count {
    /// Everything that would change. What is held already counts with what is free: the limit is on the net effect,
    /// and would otherwise be passed in two halves.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.free.saturating_add(self.held)
    }

    /// Whether the limit lets it go whatever the population is, so that nobody has to count that.
    #[must_use]
    pub fn is_small(self, limit: Limit) -> bool {
        self.total() <= limit.always()
    }

    /// Whether it is more than the limit allows: nothing more of it may be done. The first load of a target is exempt.
    #[must_use]
    pub fn is_over(self, class: HoldClass, limit: Limit, population: Population) -> bool {
        let is_first_load = class == HoldClass::Export(Operation::Create) && population.is_unseen;
        !is_first_load && self.total() > limit.allowed(population.size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_over(operation: Operation, count: (u64, u64), limit: Limit, size: u64) -> bool {
        let count = Count { free: count.0, held: count.1 };
        count.is_over(HoldClass::Export(operation), limit, Population { size, is_unseen: size == 0 })
    }

    #[test]
    fn ten_are_always_allowed_and_the_first_load_is_exempt() {
        let one = Limit { percent: Some(1), count: None };
        assert!(!is_over(Operation::Delete, (10, 0), Limit::DEFAULT, 12));
        assert!(is_over(Operation::Delete, (11, 0), Limit::DEFAULT, 12));
        assert!(!is_over(Operation::Create, (5_000, 0), one, 0));
        assert!(is_over(Operation::Create, (11, 0), one, 1));
        // Whoever writes a smaller number means it.
        let two = Limit { percent: None, count: Some(2) };
        assert!(!is_over(Operation::Delete, (2, 0), two, 12));
        assert!(is_over(Operation::Delete, (3, 0), two, 12));
        // A target that nobody ever looked into is no reason to delete without bound.
        assert!(is_over(Operation::Delete, (11, 0), Limit::DEFAULT, 0));
    }

    #[test]
    fn what_is_held_counts_with_what_comes_later() {
        assert!(is_over(Operation::Delete, (1, 600), Limit::DEFAULT, 5_000));
        assert!(is_over(Operation::Delete, (0, 600), Limit::DEFAULT, 5_000));
        assert!(!is_over(Operation::Delete, (0, 50), Limit::DEFAULT, 1_000));
        assert!(is_over(Operation::Disable, (1, 100), Limit::DEFAULT, 1_000));
    }

    proptest! {
        #[test]
        fn what_is_small_is_never_held_and_what_is_let_through_is_allowed(
            percent in proptest::option::of(0..=100_u8),
            allowed in proptest::option::of(0..2_000_u64),
            count in (0..3_000_u64, 0..3_000_u64),
            size in 0..20_000_u64,
            operation in 0..6_usize,
        ) {
            let (limit, operation) = (Limit { percent, count: allowed }, Operation::ALL[operation]);
            let over = is_over(operation, count, limit, size);
            let of = Count { free: count.0, held: count.1 };
            prop_assert!(!over || !of.is_small(limit));
            let is_first_load = operation == Operation::Create && size == 0;
            prop_assert!(over || is_first_load || of.total() <= limit.allowed(size));
            prop_assert!(!over || of.total() > limit.allowed(size), "nothing within its limit is held");
        }
    }
}
