//! Decisions about joins as a store keeps them.

use identitymesh_model::joins::JoinDecision;
use identitymesh_model::{DecisionId, RunId, Timestamp};
use serde::Serialize;

use crate::SyncBatch;

/// A decision with the part of a plan that carries it out, written in one transaction.
#[derive(Clone, Debug)]
pub struct JoinBatch {
    /// What follows from it at once.
    pub sync: SyncBatch,
    /// What was decided.
    pub decision: JoinDecision,
    /// Why. Not empty.
    pub reason: String,
    /// The decision that it takes back.
    pub reverts: Option<DecisionId>,
}

/// A decision as stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JoinDecisionRow {
    /// Its number.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// The run that carried it out.
    pub run: RunId,
    /// Why.
    pub reason: String,
    /// The decision that it takes back.
    pub reverts: Option<DecisionId>,
    /// The decision that took it back.
    pub reverted_by: Option<DecisionId>,
    /// What was decided.
    pub decision: JoinDecision,
}
