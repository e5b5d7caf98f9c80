//! What of a large set of references goes with everything else in one request, and what follows in pieces.
//!
//! Servers limit how many values one request may carry, and a long request keeps everybody else waiting. The first piece
//! goes with the entry's other attributes, so that the server checks what has to hold; the others only add to it.

use std::collections::HashSet;

use identitymesh_connector::{AttributeChange, ChangeKind};
use identitymesh_model::{Name, Object, Value, ValueType, Values};

use crate::schema::TypeMap;
use crate::value::{self, Key};

/// Values of one request; Active Directory takes 5,000 by default.
pub(super) const VALUES_SENT: usize = 1_000;

/// Whether the attribute refers to other entries.
fn refers(map: &TypeMap, name: Name) -> bool {
    map.schema.attribute(name).is_some_and(|schema| schema.kind.value == ValueType::Reference)
}

/// A change in what goes at once, and what follows. Where a server forgives values that are there or gone already,
/// single links always follow: nothing else of the request can fail with them.
pub(super) fn cut(
    map: &TypeMap,
    change: AttributeChange,
    is_forgiving: bool,
) -> (Option<AttributeChange>, Option<AttributeChange>) {
    let name = change.name;
    let is_required = map.required_references.contains(&name);
    let of = |kind| AttributeChange { name, kind };
    match change.kind {
        kind if !refers(map, name) => (Some(of(kind)), None),
        ChangeKind::AddRemove { add, remove } if is_forgiving && !is_required => {
            (None, Some(of(ChangeKind::AddRemove { add, remove })))
        }
        ChangeKind::AddRemove { mut add, remove } if add.len() + remove.len() > VALUES_SENT => {
            let later = add.split_off(add.len().min(VALUES_SENT));
            let first = (!add.is_empty()).then(|| of(ChangeKind::AddRemove { add, remove: Vec::new() }));
            (first, Some(of(ChangeKind::AddRemove { add: later, remove })))
        }
        kind => (Some(of(kind)), None),
    }
}

/// Whether a large set of references takes the place of another. Pieces cannot be refused together, so what is there is
/// looked at before the first of them.
pub(super) fn exchanges_many(map: &TypeMap, change: &AttributeChange) -> bool {
    let is_large = |values: &Values| values.as_slice().len() > VALUES_SENT;
    match &change.kind {
        ChangeKind::Replace { old, new } if refers(map, change.name) && map.has_equality(change.name) => {
            [old, new].into_iter().flatten().any(is_large)
        }
        _ => false,
    }
}

/// What leads from `there` to the new one of two sets, when `there` lies between the old one and the new: all that both
/// have is there, and nothing that neither has. So is what a change in pieces left that was broken off.
pub(super) fn on_the_way(
    map: &TypeMap,
    name: Name,
    (old, new): (Option<&Values>, Option<&Values>),
    there: Option<&Values>,
) -> Option<AttributeChange> {
    let schema = map.schema.attribute(name);
    let slice = |values: Option<&Values>| values.map_or(Vec::new(), |values| values.as_slice().to_vec());
    let (old, new, there) = (slice(old), slice(new), slice(there));
    let keys =
        |values: &[Value]| -> HashSet<Key> { values.iter().map(|value| value::key(schema, value)).collect() };
    let (before, after, now) = (keys(&old), keys(&new), keys(&there));
    let is_between = now.iter().all(|key| before.contains(key) || after.contains(key))
        && before.intersection(&after).all(|key| now.contains(key));
    let only = |values: Vec<Value>, others: &HashSet<Key>| -> Vec<Value> {
        values.into_iter().filter(|value| !others.contains(&value::key(schema, value))).collect()
    };
    is_between.then(|| AttributeChange {
        name,
        kind: ChangeKind::AddRemove { add: only(new, &now), remove: only(there, &after) },
    })
}

/// A new entry's attributes with as many references as one request carries, and the others.
pub(super) fn cut_new(map: &TypeMap, attributes: &Object) -> (Object, Vec<AttributeChange>) {
    let mut first = attributes.clone();
    let mut later = Vec::new();
    let large = attributes
        .iter()
        .filter(|(name, values)| values.as_slice().len() > VALUES_SENT && refers(map, *name));
    for (name, values) in large {
        let (now, rest) = values.as_slice().split_at(VALUES_SENT);
        first.put(name, Values::set(now.to_vec()));
        let kind = ChangeKind::AddRemove { add: rest.to_vec(), remove: Vec::new() };
        later.push(AttributeChange { name, kind });
    }
    (first, later)
}

