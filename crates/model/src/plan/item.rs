//! What a plan sends to a target for one mesh object.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Reason;
use crate::{ConnectorId, Name, Object, RuleId, SpaceId, Text, Value, Values};

/// The operation, as people count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A new object.
    Create,
    /// Changed attributes.
    Update,
    /// A new name or container, perhaps with changed attributes.
    Move,
    /// The object is disabled, perhaps with changed attributes.
    Disable,
    /// The object is enabled again, perhaps with changed attributes.
    Enable,
    /// The object is removed.
    Delete,
}

impl Operation {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Create, Self::Update, Self::Move, Self::Disable, Self::Enable, Self::Delete];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Move => "move",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// When an item is sent, seen from the rest of its target's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Before everything else: whoever left loses access first, however many newcomers are queued before.
    First,
    /// By age.
    Usual,
}

impl Turn {
    /// The turn of what is done. A disable that moves the object waits for its turn, because another item may have to
    /// make the container.
    #[must_use]
    pub const fn of(operation: Operation, action: &ItemAction) -> Self {
        match (operation, action) {
            (Operation::Disable, ItemAction::Update { address: None, .. }) => Self::First,
            _ => Self::Usual,
        }
    }
}

/// One item for the export queue. At most one lives for each mesh object and target: a newer one takes its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemPlan {
    /// The target.
    pub connector: ConnectorId,
    /// The projection rule.
    pub rule: RuleId,
    /// The target's object type.
    pub object_type: Name,
    /// As people count it.
    pub operation: Operation,
    /// What to do, in full.
    pub action: ItemAction,
    /// Why.
    pub reason: Reason,
}

/// What to do in the target. References to mesh objects that the target does not hold yet stand as `mesh:` and the
/// object's public id; they are replaced by the target's own address when the item is sent, or left out until the
/// object is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemAction {
    /// Make it.
    Create {
        /// Everything it starts with; in a tree the address too.
        attributes: Object,
        /// Make missing containers first.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        create_container: bool,
    },
    /// Change it.
    Update {
        /// The management-space object.
        space: SpaceId,
        /// A new address in the tree.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Text>,
        /// Make missing containers first.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        create_container: bool,
        /// What changes, in the order of names.
        changes: Vec<ItemChange>,
    },
    /// Remove it.
    Delete {
        /// The management-space object.
        space: SpaceId,
    },
}

/// One changed attribute of an update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemChange {
    /// The target attribute.
    pub name: Name,
    /// What is done to it.
    #[serde(flatten)]
    pub edit: Edit,
}

/// What is done to an attribute of a target's object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// Values in the place of others.
    Replace {
        /// What it holds as far as is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        old: Option<Values>,
        /// What it shall hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        new: Option<Values>,
    },
    /// Values of a set; those that are not named stay, so that a large set is no larger to change than a small one.
    Set {
        /// To add.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        add: Vec<Value>,
        /// To take out.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remove: Vec<Value>,
        /// Others fill the set too: only what is added here becomes ours.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        shared: bool,
    },
}

impl ItemChange {
    /// From what the attribute holds to what it shall hold: value by value where it holds a set.
    #[must_use]
    pub fn between(name: Name, old: Option<&Values>, new: Option<Values>, shared: bool) -> Self {
        let edit = match (old, &new) {
            (Some(Values::Set(old)), Some(Values::Set(_)) | None) => {
                let new = new.map_or_else(Vec::new, Values::into_vec);
                let (add, remove) = set_difference(old, &new);
                Edit::Set { add, remove, shared }
            }
            (None, Some(Values::Set(_))) if shared => {
                let add = new.map_or_else(Vec::new, Values::into_vec);
                Edit::Set { add, remove: Vec::new(), shared }
            }
            _ => Edit::Replace { old: old.cloned(), new },
        };
        Self { name, edit }
    }

