//! Joins that people look at and decide: what a decision changes, why a candidate scores as it does, how good a rule is.
//!
//! A decision is built here from what is there, refused where it would contradict itself, and carried out by
//! [`crate::Planner::carry_out`] as a part of a plan like any other: what follows for values and exports comes from the
//! same stages as in a sync.

mod decide;
mod explain;
mod measure;
mod reconsider;
mod reevaluate;

pub use decide::{Around, Refusal, anchor_key_of, anchor_of, link, merge, never, revert, split};
pub use explain::{CandidateScore, PartScore, score_candidates};
pub use measure::{Labelled, Measured, Outcome as PairOutcome, PairScore, join_rules, measure};
pub use reconsider::{Fate, Found, Reconsidered, Whose};
pub use reevaluate::{Asked, Reevaluation, reevaluate};
