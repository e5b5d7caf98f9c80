//! One connector's file: head, settings, limits, rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::inbound::{CreateRule, FlowRule, ScopeRule, SourceLeaveRule};
use super::join::JoinRule;
use super::limits::Limits;
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