    /// The values that the target shall hold because of this change.
    #[must_use]
    pub fn wanted(&self) -> &[Value] {
        match &self.edit {
            Edit::Replace { new, .. } => new.as_ref().map_or(&[], Values::as_slice),
            Edit::Set { add, .. } => add,
        }
    }

    /// Whether this does to its attribute something of what `other` does: the same value, or a reference to somebody who
    /// is not there yet and may be the same.
    fn repeats(&self, other: &Self) -> bool {
        self.name == other.name
            && match (&self.edit, &other.edit) {
                (Edit::Set { add, remove, .. }, Edit::Set { add: added, remove: removed, .. }) => {
                    meet(add, added) || meet(remove, removed)
                }
                // Emptied as well.
                (Edit::Replace { new: None, .. }, Edit::Replace { new: None, .. }) => true,
                _ => meet(self.wanted(), other.wanted()),
            }
    }

    /// What the attribute holds once the change is made where it holds `now`.
    #[must_use]
    pub fn applied_to(&self, now: Option<&Values>) -> Option<Values> {
        match &self.edit {
            Edit::Replace { new, .. } => new.clone(),
            Edit::Set { add, remove, .. } => {
                let remove: HashSet<&Value> = remove.iter().collect();
                let now = now.map_or(&[][..], Values::as_slice).iter();
                let mut values: Vec<Value> = now.filter(|value| !remove.contains(value)).cloned().collect();
                values.extend(add.iter().cloned());
                Values::set(values)
            }
        }
    }
}

/// What is only in the second of two sorted sets, and what is only in the first.
#[must_use]
pub fn set_difference<T: Ord + Clone>(old: &[T], new: &[T]) -> (Vec<T>, Vec<T>) {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    let (mut o, mut n) = (0, 0);
    while let (Some(before), Some(after)) = (old.get(o), new.get(n)) {
        let order = before.cmp(after);
        match order {
            Ordering::Less => removed.push(before.clone()),
            Ordering::Greater => added.push(after.clone()),
            Ordering::Equal => {}
        }
        o += usize::from(order.is_le());
        n += usize::from(order.is_ge());
    }
    removed.extend_from_slice(&old[o..]);
    added.extend_from_slice(&new[n..]);
    (added, removed)
}

/// How references to mesh objects are marked inside an item.
pub(crate) const MESH_REFERENCE: &str = "mesh:";

impl ItemAction {
    /// A reference to a mesh object of which it is not known yet what the target calls it: by its address, or by what
    /// it holds in the attribute `by`.
    #[must_use]
    pub fn pending_reference(uid: &str, by: Option<Name>) -> Value {
        let by = by.map_or_else(String::new, |by| format!(" by {by}"));
        Value::Reference(Text::from(format!("{MESH_REFERENCE}{uid}{by}")))
    }

    /// Whether this does something of what `other` was to do to the same object: makes it, removes it, moves it to the same
    /// place, or gives an attribute the same value or takes it from it.
    #[must_use]
    pub fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Create { .. }, Self::Create { .. }) | (Self::Delete { .. }, Self::Delete { .. }) => true,
            (
                Self::Update { address, changes, .. },
                Self::Update { address: other_address, changes: others, .. },
            ) => {
                address.is_some() && address == other_address
                    || changes.iter().any(|change| others.iter().any(|other| change.repeats(other)))
            }
            _ => false,
        }
    }

    /// The public id in a reference made by [`ItemAction::pending_reference`].
    #[must_use]
    pub fn pending_uid(value: &Value) -> Option<&str> {
        pending(value).map(|(uid, _)| uid)
    }

    /// The attribute by which a reference made by [`ItemAction::pending_reference`] refers.
    #[must_use]
    pub fn pending_by(value: &Value) -> Option<Name> {
        pending(value).and_then(|(_, by)| Name::new(by).ok())
    }
}

