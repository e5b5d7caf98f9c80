//! What a plan sends to a target for one mesh object.

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
pub(super) fn set_difference(old: &[Value], new: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let added = new.iter().filter(|value| old.binary_search(value).is_err()).cloned().collect();
    let removed = old.iter().filter(|value| new.binary_search(value).is_err()).cloned().collect();
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

fn pending(value: &Value) -> Option<(&str, &str)> {
    let Value::Reference(key) = value else { return None };
    let called = key.strip_prefix(MESH_REFERENCE)?;
    Some(called.split_once(" by ").unwrap_or((called, "")))
}
