//! Why something was not done: what an object was then, through the rules of then, with nothing to compare it with.
//!
//! What did not happen left no record, so the answer is what the rules of that moment make of the inputs of that moment.
//! What waited in queues and what was held is not kept, nor by which keys mesh objects were found.

use std::collections::HashMap;

use identitymesh_engine::reasons::{Holder, TargetLeave, grace_end, holders, leaving, scopes};
use identitymesh_engine::{Outcome, PlanContext, Planner, Seeds};
use identitymesh_model::{LeaveRecord, MeshId, MeshView, RuleId, RunId, SpaceId, SpaceRecord, Timestamp};
use identitymesh_store::Reader;
use identitymesh_store::past::{Cut, linked_at, mesh_at, space_at};

use super::moment::Moment;
use super::state::{ROWS_READ, out_since, view};
use crate::reasons::{ExportReason, LinkDecision, decision_of, export_reasons};
use crate::surroundings::Surroundings;
use crate::{InForce, Mesh, RunError};

/// Why something was not so at a moment.
pub enum NotThen<T> {
    /// It was not there.
    Absent,
    /// Something that the answer needs is not kept any more.
    NotKept(String),
    /// What there was, and the rules.
    Found {
        /// When.
        at: Timestamp,
        /// The version of the configuration.
        version: i64,
        /// The rules of that time, for names.
        in_force: Box<InForce>,
        /// The answer.
        told: T,
    },
}

/// A management-space object as it was, and what joining made of it.
pub struct LinkThen {
    /// It, with its link if it had one.
    pub space: SpaceRecord,
    /// What the rules decided; `None` where it had a link.
    pub decision: Option<LinkDecision>,
}

/// A mesh object as it was, and what stood for and against exports and deletions.
pub struct ObjectThen {
    /// It.
    pub view: MeshView,
    /// What each target had to do with it.
    pub targets: Vec<ExportReason>,
    /// What held it.
    pub holders: Vec<Holder>,
    /// When its grace period was to end.
    pub grace_end: Option<Timestamp>,
    /// The leave policies of its objects in targets. Steps count as planned when they were due; objections of sources
    /// are not kept.
    pub leaves: Vec<TargetLeave>,
}

/// The moment, and the version that was in force.
struct When {
    cut: Cut,
    at: Timestamp,
    version: i64,
}

/// Why an object had no mesh object.
///
/// # Errors
/// When the store cannot be read.
pub fn not_linked(mesh: &Mesh, id: SpaceId, moment: Moment) -> Result<NotThen<LinkThen>, RunError> {
    let mut reader = mesh.store.read()?;
    let reader = reader.as_mut();
    let Some(when) = when(reader, moment)? else { return Ok(NotThen::Absent) };
    let Some(space) = space_at(reader, id, when.cut)?.filter(|space| !space.deleted) else {
        return Ok(NotThen::Absent);
    };
    under(mesh, reader, &when, |reader, in_force| {
        if space.link.is_some() {
            return Ok(LinkThen { space, decision: None });
        }
        let seeds = Seeds { spaces: vec![space.clone()], mesh: Vec::new() };
        let outcome = plan(mesh, reader, in_force, &HashMap::new(), seeds, &when)?;
        Ok(LinkThen { space, decision: Some(decision_of(&outcome, id)) })
    })
}

/// Why a mesh object was not sent, and not deleted.
///
/// # Errors
/// When the store cannot be read.
pub fn not_sent(mesh: &Mesh, id: MeshId, moment: Moment) -> Result<NotThen<ObjectThen>, RunError> {
    let mut reader = mesh.store.read()?;
    let reader = reader.as_mut();
    let Some(when) = when(reader, moment)? else { return Ok(NotThen::Absent) };
    let Some(past) = mesh_at(reader, id, when.cut)? else { return Ok(NotThen::Absent) };
    under(mesh, reader, &when, |reader, in_force| {
        let mut view = view(&past, linked_at(reader, id, when.cut)?);
        view.leaving = leave_states(reader, in_force, &view, &when)?;
        let imagined = HashMap::from([(id, view.clone())]);
        let seeds = Seeds { spaces: Vec::new(), mesh: vec![id] };
        let outcome = plan(mesh, reader, in_force, &imagined, seeds, &when)?;
        let coverage = |connector, object_type| reader.coverage(connector, object_type);
        let mut leaves = leaving(&in_force.rules, &view, when.at, coverage)?;
        for leave in &mut leaves {
            leave.objection = None;
            for (_, after, is_taken) in &mut leave.steps {
                *is_taken = leave.since.is_some_and(|since| since.saturating_add_seconds(*after) <= when.at);
            }
        }
        let targets = export_reasons(&in_force.rules, (&view, &leaves), outcome, &[], when.at);
        let (holders, grace_end) = (holders(&in_force.rules, &view), grace_end(&in_force.rules, &view));
        Ok(ObjectThen { view, targets, holders, grace_end, leaves })
    })
}

