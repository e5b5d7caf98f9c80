//! Decisions about joins: built from what is there, carried out as a part of a sync, and worked off to the end.
//!
//! The decision, what follows from it at once, and what it says for good are one transaction. References, memberships and
//! whoever waits follow in the same run, as after any other part of a sync.

use std::collections::HashMap;

use identitymesh_engine::joins::{self, Around, Refusal};
use identitymesh_engine::{Carried, Orders, PlanContext};
use identitymesh_model::joins::{JoinDecision, Member};
use identitymesh_model::{DecisionId, Finding, MeshId, MeshState, MeshView, SpaceId, SpaceRecord, Text, Uid};
use identitymesh_store::{JoinBatch, Reader, SyncBatch};

use super::count::count;
use super::neighbours::StoreNeighbours;
use super::rows::rows;
use super::work::{Work, trace_write};
use crate::force::InForce;
use crate::run::{Run, RunReport, Steps};
use crate::{Mesh, RunError};

/// What a person wants decided about joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinAsk {
    /// The object belongs to the mesh object.
    Link(SpaceId, MeshId),
    /// The object does not belong to its mesh object, and no rule links the two again.
    Unlink(SpaceId),
    /// No rule may ever link the two.
    Never(SpaceId, MeshId),
    /// These objects of the mesh object become one of their own, with this anchor or the one that a create rule gives.
    Split(MeshId, Vec<SpaceId>, Option<Text>),
    /// The second goes into the first.
    Merge(MeshId, MeshId),
    /// An earlier decision is taken back.
    Revert(DecisionId),
}

/// A decision that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinDecided {
    /// Its number.
    pub id: DecisionId,
    /// What was decided.
    pub decision: JoinDecision,
    /// The run that carried it out.
    pub report: RunReport,
}

/// Decides about joins and carries it out.
///
/// # Errors
/// `RUN-019` when the decision is refused, in which case nothing changes; else when the store fails.
pub async fn decide_join(mesh: &Mesh, ask: JoinAsk, reason: String) -> Result<JoinDecided, RunError> {
    let in_force = mesh.in_force()?;
    let mesh = mesh.clone();
    let work = move || {
        let (decision, reverts) = Asked { mesh: &mesh, in_force: &in_force }.decision(&ask)?;
        let mut run = Run::begin(&mesh, Steps::JoinDecision, None)?;
        run.message = Some(format!("decided about joins ({}): {}", decision.kind.as_str(), reason.trim()));
        let mut work = Work::new(&in_force, run);
        let decided = work.decide(decision.clone(), reason, reverts, HashMap::new(), Vec::new());
        let drained = work.drain();
        let (id, result) = match (decided, drained) {
            (Ok(id), drained) => (Some(id), drained),
            (Err(error), _) => (None, Err(error)),
        };
        let report = work.run.end(result)?;
        let id = id.ok_or(RunError::Worker)?;
        Ok(JoinDecided { id, decision, report })
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| RunError::Worker)?
}

struct Asked<'a> {
    mesh: &'a Mesh,
    in_force: &'a InForce,
}

impl Asked<'_> {
    fn decision(&self, ask: &JoinAsk) -> Result<(JoinDecision, Option<DecisionId>), RunError> {
        let mut reader = self.mesh.store.read()?;
        let reader = reader.as_mut();
        let rules = &self.in_force.rules;
        let decision = match ask {
            JoinAsk::Link(space, mesh) => joins::link(&around(reader, *space)?, &view(reader, *mesh)?)?,
            JoinAsk::Never(space, mesh) => joins::never(&around(reader, *space)?, &view(reader, *mesh)?)?,
            JoinAsk::Unlink(space) => {
                let around = around(reader, *space)?;
                let mesh = around.mesh.clone().ok_or_else(|| {
                    Refusal(format!("{} has no mesh object to be taken from", around.space.external_id))
                })?;
                joins::never(&around, &mesh)?
            }
            JoinAsk::Split(mesh, spaces, anchor) => self.split(reader, *mesh, spaces, anchor.as_ref())?,
            JoinAsk::Merge(survivor, other) => {
                let (survivor, other) = (view(reader, *survivor)?, view(reader, *other)?);
                let linked: Vec<Member> = other.linked.iter().map(Member::of).collect();
                let linked = reader.rulings_of(&linked)?;
                let (on_other, on_survivor) =
                    (reader.rulings_on(other.record.uid)?, reader.rulings_on(survivor.record.uid)?);
                joins::merge(rules, &survivor, &other, &linked, &on_other, &on_survivor)?
            }
            JoinAsk::Revert(id) => {
                let row =
                    reader.decision(*id)?.ok_or_else(|| Refusal(format!("there is no decision {id}")))?;
                let mut now = Vec::new();
                for member in row.decision.members() {
                    now.push(match space_of(reader, member)? {
                        Some(space) => Some(around(reader, space.id)?),
                        None => None,
                    });
                }
                let ended = ended(reader, &row.decision)?;
                return Ok((joins::revert(rules, &row.decision, &now, &ended)?, Some(*id)));
            }
        };
        Ok((decision, None))
    }

    fn split(
        &self,
        reader: &mut dyn Reader,
        mesh: MeshId,
        spaces: &[SpaceId],
        anchor: Option<&Text>,
    ) -> Result<JoinDecision, RunError> {
        let from = view(reader, mesh)?;
        let members = spaces.iter().map(|id| around(reader, *id)).collect::<Result<Vec<_>, _>>()?;
        let (rules, now) = (&self.in_force.rules, self.mesh.clock.now());
        let mesh_type = from.record.mesh_type;
        let given = members.iter().find_map(|around| joins::anchor_of(rules, &around.space, mesh_type, now));
        let anchor = anchor.cloned().or(given).ok_or_else(|| {
            Refusal("no create rule gives these objects an anchor; name one with --anchor".to_owned())
        })?;
        let key = joins::anchor_key_of(rules, mesh_type, &anchor);
        let holders = reader.candidates(key.as_slice())?;
        if holders.iter().any(|holders| !holders.is_empty()) {
            let text =
                format!("the anchor {anchor} belongs to a {mesh_type} already; name another with --anchor");
            return Err(Refusal(text).into());
        }
        Ok(joins::split(&from, &members, self.mesh.ids.next_uid(now), anchor)?)
    }
}

