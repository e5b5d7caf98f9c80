//! Carrying out a stored plan: exactly its changes, without those that are not as they were when it was made.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use identitymesh_model::plan::{IndexKey, MeshChange, ObjectPlan, Plan, SpacePlan, Wake};
use identitymesh_model::{Finding, MeshId, Text, Uid};
use identitymesh_store::audit::{ChangeKind, ChangeRow};
use identitymesh_store::{Cause, Reader, SyncBatch};

use super::basis::{PlanPart, bases};
use super::file::StoredPlan;
use crate::run::{Run, RunReport, Steps};
use crate::sync::{MeshIds, count, rows};
use crate::{Mesh, RunError};

/// The index of anchors in lower case.
const ANCHOR_INDEX: i64 = 0;

/// Carries out a plan for a reason: puts the configuration in force that it brings, if it brings one, in one
/// transaction, then makes its changes part by part. The audit keeps the reason with the plan's hash for each mesh object
/// that is changed. What was left out is counted as `left_out`, each with a finding that says why.
///
/// # Errors
/// When no reason is given, when another configuration is in force than the plan was made under, when its file or the store cannot be read, or
/// when the run is cancelled; parts carried out before are kept.
pub async fn apply_plan(mesh: &Mesh, plan: StoredPlan, reason: &str) -> Result<RunReport, RunError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(RunError::NoReason);
    }
    let parts = plan.parts()?;
    let did = put_in_force(mesh, &plan)?;
    let mut run = Run::begin(mesh, Steps::ApplyPlan, None)?;
    run.message = Some(format!("{did}carried out the plan {}: {reason}", plan.head.hash));
    let approval = serde_json::json!({ "plan": plan.head.hash, "reason": reason }).to_string();
    let work = move || {
        let mut work = Applying {
            run,
            approval,
            ids: MeshIds::default(),
            numbers: HashMap::new(),
            done: HashSet::new(),
            left: HashSet::new(),
            missing: Vec::new(),
        };
        let result = parts.into_iter().try_for_each(|part| work.part(part?));
        work.run.end(result)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| RunError::Worker)?
}

/// Puts the configuration in force that the plan brings, unless that was done before the process ended; says what was
/// done. Nothing else may be in force than what the plan was made from.
fn put_in_force(mesh: &Mesh, plan: &StoredPlan) -> Result<String, RunError> {
    let now = mesh.in_force().map_or(0, |in_force| in_force.version);
    let (hash, made) = (plan.head.hash.clone(), plan.head.configuration);
    match &plan.brings {
        None if now == made => Ok(String::new()),
        None => Err(RunError::OtherConfiguration { hash, made, now }),
        Some(brings) if brings.is_in_force(mesh)? => Ok(String::new()),
        Some(brings) if now == brings.base => {
            brings.put_in_force(mesh)?;
            Ok(format!("put version {made} of the configuration in force and "))
        }
        Some(brings) => Err(RunError::ComparedWithOther { hash, base: brings.base, now }),
    }
}

struct Applying {
    run: Run,
    /// Which plan, and why, for the audit.
    approval: String,
    ids: MeshIds,
    /// New mesh objects get the next free numbers: those of the plan may have been given to others since.
    numbers: HashMap<MeshId, MeshId>,
    /// Mesh objects of which an earlier part of this plan was carried out.
    done: HashSet<MeshId>,
    /// Mesh objects of which an earlier part was left out.
    left: HashSet<MeshId>,
    /// Public ids of new mesh objects that were left out: nobody may refer to them.
    missing: Vec<Uid>,
}