/// Answers under the rules of a moment.
fn under<T>(
    mesh: &Mesh,
    reader: &mut dyn Reader,
    when: &When,
    answer: impl FnOnce(&mut dyn Reader, &InForce) -> Result<T, RunError>,
) -> Result<NotThen<T>, RunError> {
    let version = when.version;
    let Some(stored) = reader.configuration_of(version)? else {
        return Ok(NotThen::NotKept(format!("version {version} of the configuration is not kept any more")));
    };
    let in_force = InForce::of(stored, reader, &mesh.registry)?;
    let told = answer(reader, &in_force)?;
    Ok(NotThen::Found { at: when.at, version, in_force: Box::new(in_force), told })
}

/// When it was and what was in force; `None` before there was any configuration, and for a run or row that is not there.
fn when(reader: &mut dyn Reader, moment: Moment) -> Result<Option<When>, RunError> {
    Ok(match moment {
        Moment::Run(run) => reader.run(run)?.map(|run| When {
            cut: Cut::At(run.updated),
            at: run.updated,
            version: run.configuration,
        }),
        Moment::At(at) => version_at(reader, at)?.map(|version| When { cut: Cut::At(at), at, version }),
        Moment::Row(seq) => match reader.changes(seq - 1, 1)?.pop() {
            Some(row) => reader.run(row.run)?.map(|run| When {
                cut: Cut::After(seq),
                at: row.at,
                version: run.configuration,
            }),
            None => None,
        },
    })
}

/// The version that was in force at a time; of versions that are not kept, the one after counts.
fn version_at(reader: &mut dyn Reader, at: Timestamp) -> Result<Option<i64>, RunError> {
    let Some(newest) = reader.configuration()? else { return Ok(None) };
    for version in (1..=newest.version).rev() {
        if reader.configuration_of(version)?.is_none_or(|stored| stored.at <= at) {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

/// Since when its objects in targets had been out of scope; leave states themselves are not kept.
fn leave_states(
    reader: &mut dyn Reader,
    in_force: &InForce,
    view: &MeshView,
    when: &When,
) -> Result<Vec<LeaveRecord>, RunError> {
    let (rules, id) = (&in_force.rules, view.record.id);
    let seq = next_row(reader, id, when.cut)?;
    let all = scopes(rules, view.record.mesh_type, &view.record.doc, when.at);
    let mut out: Vec<LeaveRecord> = Vec::new();
    for space in view.linked.iter().filter(|space| all.iter().any(|one| one.connector == space.connector)) {
        let connector = space.connector;
        let Some(since) = out_since(reader, rules, id, connector, seq)? else { continue };
        let made_by = space.link.filter(|link| link.mode.is_by_export());
        let rule = made_by.map_or(RuleId(0), |link| link.rule);
        out.push(LeaveRecord { connector, rule, since, steps: 0 });
    }
    Ok(out)
}

/// The row after the last one of a mesh object up to a moment.
fn next_row(reader: &mut dyn Reader, id: MeshId, cut: Cut) -> Result<i64, RunError> {
    let mut before = None;
    loop {
        let rows = reader.history(id, before, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { return Ok(0) };
        before = Some(last);
        if let Some(row) = rows.iter().find(|row| !cut.is_before(row.seq, row.at)) {
            return Ok(row.seq + 1);
        }
    }
}

fn plan(
    mesh: &Mesh,
    reader: &mut dyn Reader,
    in_force: &InForce,
    imagined: &HashMap<MeshId, MeshView>,
    seeds: Seeds,
    when: &When,
) -> Result<Outcome, RunError> {
    let context = PlanContext { now: when.at, run: RunId(0), ids: mesh.ids.as_ref(), reindex: false };
    let mut around = Surroundings { reader, imagined, cut: Some(when.cut) };
    Ok(Planner::new(&in_force.rules).plan(seeds, &context, &mut around)?)
}
