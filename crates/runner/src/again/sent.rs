//! What was written to a target, and what ended a mesh object for good, made again.
//!
//! The whole object is planned once more as it was just before, by the rules of that time. When it had left a scope is
//! read from its own history, as leave states are not kept; so is what the target called others.

use std::collections::HashMap;

use identitymesh_engine::reasons::{Holder, InScope, TargetLeave, grace_end, holders, leaving, scopes};
use identitymesh_engine::{PlanContext, Planner, Seeds};
use identitymesh_model::plan::{ItemPlan, MeshChange, ObjectPlan};
use identitymesh_model::{
    ConnectorId, LeaveRecord, MeshId, MeshState, MeshView, RuleId, SpaceId, SpaceRecord, Timestamp,
};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::past::{Cut, linked_at, mesh_at, space_before};
use identitymesh_store::{ChangeRecord, Reader, SpaceChangeKind};

use super::moment::{Agreement, Moment};
use super::state::{ROWS_READ, STATES_TRIED, as_of, last_change, out_since, view};
use crate::export::{Recorded, recorded};
use crate::surroundings::{Surroundings, addresses_at};
use crate::{InForce, Mesh, RunError};

/// Versions of the configuration that are tried for one row, newest first.
const VERSIONS_TRIED: usize = 4;

/// A row of the audit about a target, or about the end of a mesh object, made again.
pub struct SentAgain {
    /// The row.
    pub row: ChangeRecord,
    /// The version of the configuration by which it comes out.
    pub version: i64,
    /// Whether what comes out is what was recorded.
    pub agreement: Agreement,
    /// What comes out, with the state that it comes from; `None` where that is not kept.
    pub made: Option<Made>,
}

/// What recorded inputs and rules make of a mesh object.
pub struct Made {
    /// The rules of that time, for names.
    pub in_force: InForce,
    /// The mesh object just before.
    pub state: MeshState,
    /// What held it.
    pub holders: Vec<Holder>,
    /// When its grace ended.
    pub grace_end: Option<Timestamp>,
    /// The projection rules of the row's target, in order of precedence.
    pub scopes: Vec<InScope>,
    /// The leave policies of its objects in targets. Steps count as planned when they were due; objections of sources are
    /// not kept.
    pub leaves: Vec<TargetLeave>,
    /// What is queued for the row's target.
    pub item: Option<ItemPlan>,
}

/// The rows that are meant, made again: of each target the last, and the end of the mesh object.
///
/// # Errors
/// When the store cannot be read.
pub fn sent_again(mesh: &Mesh, id: MeshId, moment: Moment) -> Result<Vec<SentAgain>, RunError> {
    let mut reader = mesh.store.read()?;
    let mut found: Vec<ChangeRecord> = Vec::new();
    let mut before = None;
    loop {
        let rows = reader.history(id, before, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        before = Some(last);
        for row in rows {
            let is_meant = matches!(row.kind, ChangeKind::Export | ChangeKind::Purge) && moment.may_be(&row);
            if is_meant && found.iter().all(|known| known.connector != row.connector) {
                found.push(row);
            }
        }
    }
    found.into_iter().map(|row| one(mesh, reader.as_mut(), row)).collect()
}

/// By the rules of the run that sent it; where something else comes out, by earlier ones, because it may have been planned
/// by them and have waited. What agrees to the byte was made by them.
fn one(mesh: &Mesh, reader: &mut dyn Reader, row: ChangeRecord) -> Result<SentAgain, RunError> {
    let sent = reader.run(row.run)?.map_or(0, |run| run.configuration);
    let mut first = None;
    for version in (0..=sent).rev().take(VERSIONS_TRIED) {
        let again = by(mesh, reader, &row, version)?;
        let may_be_earlier = matches!(again.agreement, Agreement::Differs(_));
        if again.agreement == Agreement::Same || first.is_none() && !may_be_earlier {
            return Ok(again);
        }
        first.get_or_insert(again);
        if !may_be_earlier {
            break;
        }
    }
    match first {
        Some(first) => Ok(first),
        None => by(mesh, reader, &row, sent),
    }
}

fn by(mesh: &Mesh, reader: &mut dyn Reader, row: &ChangeRecord, version: i64) -> Result<SentAgain, RunError> {
    let row = row.clone();
    let Some(stored) = reader.configuration_of(version)? else {
        let what = format!("version {version} of the configuration is not kept any more");
        return Ok(SentAgain { row, version, agreement: Agreement::NotKept(what), made: None });
    };
    let in_force = InForce::of(stored, reader, &mesh.registry)?;
    let replay = Replay { mesh, in_force: &in_force, row: &row };
    let (agreement, then) = replay.run(reader)?;
    let made = then.map(|then| replay.told(reader, then)).transpose()?.map(|made| made(in_force));
    Ok(SentAgain { row, version, agreement, made })
}

/// The target's object that a row is about.
struct Written {
    /// It, just before; `None` when the row made it.
    before: Option<SpaceRecord>,
    /// Its id.
    space: SpaceId,
    /// How many rows the audit had when it was written.
    place: i64,
}

/// A state that was tried, and what comes of it.
struct Then {
    view: MeshView,
    item: Option<ItemPlan>,
}

struct Replay<'a> {
    mesh: &'a Mesh,
    in_force: &'a InForce,
    row: &'a ChangeRecord,
}

