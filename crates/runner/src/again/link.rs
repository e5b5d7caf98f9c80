//! A link, decided again.
//!
//! The object is taken without its link, others as they were when it was linked, and the join and create rules of that
//! time decide. By which keys mesh objects were found then is not kept; a mesh object that still has the key is found,
//! as it was then.

use std::collections::HashMap;

use identitymesh_engine::{PlanContext, Planner, Seeds};
use identitymesh_model::{LinkMode, PastLink, SpaceBefore, SpaceId, SpaceRecord};
use identitymesh_store::Reader;
use identitymesh_store::past::{Cut, linked_at, mesh_at, space_at};

use super::moment::{Agreement, Moment};
use super::state::{ROWS_READ, view};
use crate::reasons::{LinkDecision, decision_of};
use crate::surroundings::Surroundings;
use crate::{InForce, Mesh, RunError};

/// A link decided again.
pub struct LinkAgain {
    /// The link as it was recorded.
    pub link: PastLink,
    /// The version of the configuration.
    pub version: i64,
    /// What comes out; `None` where the rules did not decide it, or are not kept.
    pub decision: Option<LinkDecision>,
    /// Whether that is what was recorded; `None` where the rules did not decide it.
    pub agreement: Option<Agreement>,
    /// The rules of that time, for names.
    pub in_force: Option<InForce>,
}

/// Decides a link of a management-space object again: the last that a run made, or that was made up to a time. `None`
/// when there was none. [`Moment::Row`] means the number of rows that the audit had then.
///
/// # Errors
/// When the store cannot be read.
pub fn link_again(mesh: &Mesh, id: SpaceId, moment: Moment) -> Result<Option<LinkAgain>, RunError> {
    let mut reader = mesh.store.read()?;
    let links = links(reader.as_mut(), id)?;
    let found = links.into_iter().find(|link| match moment {
        Moment::Run(run) => link.run == run,
        Moment::At(at) => link.at <= at,
        Moment::Row(rows) => link.rows == rows,
    });
    let Some(link) = found else { return Ok(None) };
    let version = reader.run(link.run)?.map_or(0, |run| run.configuration);
    let mut again = LinkAgain { link, version, decision: None, agreement: None, in_force: None };
    if !matches!(again.link.mode, LinkMode::Joined | LinkMode::Created) {
        return Ok(Some(again));
    }
    let Some(stored) = reader.configuration_of(version)? else {
        let what = format!("version {version} of the configuration is not kept any more");
        again.agreement = Some(Agreement::NotKept(what));
        return Ok(Some(again));
    };
    let in_force = InForce::of(stored, reader.as_mut(), &mesh.registry)?;
    let seeds = seeds(reader.as_mut(), id, &again.link)?;
    if seeds.iter().all(|space| space.id != id) {
        again.agreement =
            Some(Agreement::NotKept("what the object was then is not kept any more".to_owned()));
        return Ok(Some(again));
    }
    let decision = decide(mesh, reader.as_mut(), &in_force, (seeds, id), &again.link)?;
    again.agreement = Some(compare(&decision, &again.link));
    (again.decision, again.in_force) = (Some(decision), Some(in_force));
    Ok(Some(again))
}

/// All links that an object has and had, newest first.
fn links(reader: &mut dyn Reader, id: SpaceId) -> Result<Vec<PastLink>, RunError> {
    let mut out = Vec::new();
    if let Some(link) = reader.spaces(&[id])?.pop().flatten().and_then(|space| space.link) {
        let spans = reader.link_history(link.mesh)?;
        out.extend(
            spans.into_iter().find(|span| span.space == id && span.end.is_none()).map(|span| span.link),
        );
    }
    let mut before = None;
    loop {
        let rows = reader.space_history(id, before, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { return Ok(out) };
        before = Some(last);
        for row in rows {
            let change = SpaceBefore::parse(&row.before)
                .map_err(|source| RunError::Stored { what: "past of an object", source })?;
            out.extend(change.rest.link);
        }
    }
}

/// The objects that were linked to the same mesh object in the same step, before they were.
fn seeds(reader: &mut dyn Reader, id: SpaceId, link: &PastLink) -> Result<Vec<SpaceRecord>, RunError> {
    let spans = reader.link_history(link.mesh)?;
    let together = spans.iter().filter(|span| span.link.run == link.run && span.link.rows == link.rows);
    let mut ids: Vec<SpaceId> = together.map(|span| span.space).chain([id]).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        let was = space_at(reader, id, Cut::Before(link.rows + 1))?;
        out.extend(was.map(|was| SpaceRecord { link: None, ..was }));
    }
    Ok(out)
}

fn decide(
    mesh: &Mesh,
    reader: &mut dyn Reader,
    in_force: &InForce,
    (spaces, id): (Vec<SpaceRecord>, SpaceId),
    link: &PastLink,
) -> Result<LinkDecision, RunError> {
    let cut = Cut::Before(link.rows + 1);
    let mut imagined = HashMap::new();
    if let Some(past) = mesh_at(reader, link.mesh, cut)? {
        let mut linked = linked_at(reader, link.mesh, cut)?;
        linked.retain(|known| spaces.iter().all(|space| space.id != known.id));
        imagined.insert(link.mesh, view(&past, linked));
    }
    let context = PlanContext { now: link.at, run: link.run, ids: mesh.ids.as_ref(), reindex: false };
    let mut around = Surroundings { reader, imagined: &imagined, cut: Some(cut) };
    let seeds = Seeds { spaces, mesh: Vec::new() };
    let outcome = Planner::new(&in_force.rules).plan(seeds, &context, &mut around)?;
    Ok(decision_of(&outcome, id))
}

fn compare(decision: &LinkDecision, link: &PastLink) -> Agreement {
    let is_same = match decision {
        LinkDecision::Links { mesh, rule, matched } => {
            (*mesh, *rule, matched) == (link.mesh, link.rule, &link.matched)
        }
        LinkDecision::Creates { rule, .. } => *rule == link.rule && link.mode == LinkMode::Created,
        LinkDecision::Stays(_) | LinkDecision::Nothing => false,
    };
    if is_same {
        return Agreement::Same;
    }
    let what = "the rules of that time decide otherwise; by which keys mesh objects were found then is not kept, and \
                people's decisions are taken as they are now";
    Agreement::Differs(what.to_owned())
}
