//! Carrying out one bounded part of a sync's plan.

use identitymesh_model::plan::Plan;
use identitymesh_model::{ConnectorId, ContentHash, Finding, MeshId, RunId, Timestamp};

use crate::audit::ChangeRow;
use crate::{Counters, Cursor, Todo};

/// Who does something, in which run, and when. Every write names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The run.
    pub run: RunId,
    /// Who started it.
    pub actor: String,
    /// When it was decided.
    pub at: Timestamp,
}

/// A part of a plan with everything that has to be true together, written in one transaction.
#[derive(Clone, Debug)]
pub struct SyncBatch {
    /// The run and who started it.
    pub cause: Cause,
    /// What to change. Wakes become entries of the to-do list.
    pub plan: Plan,
    /// One audit row for each object of the plan whose mesh object changes, in the plan's order.
    pub rows: Vec<ChangeRow>,
    /// Audit rows of who let this happen, written before the others; none where the rules alone decide.
    pub approvals: Vec<ChangeRow>,
    /// Up to where the pending objects of a connector are done.
    pub cursor: Option<(ConnectorId, Cursor)>,
    /// Entries of the to-do list that are done.
    pub done: Vec<Todo>,
    /// What to remember of mesh objects with large sets of references.
    pub traces: Vec<TraceWrite>,
    /// What was wrong with single objects.
    pub findings: Vec<Finding>,
    /// What the run has counted up to here.
    pub counters: Counters,
}

/// What to remember of one mesh object with large sets of references.
///
/// From the first of these on the store takes down which edges of the object changed, which began or ceased to lead
/// somewhere, and which members have another address. An object that is new here is put on the to-do list: what
/// happened while it was looked at was not taken down yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceWrite {
    /// The mesh object.
    pub mesh: MeshId,
    /// The version of the configuration under which it was looked at.
    pub rules: i64,
    /// The circumstances under which its sets were looked at; `None` when they have to be looked at as a whole again.
    pub shape: Option<ContentHash>,
    /// The newest entry that was taken in; it and those before it are forgotten.
    pub upto: i64,
}

/// What became of a part of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReceipt {
    /// How many entries the to-do list gained.
    pub woken: u64,
}
