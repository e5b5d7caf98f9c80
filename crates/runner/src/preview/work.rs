//! Asking what would happen.

use std::collections::BTreeMap;
use std::sync::Arc;

use identitymesh_model::{Finding, MeshId};
use identitymesh_store::{HoldRow, ReadOnly};

use super::groups::Group;
use super::profile::{PlannedRun, carry_out};
use super::watch::{PartSink, Watch};
use crate::guard::{Flow, foresee};
use crate::sync::sync_objects;
use crate::{
    JoinAsk, LinkScope, Mesh, RunError, RunReport, Silent, SyncScope, decide_join, reevaluate_joins, sync,
};

/// A mesh over a copy of the store, and the real store to look at.
pub struct Sandbox {
    /// Over the copy. A configuration that is not in force yet is put in force here.
    pub copy: Mesh,
    /// What was copied.
    pub real: ReadOnly,
}

/// What to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// What these syncs would do, one after the other.
    Syncs(Vec<SyncScope>),
    /// What would become of these mesh objects if they were looked at now.
    Objects(Vec<MeshId>),
    /// What would follow from this decision about joins, made for this reason.
    Decision(JoinAsk, String),
    /// What would follow if these links were evaluated again for this reason.
    Reevaluation(LinkScope, String),
    /// What this run would do, from what it imports to what would be sent first.
    Run(PlannedRun),
}

/// What would happen.
#[derive(Debug)]
pub struct Foreseen<S> {
    /// What became of the imports, for a run that has some: counts, state, and what the guard held.
    pub imports: Vec<RunReport>,
    /// The counts of the syncs, as their runs would give them.
    pub counts: BTreeMap<String, u64>,
    /// All changes, grouped.
    pub groups: Vec<Group>,
    /// What the next exports would do with the queues as they would be then.
    pub flows: Vec<Flow>,
    /// Every hold that would be open then, the newest first.
    pub holds: Vec<HoldRow>,
    /// What would be wrong with single objects; the counts say how many there are.
    pub findings: Vec<Finding>,
    /// Whoever took the parts.
    pub sink: S,
}

/// Says what would happen, by letting it happen in the copy.
///
/// # Errors
/// When the copy fails or somebody cancels.
pub async fn preview<S: PartSink + 'static>(
    sandbox: &Sandbox,
    question: Question,
    sink: S,
) -> Result<Foreseen<S>, RunError> {
    let watch = Arc::new(Watch::new(sink));
    let mut copy = sandbox.copy.clone();
    copy.observer = watch.clone();
    let mut counts = BTreeMap::new();
    let (mut imports, mut reports) = (Vec::new(), Vec::new());
    copy.reads_only = true;
    let target = match &question {
        Question::Run(PlannedRun::Export(name)) => Some(*name),
        _ => None,
    };
    match question {
        Question::Syncs(scopes) => {
            for scope in scopes {
                reports.push(sync(&copy, scope).await?);
            }
        }
        Question::Objects(ids) => reports.push(sync_objects(&copy, ids).await?),
        Question::Run(run) => {
            let tried = carry_out(&copy, run).await?;
            (imports, reports) = (tried.imports, tried.syncs);
        }
        Question::Reevaluation(scope, reason) => {
            reports.push(reevaluate_joins(&copy, scope, reason).await?.report);
        }
        Question::Decision(ask, reason) => reports.push(decide_join(&copy, ask, reason).await?.report),
    }
    for (name, count) in reports.into_iter().flat_map(|report| report.counters) {
        *counts.entry(name).or_insert(0) += count;
    }
    copy.observer = Arc::new(Silent);
    let (mut flows, mut holds) = foresee(&copy)?;
    if let Some(name) = target {
        let id = copy.in_force()?.id(name)?;
        flows.retain(|flow| flow.connector == name);
        holds.retain(|hold| hold.connector == id);
    }
    let watched = Arc::into_inner(watch).ok_or(RunError::Worker)?.into_watched();
    let groups = watched.groups.into_list(copy.in_force()?.as_ref());
    Ok(Foreseen { imports, counts, groups, flows, holds, findings: watched.findings, sink: watched.sink })
}
