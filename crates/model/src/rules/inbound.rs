//! Rules from a management space to the mesh: scope, create, flow, leave.

use serde::{Deserialize, Serialize};

use super::switch::{is_false, yes};
use crate::{Name, Span};

/// Which objects of a type a connector looks at; the others are ignored and said to be out of scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScopeRule {
    /// The object type.
    pub object_type: Name,
    /// An object is in scope where this holds.
    pub when: String,
}

/// What becomes a new mesh object when no join rule finds one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreateRule {
    /// The rule's name; one is made from its content when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The object type that may create.
    pub object_type: Name,
    /// What it creates.
    pub mesh_type: Name,
    /// The source attribute, or an expression over the source object, that gives the anchor.
    pub anchor: String,
    /// Creates only where this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// A connector attribute that flows into a mesh attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowRule {
    /// The rule's name; one is made from its content when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The source object type.
    pub object_type: Name,
    /// Only for mesh objects of this type; any when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mesh_type: Option<Name>,
    /// The source attribute. May be left out when `transform` says everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Name>,
    /// The mesh attribute.
    pub target: Name,
    /// An expression over the source object, in place of the plain value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<String>,
    /// Contributes only where this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// 0 to 100; the highest wins.
    pub confidence: u8,
    /// Among equal confidences the lowest number wins.
    #[serde(default)]
    pub priority: i32,
    /// What an absent input means.
    #[serde(default)]
    pub missing: Missing,
    /// When nothing is contributed any more, the value that this rule gave stays.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keep_last: bool,
    /// The empty text counts as absent. Said or not, files and SQL text treat it so while importing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub empty_is_absent: bool,
}

/// What happens when an attribute that an expression reads plainly is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The rule contributes nothing.
    #[default]
    Skip,
    /// The expression is evaluated and copes with `null` itself.
    Evaluate,
    /// The rule contributes nothing and a finding says so.
    Finding,
    /// The whole object is left as it is, with a finding.
    FailObject,
}

/// What the loss of a source object means for its mesh object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceLeaveRule {
    /// The source object type.
    pub object_type: Name,
    /// What happens to the mesh object.
    pub mesh_object: SourceLeave,
    /// With `delete_when_authoritative_gone`: the connectors that count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authoritative: Vec<Name>,
    /// How long a returning source object still finds the same mesh object.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub grace: Span,
    /// Switches the rule off without removing it.
    #[serde(default = "yes", skip_serializing_if = "super::switch::is_true")]
    pub enabled: bool,
}

/// The fate of a mesh object that lost a source object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceLeave {
    /// Nothing: others hold it, or it stays without a source.
    #[default]
    Nothing,
    /// Deleted when the lost object was the last source. Objects in targets do not count as sources.
    DeleteWhenLast,
    /// Deleted when none of the named connectors holds it any more.
    DeleteWhenAuthoritativeGone,
}
