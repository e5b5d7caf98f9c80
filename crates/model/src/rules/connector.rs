//! One connector's file: head, settings, limits, rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::inbound::{CreateRule, FlowRule, JoinRule, ScopeRule, SourceLeaveRule};
use super::outbound::ProjectionRule;
use crate::Name;
use crate::plan::Operation;

/// A setting as written: what TOML and JSON have in common.
pub type SettingValue = serde_json::Value;

/// One connector with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectorConfig {
    /// Name, type, settings, limits.
    pub connector: ConnectorHead,
    /// Which of its objects count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<ScopeRule>,
    /// Join rules in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub join: Vec<JoinRule>,
    /// Create rules in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub create: Vec<CreateRule>,
    /// Inbound flow rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flow: Vec<FlowRule>,
    /// What the loss of a source object means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leave: Vec<SourceLeaveRule>,
    /// Projection rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projection: Vec<ProjectionRule>,
}

/// The head of a connector's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectorHead {
    /// The name, unique in the mesh.
    pub name: Name,
    /// The connector type: `csv`, `ldap`, `sqlite`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Among equal confidences and rule priorities the lowest number wins.
    #[serde(default)]
    pub priority: i32,
    /// A disabled connector is not run; what it contributed stays.
    #[serde(default = "super::switch::yes", skip_serializing_if = "super::switch::is_true")]
    pub enabled: bool,
    /// The type's own settings, checked against its schema.
    #[serde(default)]
    pub settings: BTreeMap<String, SettingValue>,
    /// Limits of the mass-change guard; defaults apply where nothing is said.
    #[serde(default, skip_serializing_if = "Limits::is_default")]
    pub limits: Limits,
}

/// Limits on what one run may change (sync semantics, section 8). Each counts for one object type at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Deletes inferred by a full import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_delete: Option<Limit>,
    /// Queued creates. The first load of an empty connector is exempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<Limit>,
    /// Queued updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Limit>,
    /// Queued renames and moves.
    #[serde(default, rename = "move", skip_serializing_if = "Option::is_none")]
    pub moves: Option<Limit>,
    /// Queued disables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable: Option<Limit>,
    /// Queued enables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable: Option<Limit>,
    /// Queued deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<Limit>,
}

impl Limits {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What applies to queued changes of one kind; `None` where nothing limits them.
    #[must_use]
    pub fn of(&self, operation: Operation) -> Option<Limit> {
        match operation {
            Operation::Create => self.create,
            Operation::Update => self.update,
            Operation::Move => self.moves,
            Operation::Enable => self.enable,
            // Nobody has to think of these two to be safe.
            Operation::Disable => Some(self.disable.unwrap_or(Limit::DEFAULT)),
            Operation::Delete => Some(self.delete.unwrap_or(Limit::DEFAULT)),
        }
    }

    /// Every limit that is written down, by its key.
    #[must_use]
    pub fn written(&self) -> Vec<(&'static str, Limit)> {
        let Self { import_delete, create, update, moves, disable, enable, delete } = self;
        let all = [
            ("import_delete", import_delete),
            ("create", create),
            ("update", update),
            ("move", moves),
            ("disable", disable),
            ("enable", enable),
            ("delete", delete),
        ];
        all.into_iter().filter_map(|(key, limit)| Some((key, (*limit)?))).collect()
    }
}

/// One limit: whichever of the two is smaller, never below ten objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Percent of the population.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl Limit {
    /// Fewer objects than this are always allowed: a limit below would stop small systems for nothing.
    pub const FLOOR: u64 = 10;
    /// What applies to deletes and disables where nothing is said.
    pub const DEFAULT: Self = Self { percent: Some(10), count: Some(500) };

    /// How many objects of a population of `population` may change.
    #[must_use]
    pub fn allowed(self, population: u64) -> u64 {
        let by_percent = self.percent.map(|percent| population.saturating_mul(u64::from(percent)) / 100);
        let by_either = match (by_percent, self.count) {
            (Some(percent), Some(count)) => percent.min(count),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => u64::MAX,
        };
        by_either.max(Self::FLOOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_of_percent_and_count_counts_but_never_below_ten() {
        assert_eq!(Limit::DEFAULT.allowed(1_000), 100);
        assert_eq!(Limit::DEFAULT.allowed(1_000_000), 500);
        assert_eq!(Limit::DEFAULT.allowed(50), 10);
        assert_eq!(Limit { percent: None, count: None }.allowed(5), u64::MAX);
        assert_eq!(Limit { percent: None, count: Some(3) }.allowed(5), 10);
    }

    #[test]
    fn only_deletes_and_disables_are_limited_where_nothing_is_said() {
        let limits = Limits::default();
        let limited: Vec<Operation> =
            Operation::ALL.into_iter().filter(|operation| limits.of(*operation).is_some()).collect();
        assert_eq!(limited, [Operation::Disable, Operation::Delete]);
        let mut limits = Limits { moves: Some(Limit { percent: Some(1), count: None }), ..limits };
        assert_eq!(limits.of(Operation::Move), limits.moves);
        // An empty table switches a default off, in so many words.
        limits.delete = Some(Limit { percent: None, count: None });
        assert_eq!(limits.of(Operation::Delete).map(|limit| limit.allowed(1)), Some(u64::MAX));
        assert_eq!(limits.written().iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["move", "delete"]);
    }
}
