//! Synchronization as a pure function: from state and rules to a plan.
//!
//! Ring 0. [`Planner`] joins, lets attributes flow, and projects, for one bounded part of the state at a time; it asks
//! for neighbours in bulk through [`Neighbours`] and knows no store, clock, network or thread. The same state and
//! rules give the same plan. A bad object is a finding, never an error. The rules it follows are the product's
//! *sync semantics*; `docs/sync-semantics.md` is them in prose.

pub mod absence;
pub mod export;
pub mod guard;
pub mod joins;
pub mod key;
mod likeness;
pub mod retry;
pub mod rules;
pub mod stage;
mod sync;
pub mod undo;

/// Why values are as they are.
pub mod explain {
    pub use crate::sync::explain::{Contribution, explain};
}

/// Why something is sent, leaves or stays.
pub mod reasons {
    pub use crate::sync::reasons::{Holder, InScope, TargetLeave, grace_end, holders, leaving, scopes};
}

/// Recorded inputs once more.
pub mod replay {
    pub use crate::sync::replay::{Replayed, replay};
}

pub use sync::{
    Asking, Carried, Neighbours, Orders, Outcome, PlanContext, Planner, Referred, Seeds, SetTrace, names_of,
};