impl Replay<'_> {
    fn run(&self, reader: &mut dyn Reader) -> Result<(Agreement, Option<Then>), RunError> {
        let written = written(reader, self.row)?;
        if self.row.kind == ChangeKind::Export && written.is_none() {
            let what = "the past of the target's object is not kept any more".to_owned();
            return Ok((Agreement::NotKept(what), None));
        }
        let mut cut = Cut::Before(self.row.seq);
        let mut first = None;
        let mut why = "the object is not kept any more".to_owned();
        for _ in 0..STATES_TRIED {
            let Some((view, earlier)) = self.view(reader, written.as_ref(), cut)? else { break };
            let plan = self.plan(reader, &view)?;
            let differs = self.compare(reader, plan.as_ref(), written.as_ref())?;
            let item = plan.and_then(|plan| {
                plan.items.into_iter().find(|item| Some(item.connector) == self.row.connector)
            });
            let then = Then { view, item };
            let Some(differs) = differs else { return Ok((Agreement::Same, Some(then))) };
            if first.is_none() {
                (first, why) = (Some(then), differs);
            }
            match earlier {
                Some(place) => cut = Cut::Before(place),
                None => break,
            }
        }
        Ok((Agreement::Differs(why), first))
    }

    /// The mesh object just before the row, with its sources as at `cut`, and the place of their last change before it.
    fn view(
        &self,
        reader: &mut dyn Reader,
        written: Option<&Written>,
        cut: Cut,
    ) -> Result<Option<(MeshView, Option<i64>)>, RunError> {
        let (id, seq) = (self.row.mesh, self.row.seq);
        let Some(past) = mesh_at(reader, id, Cut::Before(seq))? else { return Ok(None) };
        let mut sources = linked_at(reader, id, Cut::Before(seq))?;
        if let Some(written) = written {
            sources.retain(|space| space.id != written.space);
        }
        let mut linked = as_of(reader, sources, cut)?;
        let earlier = last_change(reader, &linked, cut)?;
        linked.extend(written.and_then(|written| written.before.clone()));
        linked.sort_unstable_by_key(|space| space.id);
        let mut view = view(&past, linked);
        view.leaving = self.leave_states(reader, &view)?;
        Ok(Some((view, earlier)))
    }

    /// Since when its objects in targets had been out of scope.
    fn leave_states(&self, reader: &mut dyn Reader, view: &MeshView) -> Result<Vec<LeaveRecord>, RunError> {
        let rules = &self.in_force.rules;
        let all = scopes(rules, view.record.mesh_type, &view.record.doc, self.row.at);
        let mut targets: Vec<ConnectorId> = all.iter().map(|scope| scope.connector).collect();
        targets.dedup();
        let mut out = Vec::new();
        for space in view.linked.iter().filter(|space| targets.contains(&space.connector)) {
            let connector = space.connector;
            let Some(since) = out_since(reader, rules, view.record.id, connector, self.row.seq)? else {
                continue;
            };
            let made_by = space.link.filter(|link| link.mode.is_by_export());
            let rule = made_by.map_or(RuleId(0), |link| link.rule);
            out.push(LeaveRecord { connector, rule, since, steps: 0 });
        }
        Ok(out)
    }

    fn plan(&self, reader: &mut dyn Reader, view: &MeshView) -> Result<Option<ObjectPlan>, RunError> {
        let id = view.record.id;
        let imagined = HashMap::from([(id, view.clone())]);
        let (now, run) = (self.row.at, self.row.run);
        let context = PlanContext { now, run, ids: self.mesh.ids.as_ref(), reindex: false };
        let mut around = Surroundings { reader, imagined: &imagined, cut: Some(Cut::Before(self.row.seq)) };
        let seeds = Seeds { spaces: Vec::new(), mesh: vec![id] };
        let outcome = Planner::new(&self.in_force.rules).plan(seeds, &context, &mut around)?;
        Ok(outcome.plan.objects.into_iter().find(|object| object.id == id))
    }

    /// What differs from the row, if anything does.
    fn compare(
        &self,
        reader: &mut dyn Reader,
        plan: Option<&ObjectPlan>,
        written: Option<&Written>,
    ) -> Result<Option<String>, RunError> {
        let Some(plan) = plan else { return Ok(Some("nothing changes by its inputs and rules".to_owned())) };
        let Some(connector) = self.row.connector else {
            return Ok(match &plan.change {
                Some(MeshChange::Purge { before, .. }) if before.to_text() == self.row.before => None,
                Some(MeshChange::Purge { before, .. }) => {
                    Some(format!("it goes, as {} and not as {}", before.to_text(), self.row.before))
                }
                _ => Some("by its inputs and rules it stays".to_owned()),
            });
        };
        let Some(item) = plan.items.iter().find(|item| item.connector == connector) else {
            let why = "nothing is sent by its inputs and rules; a person may have asked for it, or what it was \
                       planned from was overwritten in between";
            return Ok(Some(why.to_owned()));
        };
        let place = written.map_or(self.row.seq, |written| written.place + 1);
        let record = written.and_then(|written| written.before.as_ref());
        let out = recorded(self.in_force, item, record, |connector, address, uids| {
            addresses_at(reader, connector, address, uids, Cut::Before(place))
        })?;
        Ok(self.differs(item, &out))
    }

    fn differs(&self, item: &ItemPlan, out: &Recorded) -> Option<String> {
        if out.before != self.row.before || out.after.is_some() != self.row.after.is_some() {
            return Some(format!(
                "{} comes out as {} and not as {}",
                item.operation, out.before, self.row.before
            ));
        }
        (out.after != self.row.after).then(|| {
            "the same attributes are written, and the target's object was another one after it; what the target \
             answered is not kept"
                .to_owned()
        })
    }

    /// The state for people.
    fn told(
        &self,
        reader: &mut dyn Reader,
        then: Then,
    ) -> Result<impl FnOnce(InForce) -> Made + use<>, RunError> {
        let Then { view, item } = then;
        let (rules, at) = (&self.in_force.rules, self.row.at);
        let mut scopes = scopes(rules, view.record.mesh_type, &view.record.doc, at);
        scopes.retain(|scope| Some(scope.connector) == self.row.connector);
        let coverage = |connector, object_type| reader.coverage(connector, object_type);
        let mut leaves = leaving(rules, &view, at, coverage)?;
        for leave in &mut leaves {
            // Whether a source was read whole then is not kept, so nothing is said of objections.
            leave.objection = None;
            for (_, after, is_taken) in &mut leave.steps {
                *is_taken = leave.since.is_some_and(|since| since.saturating_add_seconds(*after) <= at);
            }
        }
        let (holders, grace_end, state) = (holders(rules, &view), grace_end(rules, &view), view.record.state);
        Ok(move |in_force| Made { in_force, state, holders, grace_end, scopes, leaves, item })
    }
}

