//! Which classes are over their limits.

use identitymesh_model::Name;
use identitymesh_model::plan::Operation;
use identitymesh_model::rules::Limits;

/// The queued changes of one kind to objects of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The target's object type.
    pub object_type: Name,
    /// The operation.
    pub operation: Operation,
    /// Changes that would be sent now.
    pub free: u64,
    /// Changes that are held already and wait for a person.
    pub held: u64,
    /// Objects of the type that the target has.
    pub population: u64,
    /// No import has shown an object of the type in the target yet.
    pub is_empty: bool,
}

/// A class that is over its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// The class.
    pub class: Class,
    /// How many changes are allowed.
    pub allowed: u64,
}

/// The classes of which nothing more may be sent. What is held already counts with what is free: the limit is on the
/// net effect, and would otherwise be passed in two halves.
#[must_use]
pub fn over(limits: &Limits, classes: &[Class]) -> Vec<Over> {
    classes.iter().filter_map(|class| over_one(limits, *class)).collect()
}

/// The classes of which something is held although all of it together is within its limit.
#[must_use]
pub fn within(limits: &Limits, classes: &[Class]) -> Vec<Class> {
    let is_within = |class: &&Class| {
        let allowed = limits.of(class.operation).map_or(u64::MAX, |limit| limit.allowed(class.population));
        class.held > 0 && class.free.saturating_add(class.held) <= allowed
    };
    classes.iter().filter(is_within).copied().collect()
}

fn over_one(limits: &Limits, class: Class) -> Option<Over> {
    let is_first_load = class.operation == Operation::Create && class.is_empty;
    if class.free == 0 || is_first_load {
        return None;
    }
    let allowed = limits.of(class.operation)?.allowed(class.population);
    (class.free.saturating_add(class.held) > allowed).then_some(Over { class, allowed })
}

#[cfg(test)]
mod tests {
    use identitymesh_model::rules::Limit;
    use proptest::prelude::*;

    use super::*;

    fn class(operation: Operation, free: u64, held: u64, population: u64) -> Class {
        let object_type = Name::literal("user");
        Class { object_type, operation, free, held, population, is_empty: population == 0 }
    }

    #[test]
    fn the_class_over_its_limit_is_held_and_no_other() {
        let classes = [
            class(Operation::Create, 5_000, 0, 1_000),
            class(Operation::Update, 1_000, 0, 1_000),
            class(Operation::Disable, 100, 0, 1_000),
            class(Operation::Delete, 101, 0, 1_000),
        ];
        let over = over(&Limits::default(), &classes);
        assert_eq!(over, [Over { class: classes[3], allowed: 100 }]);
    }

    #[test]
    fn ten_are_always_allowed_and_the_first_load_is_exempt() {
        let limits = Limits { create: Some(Limit { percent: Some(1), count: Some(1) }), ..Limits::default() };
        let held = |class| !over(&limits, &[class]).is_empty();
        assert!(!held(class(Operation::Delete, 10, 0, 12)));
        assert!(held(class(Operation::Delete, 11, 0, 12)));
        assert!(!held(class(Operation::Create, 5_000, 0, 0)));
        assert!(held(class(Operation::Create, 11, 0, 1)));
        // A target that nobody ever looked into is no reason to delete without bound.
        assert!(held(class(Operation::Delete, 11, 0, 0)));
    }

    #[test]
    fn what_is_held_counts_with_what_comes_later() {
        assert_eq!(over(&Limits::default(), &[class(Operation::Delete, 1, 600, 5_000)]).len(), 1);
        assert_eq!(over(&Limits::default(), &[class(Operation::Delete, 0, 600, 5_000)]), []);
    }

    #[test]
    fn a_class_that_shrank_below_its_limit_is_let_go() {
        let (small, large) =
            (class(Operation::Delete, 0, 50, 1_000), class(Operation::Disable, 1, 100, 1_000));
        assert_eq!(within(&Limits::default(), &[small, large]), [small]);
    }

    fn limit() -> impl Strategy<Value = Option<Limit>> {
        let part = (proptest::option::of(0..=100_u8), proptest::option::of(0..2_000_u64));
        proptest::option::of(part.prop_map(|(percent, count)| Limit { percent, count }))
    }

    proptest! {
        #[test]
        fn no_set_of_limits_lets_more_through_than_it_allows(
            limits in proptest::array::uniform7(limit()),
            sizes in proptest::collection::vec((0..6_usize, 0..3_000_u64, 0..3_000_u64, 0..20_000_u64), 0..8),
        ) {
            let [import_delete, create, update, moves, disable, enable, delete] = limits;
            let limits = Limits { import_delete, create, update, moves, disable, enable, delete };
            let classes: Vec<Class> = sizes
                .into_iter()
                .map(|(operation, free, held, population)| class(Operation::ALL[operation], free, held, population))
                .collect();
            let over = over(&limits, &classes);
            for class in &classes {
                let is_held = over.iter().any(|known| known.class == *class);
                let allowed = limits.of(class.operation).map_or(u64::MAX, |limit| limit.allowed(class.population));
                let is_first_load = class.operation == Operation::Create && class.population == 0;
                prop_assert!(is_held || is_first_load || class.free == 0 || class.free + class.held <= allowed);
                prop_assert!(!is_held || class.free + class.held > allowed, "nothing within its limit is held");
            }
        }
    }
}
