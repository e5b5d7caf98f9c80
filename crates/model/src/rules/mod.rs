//! The configuration of a mesh as data: types, connectors and their rules.
//!
//! These are the shapes of configuration as code (interfaces, *Configuration as code*), after reading and before
//! checking: expressions are still text. Reading files, reporting unknown keys and checking belong to `config`;
//! making rules executable belongs to `engine`.

mod configuration;
mod connector;
mod inbound;
mod join;
mod limits;
mod mesh;
mod outbound;
mod password;
mod switch;

pub use configuration::Configuration;
pub use connector::{ConnectorConfig, ConnectorHead, SettingValue};
pub use inbound::{CreateRule, FlowRule, Missing, ScopeRule, SourceLeave, SourceLeaveRule};
pub use join::{
    BlockKey, BlockPart, Comparator, FuzzyBlock, FuzzyCompare, FuzzyJoin, JoinPair, JoinRule, MatchKind,
};
pub use limits::{HoldClass, Limit, Limits, LimitsWithin};
pub use mesh::{ComputedRule, MergePolicy, MeshAttribute, MeshConfig, MeshType};
pub use outbound::{
    ActiveIn, DisableBy, DriftPolicy, LeaveAction, LeaveStep, ProjectionAttribute, ProjectionMode,
    ProjectionRule,
};
pub use password::{CharacterClass, PasswordRule, SealedFile};
