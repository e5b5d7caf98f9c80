//! The configuration of a mesh as data: types, connectors and their rules.
//!
//! These are the shapes of configuration as code (interfaces, *Configuration as code*), after reading and before
//! checking: expressions are still text. Reading files, reporting unknown keys and checking belong to `config`;
//! making rules executable belongs to `engine`.

mod connector;
mod inbound;
mod mesh;
mod outbound;

pub use connector::{ConnectorConfig, ConnectorHead, Limit, Limits, SettingValue};
pub use inbound::{
    CreateRule, FlowRule, JoinPair, JoinRule, MatchKind, Missing, ScopeRule, SourceLeave, SourceLeaveRule,
};
pub use mesh::{ComputedRule, MergePolicy, MeshAttribute, MeshConfig, MeshType};
pub use outbound::{
    DisableBy, DriftPolicy, LeaveAction, LeaveStep, ProjectionAttribute, ProjectionMode, ProjectionRule,
};

/// Everything that decides how a mesh behaves, apart from process settings.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Configuration {
    /// What the mesh itself holds.
    pub mesh: MeshConfig,
    /// The connectors, ordered by name.
    pub connectors: Vec<ConnectorConfig>,
}

impl Configuration {
    /// One connector by name.
    #[must_use]
    pub fn connector(&self, name: crate::Name) -> Option<&ConnectorConfig> {
        self.connectors.iter().find(|connector| connector.connector.name == name)
    }
}

/// Default of a switch that is on unless said otherwise.
const fn yes() -> bool {
    true
}

/// Whether a switch has its value of "off", which need not be written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
const fn is_false(switch: &bool) -> bool {
    !*switch
}

/// Whether a switch has its value of "on", which need not be written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
const fn is_true(switch: &bool) -> bool {
    *switch
}