/// Whether a value is in both, or may be: it is not known yet whom a reference leads to.
fn meet(ours: &[Value], theirs: &[Value]) -> bool {
    let known: HashSet<&Value> = theirs.iter().collect();
    let is_open = |values: &[Value]| values.iter().any(|value| pending(value).is_some());
    let refers = |values: &[Value]| values.iter().any(|value| matches!(value, Value::Reference(_)));
    ours.iter().any(|value| known.contains(value))
        || is_open(ours) && refers(theirs)
        || is_open(theirs) && refers(ours)
}

fn pending(value: &Value) -> Option<(&str, &str)> {
    let Value::Reference(key) = value else { return None };
    let called = key.strip_prefix(MESH_REFERENCE)?;
    Some(called.split_once(" by ").unwrap_or((called, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(address: Option<&str>, changes: Vec<(&'static str, Edit)>) -> ItemAction {
        let changes =
            changes.into_iter().map(|(name, edit)| ItemChange { name: Name::literal(name), edit }).collect();
        ItemAction::Update {
            space: SpaceId(1),
            address: address.map(Text::new),
            create_container: false,
            changes,
        }
    }

    fn replace(old: Option<&str>, new: Option<&str>) -> Edit {
        Edit::Replace { old: old.map(Values::from), new: new.map(Values::from) }
    }

    #[test]
    fn a_change_repeats_another_where_it_does_some_of_the_same() {
        let rejected =
            update(None, vec![("mail", replace(Some("a"), None)), ("sn", replace(Some("a"), Some("b")))]);
        for (name, edit, repeats) in [
            ("sn", replace(Some("other"), Some("b")), true),
            ("sn", replace(Some("a"), Some("c")), false),
            ("sn", replace(Some("a"), None), false),
            ("mail", replace(Some("c"), None), true),
            ("title", replace(None, Some("b")), false),
        ] {
            let more = ("phone", replace(None, Some("1")));
            let again = update(None, vec![(name, edit), more]);
            assert_eq!(again.repeats(&rejected), repeats, "{again:?}");
        }
    }

    #[test]
    fn places_sets_and_whole_objects_are_repeated_too() {
        let set = |add: &[&str], remove: &[&str]| {
            let values = |texts: &[&str]| texts.iter().map(Value::reference).collect();
            let edit = Edit::Set { add: values(add), remove: values(remove), shared: false };
            update(None, vec![("member", edit)])
        };
        assert!(set(&["cn=a", "cn=b"], &[]).repeats(&set(&["cn=b"], &["cn=c"])));
        assert!(!set(&["cn=a"], &["cn=b"]).repeats(&set(&["cn=b"], &["cn=a"])));
        assert!(set(&["mesh:1"], &[]).repeats(&set(&["cn=b"], &[])), "nobody knows yet who that is");
        let to = |place| update(Some(place), vec![]);
        assert!(to("ou=a").repeats(&to("ou=a")) && !to("ou=a").repeats(&to("ou=b")));
        assert!(!update(None, vec![]).repeats(&update(None, vec![])));
        let create = |mail: &str| ItemAction::Create {
            attributes: std::iter::once((Name::literal("mail"), mail.into())).collect(),
            create_container: false,
        };
        assert!(create("a").repeats(&create("b")) && !create("a").repeats(&to("ou=a")));
        let delete = ItemAction::Delete { space: SpaceId(2) };
        assert!(delete.repeats(&ItemAction::Delete { space: SpaceId(3) }) && !delete.repeats(&create("a")));
    }

    proptest::proptest! {
        #[test]
        fn a_difference_leads_from_one_set_to_the_other(
            old: std::collections::BTreeSet<u8>, new: std::collections::BTreeSet<u8>,
        ) {
            let sorted = |set: &std::collections::BTreeSet<u8>| set.iter().copied().collect::<Vec<_>>();
            let (added, removed) = set_difference(&sorted(&old), &sorted(&new));
            proptest::prop_assert_eq!(added, new.difference(&old).copied().collect::<Vec<_>>());
            proptest::prop_assert_eq!(removed, old.difference(&new).copied().collect::<Vec<_>>());
        }
    }
}