fn view(reader: &mut dyn Reader, id: MeshId) -> Result<MeshView, RunError> {
    let found = reader.views(&[id])?.pop().flatten();
    found.ok_or_else(|| Refusal(format!("mesh object {id} is not there any more")).into())
}

fn around(reader: &mut dyn Reader, id: SpaceId) -> Result<Around, RunError> {
    let space = reader.spaces(&[id])?.pop().flatten();
    let space = space.ok_or_else(|| Refusal(format!("object {id} is not there any more")))?;
    let mesh = match space.link {
        Some(link) => Some(view(reader, link.mesh)?),
        None => None,
    };
    let rulings = reader.rulings_of(&[Member::of(&space)])?.concat();
    Ok(Around { space, mesh, rulings })
}

/// Of the mesh objects that lost an object by a decision, those that are not alive any more.
fn ended(reader: &mut dyn Reader, decision: &JoinDecision) -> Result<Vec<Uid>, RunError> {
    let mut ended = Vec::new();
    for seed in &decision.losing {
        let known = match reader.mesh_by_uid(seed.uid)? {
            Some(id) => reader.views(&[id])?.pop().flatten(),
            None => None,
        };
        if known.is_none_or(|view| matches!(view.record.state, MeshState::Deleted { .. })) {
            ended.push(seed.uid);
        }
    }
    Ok(ended)
}

fn space_of(reader: &mut dyn Reader, member: &Member) -> Result<Option<SpaceRecord>, RunError> {
    let ids = reader.space_find(member.connector, &member.external_id)?;
    let found = reader.spaces(&ids)?.into_iter().flatten();
    Ok(found.filter(|space| space.object_type == member.object_type).last())
}

impl Work<'_> {
    /// Carries out a decision and everything that it wakes; with what the rules said, where it carries that out.
    pub(super) fn decide(
        &mut self,
        decision: JoinDecision,
        reason: String,
        reverts: Option<DecisionId>,
        carried: HashMap<SpaceId, Carried>,
        mut findings: Vec<Finding>,
    ) -> Result<DecisionId, RunError> {
        let store = self.run.mesh.store.clone();
        let orders = {
            let mut reader = store.read()?;
            let members = decision.members().into_iter();
            let spaces = members.map(|member| space_of(reader.as_mut(), member)).collect::<Result<_, _>>()?;
            let mut meshes: Vec<(Uid, MeshId)> = Vec::new();
            for uid in decision.mesh_objects() {
                meshes.extend(reader.mesh_by_uid(uid)?.map(|id| (uid, id)));
            }
            Orders { decision: decision.clone(), spaces, meshes, carried }
        };
        let cause = self.run.cause();
        let ids = self.run.mesh.ids.clone();
        let context = PlanContext { now: cause.at, run: cause.run, ids: ids.as_ref(), reindex: false };
        let mut neighbours =
            StoreNeighbours::new(store.as_ref(), self.in_force, &mut self.in_flight, &mut self.ids);
        let outcome = self.planner.carry_out(orders, &context, &mut neighbours)?;
        drop(neighbours);
        self.run.mesh.observer.planned(&outcome);
        count(&mut self.run, &outcome.plan);
        findings.extend(outcome.findings);
        let findings = self.run.findings(findings);
        let rows = rows(&outcome.plan, &cause);
        let counters = self.run.counters.clone();
        let (plan, done) = (outcome.plan, Vec::new());
        let version = self.in_force.version;
        let traces = outcome.traces.into_iter().map(|trace| trace_write(trace, version)).collect();
        let sync = SyncBatch {
            cause,
            plan,
            rows,
            approvals: Vec::new(),
            cursor: None,
            done,
            traces,
            findings,
            counters,
        };
        let id = store.decide_join(JoinBatch { sync, decision, reason, reverts }).wait()?;
        self.todos()?;
        Ok(id)
    }

    /// Waits for everything that is on its way.
    pub(super) fn drain(&mut self) -> Result<(), RunError> {
        Ok(self.in_flight.drain().map(drop)?)
    }
}
