//! What a plan sends to a target for one mesh object.

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
    /// What it holds as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Values>,
    /// What it shall hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Values>,
}

impl ItemChange {
    /// For sets: values to add and values to remove. `None` when either side is a single value.
    #[must_use]
    pub fn added_and_removed(&self) -> Option<(Vec<Value>, Vec<Value>)> {
        let side = |values: &Option<Values>| match values {
            None => Some(Vec::new()),
            Some(Values::Set(values)) => Some(values.clone()),
            Some(Values::One(_)) => None,
        };
        let (old, new) = (side(&self.old)?, side(&self.new)?);
        let added = new.iter().filter(|value| old.binary_search(value).is_err()).cloned().collect();
        let removed = old.into_iter().filter(|value| new.binary_search(value).is_err()).collect();
        Some((added, removed))
    }
}

/// How references to mesh objects are marked inside an item.
pub(crate) const MESH_REFERENCE: &str = "mesh:";

impl ItemAction {
    /// A reference to a mesh object whose address in the target is not known yet.
    #[must_use]
    pub fn pending_reference(uid: &str) -> Value {
        Value::Reference(Text::from(format!("{MESH_REFERENCE}{uid}")))
    }

    /// The public id in a reference made by [`ItemAction::pending_reference`].
    #[must_use]
    pub fn pending_uid(value: &Value) -> Option<&str> {
        match value {
            Value::Reference(key) => key.strip_prefix(MESH_REFERENCE),
            _ => None,
        }
    }
}