impl Applying {
    fn part(&mut self, part: PlanPart) -> Result<(), RunError> {
        self.run.mesh.check_cancelled()?;
        let (store, cause) = (Arc::clone(&self.run.mesh.store), self.run.cause());
        let PlanPart { mut plan, bases: made } = part;
        self.renumber(&mut plan)?;
        let mut reader = store.read()?;
        let now = bases(reader.as_mut(), &plan)?;
        let mut reasons: Vec<Option<String>> = Vec::with_capacity(plan.objects.len());
        for (object, (made, now)) in plan.objects.iter().zip(made.objects.iter().zip(&now.objects)) {
            let reason = if self.left.contains(&object.id) {
                Some("an earlier change of it was left out".to_owned())
            } else if made != now && !self.done.contains(&object.id) {
                Some(
                    "it, its objects, its queue or a name that it takes changed since the plan was made"
                        .to_owned(),
                )
            } else {
                taken(reader.as_mut(), object)?
            };
            self.missing.extend(reason.as_ref().and(new_uid(object)));
            reasons.push(reason);
        }
        drop(reader);
        self.leave_out_referrers(&plan.objects, &mut reasons);
        let mut findings = Vec::new();
        let mut kept = Vec::with_capacity(plan.objects.len());
        for (object, reason) in plan.objects.into_iter().zip(reasons) {
            match reason {
                None => {
                    self.done.insert(object.id);
                    kept.push(object);
                }
                Some(reason) => {
                    self.left.insert(object.id);
                    findings.push(left_out(&object, &reason));
                }
            }
        }
        let spaces: Vec<SpacePlan> = plan
            .spaces
            .into_iter()
            .zip(made.spaces.iter().zip(&now.spaces))
            .filter_map(|(space, (made, now))| (made == now).then_some(space))
            .collect();
        let is_there = |id: &MeshId| !self.left.contains(id) || self.done.contains(id);
        let wakes = plan.wakes.into_iter().filter(|wake| match wake {
            Wake::Mesh { id, .. } | Wake::Holders { id } => is_there(id),
            Wake::Address { owner, .. } => is_there(owner),
            Wake::Waiting { .. } | Wake::Referrers { .. } => true,
        });
        let plan = Plan { objects: kept, spaces, wakes: wakes.collect() };
        self.run.count("applied", plan.objects.len() as u64);
        self.run.count("left_out", findings.len() as u64);
        count(&mut self.run, &plan);
        let findings = self.run.findings(findings);
        let (rows, approvals) = (rows(&plan, &cause), self.approvals(&plan, &cause));
        let (done, traces, counters) = (Vec::new(), Vec::new(), self.run.counters.clone());
        let batch =
            SyncBatch { cause, plan, rows, approvals, cursor: None, done, traces, findings, counters };
        store.apply(batch).wait()?;
        Ok(())
    }

    /// One row for each mesh object that is changed because somebody let the plan be carried out.
    fn approvals(&self, plan: &Plan, cause: &Cause) -> Vec<ChangeRow> {
        let row = |object: &ObjectPlan| {
            let (told, kind) = (self.approval.clone(), ChangeKind::Plan);
            ChangeRow::new(object.id, object.uid, cause.run, cause.at, &cause.actor, kind, None, told, None)
        };
        plan.objects.iter().map(row).collect()
    }

    fn renumber(&mut self, plan: &mut Plan) -> Result<(), RunError> {
        let store = Arc::clone(&self.run.mesh.store);
        for object in &plan.objects {
            if matches!(object.change, Some(MeshChange::Create { .. })) {
                let id = self.ids.take(store.as_ref())?;
                self.numbers.insert(object.id, id);
            }
        }
        let numbers = &self.numbers;
        let change = |id: &mut MeshId| *id = numbers.get(id).copied().unwrap_or(*id);
        plan.objects.iter_mut().for_each(|object| change(&mut object.id));
        plan.spaces
            .iter_mut()
            .filter_map(|space| space.note.as_mut())
            .for_each(|note| note.candidates.iter_mut().for_each(change));
        plan.wakes.iter_mut().for_each(|wake| match wake {
            Wake::Mesh { id, .. } | Wake::Holders { id } => change(id),
            Wake::Address { owner, .. } => change(owner),
            Wake::Waiting { .. } | Wake::Referrers { .. } => {}
        });
        Ok(())
    }

    /// Whoever refers to a new object that was left out is left out too, however long the chain.
    fn leave_out_referrers(&mut self, objects: &[ObjectPlan], reasons: &mut [Option<String>]) {
        let mut looked_for = 0;
        while looked_for < self.missing.len() {
            let wanted: Vec<String> = self.missing[looked_for..].iter().map(Uid::to_string).collect();
            looked_for = self.missing.len();
            for (object, reason) in
                objects.iter().zip(reasons.iter_mut()).filter(|(_, reason)| reason.is_none())
            {
                let text = serde_json::to_string(object).expect("a plan is JSON");
                if wanted.iter().any(|uid| text.contains(uid.as_str())) {
                    *reason = Some("it refers to a new object that was left out".to_owned());
                    self.missing.extend(new_uid(object));
                }
            }
        }
    }
}

/// The public id of an object that the plan would make.
fn new_uid(object: &ObjectPlan) -> Option<Uid> {
    matches!(object.change, Some(MeshChange::Create { .. })).then_some(object.uid)
}

/// Whether somebody else has the anchor by now.
fn taken(reader: &mut dyn Reader, object: &ObjectPlan) -> Result<Option<String>, RunError> {
    if new_uid(object).is_some() {
        let key = IndexKey { index: ANCHOR_INDEX, key: Text::from(object.anchor.to_lowercase()) };
        if reader.candidates(&[key])?.iter().any(|found| !found.is_empty()) {
            return Ok(Some(format!("the anchor {} was given to another object", object.anchor)));
        }
    }
    Ok(None)
}

fn left_out(object: &ObjectPlan, reason: &str) -> Finding {
    let mut finding = Finding::new("RUN-014", format!("left out of the plan: {reason}"));
    finding.mesh = Some(object.id);
    finding.subject = Some(format!("{} {}", object.mesh_type, object.anchor));
    finding
}
