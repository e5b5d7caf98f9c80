//! The vocabulary that every other crate speaks: values, objects, schemas, rules and plans.
//!
//! Ring 0. Everything here is data and pure functions over data: no input or output, no clock, no randomness.

mod bounded;
pub mod canonical;
mod coverage;
pub mod dn;
mod finding;
mod hash;
mod history;
mod id;
pub mod joins;
mod name;
mod object;
pub mod plan;
mod provenance;
mod record;
pub mod rules;
mod schema;
mod span;
mod time;
mod value;

pub use bounded::{bounded, is_cut};
pub use coverage::Coverage;
pub use finding::Finding;
pub use hash::{ContentHash, hex, sha256, sha256_parts};
pub use history::{PastLink, SpaceBefore, SpaceRest};
pub use id::{
    ConnectorId, CountingIds, DecisionId, HoldId, IdSource, ItemId, MeshId, RuleId, RunId, SpaceId, Uid,
};
pub use name::{NAME_BYTES_MAX, NAME_COUNT_MAX, Name, NameError};
pub use object::{ATTRIBUTE_COUNT_MAX, Object};
pub use provenance::{Origin, Origins, Provenance};
pub use record::{
    FormerLink, ItemRecord, LeaveRecord, Link, LinkMode, MeshCard, MeshRecord, MeshState, MeshView, Ruling,
    SpaceRecord, Trace,
};
pub use schema::{AttributeSchema, AttributeType, ObjectSchema, Schema, UnknownType, ValueType};
pub use span::{Span, SpanError};
pub use time::{Clock, ManualClock, Timestamp, TimestampError};
pub use value::{Text, VALUE_BYTES_MAX, VALUE_COUNT_MAX, Value, Values};