/// What is missing of a large set whose making ended early: everything there is wanted, and it is at least a whole
/// piece. `None` when the set can be somebody else's.
pub(super) fn missing(
    map: &TypeMap,
    name: Name,
    wanted: Option<&Values>,
    there: Option<&Values>,
) -> Option<AttributeChange> {
    let (wanted, there) = (wanted?.as_slice(), there?.as_slice());
    if !refers(map, name) || there.len() < VALUES_SENT {
        return None;
    }
    let schema = map.schema.attribute(name);
    let mut held: HashSet<Key> = there.iter().map(|value| value::key(schema, value)).collect();
    let add: Vec<Value> =
        wanted.iter().filter(|value| !held.remove(&value::key(schema, value))).cloned().collect();
    held.is_empty().then(|| AttributeChange { name, kind: ChangeKind::AddRemove { add, remove: Vec::new() } })
}

#[cfg(test)]
mod tests {
    use identitymesh_connector::ChangeKind::{AddRemove, Replace};

    use super::*;
    use crate::schema::test_map;

    fn members(numbers: std::ops::Range<usize>) -> Vec<Value> {
        numbers.map(|number| Value::reference(format!("cn=p{number:05},dc=t"))).collect()
    }

    fn member(kind: ChangeKind) -> AttributeChange {
        AttributeChange { name: Name::literal("member"), kind }
    }

    /// How many values are added and removed by what goes at once and by what follows.
    fn sizes(change: AttributeChange, is_forgiving: bool) -> [Option<(usize, usize)>; 2] {
        let size = |change: Option<AttributeChange>| {
            change.map(|change| match change.kind {
                AddRemove { add, remove } => (add.len(), remove.len()),
                Replace { old, new } => {
                    (new.map_or(0, |new| new.as_slice().len()), old.map_or(0, |old| old.as_slice().len()))
                }
            })
        };
        let (first, later) = cut(&test_map(), change, is_forgiving);
        [size(first), size(later)]
    }

    #[test]
    fn a_large_set_follows_in_pieces_whatever_the_change_is_called() {
        let fill = |count| member(Replace { old: None, new: Values::set(members(0..count)) });
        assert_eq!(sizes(fill(1_000), true), [Some((1_000, 0)), None]);
        assert_eq!([1_000, 1_001].map(|count| exchanges_many(&test_map(), &fill(count))), [false, true]);
        let change = |add: usize, remove: usize| {
            member(AddRemove { add: members(0..add), remove: members(50_000..50_000 + remove) })
        };
        // The type of the test requires members, so nothing is forgiven.
        assert_eq!(sizes(change(3, 4), true), [Some((3, 4)), None]);
        assert_eq!(sizes(change(0, 1_001), true), [None, Some((0, 1_001))]);
        assert_eq!(sizes(change(1_500, 10), false), [Some((1_000, 0)), Some((500, 10))]);
        let mail = Values::set((0..2_000).map(|number| Value::text(format!("{number}@t"))).collect());
        let change = AttributeChange { name: Name::literal("mail"), kind: Replace { old: None, new: mail } };
        assert_eq!(sizes(change, true), [Some((2_000, 0)), None], "only references are cut");
    }

    #[test]
    fn a_set_that_is_half_exchanged_is_on_the_way_and_another_is_not() {
        let set = |values: &[Value]| Values::set(values.to_vec());
        let (old, new) = (set(&members(0..20)), set(&members(10..40)));
        let way = |there: Vec<Value>| {
            let there = set(&there);
            on_the_way(&test_map(), Name::literal("member"), (old.as_ref(), new.as_ref()), there.as_ref())
        };
        let change = |add, remove| Some(member(AddRemove { add: members(add), remove: members(remove) }));
        assert_eq!(way(members(0..20)), change(20..40, 0..10));
        assert_eq!(way(members(5..30)), change(30..40, 5..10));
        assert_eq!(way(members(10..40)), change(0..0, 0..0));
        assert_eq!(way(members(0..15)), None, "somebody took out what was to stay");
        assert_eq!(way([members(0..20), members(90..91)].concat()), None, "somebody put another in");
    }

    #[test]
    fn a_new_entry_begins_with_one_piece() {
        let member = Name::literal("member");
        let wanted = Object::from_iter([
            (Name::literal("mail"), "a@t".into()),
            (member, Values::set(members(0..2_500)).unwrap()),
        ]);
        let (first, later) = cut_new(&test_map(), &wanted);
        assert_eq!((first.len(), first.get(member).unwrap().as_slice().len()), (2, 1_000));
        let add = members(1_000..2_500);
        assert_eq!(later, [AttributeChange { name: member, kind: AddRemove { add, remove: vec![] } }]);
    }

    #[test]
    fn a_set_that_ended_early_is_told_from_somebody_elses() {
        let left = |there: Vec<Value>| {
            let (wanted, there) = (Values::set(members(0..2_500)), Values::set(there));
            missing(&test_map(), Name::literal("member"), wanted.as_ref(), there.as_ref())
        };
        let add = members(2_000..2_500);
        assert_eq!(left(members(0..2_000)), Some(member(AddRemove { add, remove: vec![] })));
        assert_eq!(left(members(0..10)), None, "less than a piece was never sent");
        assert_eq!(left(members(0..2_000).into_iter().chain(members(9_000..9_001)).collect()), None);
    }
}