/// The target's object that a row is about.
fn written(reader: &mut dyn Reader, row: &ChangeRecord) -> Result<Option<Written>, RunError> {
    let mut found: Option<Written> = None;
    let spans = reader.link_history(row.mesh)?;
    let mut ids: Vec<SpaceId> = spans.iter().map(|span| span.space).collect();
    ids.dedup();
    let identities = reader.space_identities(&ids)?;
    for identity in identities.into_iter().flatten().filter(|known| Some(known.connector) == row.connector) {
        let made = spans.iter().filter(|span| span.space == identity.id).find(|span| {
            span.link.mode.is_by_export() && span.link.run == row.run && span.link.rows < row.seq
        });
        let mut candidate =
            made.map(|span| Written { before: None, space: identity.id, place: span.link.rows });
        if let Some((change, place)) = last_write(reader, identity.id, row)?
            && candidate.as_ref().is_none_or(|made| made.place < place)
        {
            let span = spans.iter().find(|span| {
                span.space == identity.id
                    && span.link.rows < row.seq
                    && span.end.is_none_or(|end| end.place >= place)
            });
            let link = span.map(|span| span.link.link());
            let before = space_before(reader, identity.id, change, row.seq)?;
            let before = before.map(|before| SpaceRecord { link, ..before });
            candidate = Some(Written { before, space: identity.id, place });
        }
        if let Some(candidate) = candidate
            && found.as_ref().is_none_or(|known| known.place < candidate.place)
        {
            found = Some(candidate);
        }
    }
    Ok(found)
}

/// The last change of an object by the run of a row before it, with its number and place.
fn last_write(
    reader: &mut dyn Reader,
    id: SpaceId,
    row: &ChangeRecord,
) -> Result<Option<(i64, i64)>, RunError> {
    let mut before = None;
    loop {
        let rows = reader.space_history(id, before, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { return Ok(None) };
        before = Some(last);
        let found = rows.iter().find(|change| {
            matches!(change.kind, SpaceChangeKind::Export | SpaceChangeKind::Purge)
                && change.run == row.run
                && change.place < row.seq
        });
        if let Some(change) = found {
            return Ok(Some((change.seq, change.place)));
        }
    }
}

impl SentAgain {
    /// Whether the row took an object out of a target, or the mesh object out of the mesh.
    #[must_use]
    pub fn is_deletion(&self) -> bool {
        self.row.after.is_none()
    }
}
