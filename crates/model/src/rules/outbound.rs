//! Rules from the mesh to a target: projection and its attributes.

use serde::{Deserialize, Serialize};

use super::inbound::Missing;
use super::password::PasswordRule;
use super::switch::{is_false, is_true, yes};
use crate::{Name, Span, Value};

/// Which mesh objects a target holds, as what, where, and what happens to them when they leave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectionRule {
    /// The rule's name; one is made from its content when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which mesh objects.
    pub mesh_type: Name,
    /// What they are in the target.
    pub object_type: Name,
    /// A mesh object is in scope where this holds; every one when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// For a tree: the expression that gives the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// For a tree: the target attribute that names the object within its container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rdn: Option<Name>,
    /// Missing containers are created first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub create_container: bool,
    /// Objects that are not there are created.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub create: bool,
    /// Objects that are there are updated.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub update: bool,
    /// Objects that this product did not create may be deleted by the leave policy too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub owns_existing: bool,
    /// Among several rules for one object and target the lowest number applies.
    #[serde(default)]
    pub priority: i32,
    /// What happens when an object leaves the scope, in order of time. Empty: it is kept as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leave: Vec<LeaveStep>,
    /// How this target shows that an object is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable: Option<DisableBy>,
    /// New objects get a password that is made when they are sent, and is kept nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordRule>,
    /// The attributes.
    #[serde(rename = "attribute", default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<ProjectionAttribute>,
}

/// One step of a leave policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaveStep {
    /// How long after leaving.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub after: Span,
    /// What to do then.
    #[serde(rename = "do")]
    pub action: LeaveAction,
    /// For `move`: the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// For `delete`: it waits while any of these sources says that the person is active, or nobody can be sure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unless_active: Vec<ActiveIn>,
}

/// How a source says that somebody is active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActiveIn {
    /// The source.
    pub connector: Name,
    /// Its objects that say so.
    pub object_type: Name,
    /// An object says so where this holds; every one does when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// What a leave step does to the target's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveAction {
    /// Leaves it alone.
    Keep,
    /// Disables it.
    Disable,
    /// Moves it to a container.
    Move,
    /// Deletes it.
    Delete,
}

/// The attribute by which a target shows that an object is disabled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DisableBy {
    /// The target attribute.
    pub attribute: Name,
    /// Its value while the object is disabled.
    pub disabled: Value,
    /// Its value while the object is enabled; absent when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<Value>,
}

/// A mesh attribute, or an expression over the mesh object, that flows into a target attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectionAttribute {
    /// The target attribute.
    pub target: Name,
    /// The mesh attribute, for a plain copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Name>,
    /// The expression, in place of `source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Sent only where this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// When it is sent.
    #[serde(default)]
    pub mode: ProjectionMode,
    /// What happens when somebody else changes it in the target.
    #[serde(default)]
    pub drift: DriftPolicy,
    /// What an absent input means.
    #[serde(default)]
    pub missing: Missing,
    /// A value that disappears from the mesh stays in the target.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keep_when_absent: bool,
}

/// When a projected attribute is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectionMode {
    /// Whenever it differs.
    #[default]
    Always,
    /// With the creation of the object, and never again.
    CreateOnly,
    /// While the target has no value.
    IfEmpty,
}

/// What happens when somebody else changed a value that we had written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftPolicy {
    /// It is written again, once for each foreign change.
    #[default]
    Reassert,
    /// It stays, and flows inbound where a flow rule takes it.
    Accept,
    /// It stays and is reported.
    Report,
}
