//! One connector's file: head, settings, limits, rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::inbound::{CreateRule, FlowRule, JoinRule, ScopeRule, SourceLeaveRule};
use super::outbound::ProjectionRule;
use crate::Name;

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

/// Limits on what one run may change (sync semantics, section 8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Deletes inferred or reported by an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_delete: Option<Limit>,
    /// Queued creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<Limit>,
    /// Queued updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Limit>,
    /// Queued disables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable: Option<Limit>,
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
}
