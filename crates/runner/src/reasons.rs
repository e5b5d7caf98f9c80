//! Why something is linked, sent, or not: the planner asked once more, with nothing written.

use std::collections::HashMap;

use identitymesh_engine::reasons::{InScope, TargetLeave, leaving, scopes};
use identitymesh_engine::rules::RuleSet;
use identitymesh_engine::{Outcome, PlanContext, Planner, Seeds};
use identitymesh_model::joins::Member;
use identitymesh_model::plan::{ItemPlan, LinkChange, MeshChange, Note, Wake};
use identitymesh_model::{
    ConnectorId, Finding, LinkMode, MeshId, MeshState, MeshView, PastLink, RuleId, RunId, SpaceBefore,
    SpaceId, SpaceRecord, Text, Timestamp, Uid,
};
use identitymesh_store::{ItemFilter, ItemRow, ItemState, LinkSpan, Reader, RunRow};

use crate::surroundings::Surroundings;
use crate::{InForce, Mesh, RunError};

/// Changes of an object that are read at once.
const ROWS_READ: usize = 1_000;
/// Most queue items of one mesh object; it has one for each target.
const ITEMS_READ: usize = 1_000;

/// What one target has to do with a mesh object.
#[derive(Debug)]
pub struct ExportReason {
    /// The target.
    pub connector: ConnectorId,
    /// In one sentence.
    pub verdict: String,
    /// The target's rules in order of precedence.
    pub rules: Vec<InScope>,
    /// The external id of its object there.
    pub object: Option<Text>,
    /// What waits in the queue.
    pub item: Option<ItemRow>,
    /// What a sync would queue, were nothing waiting.
    pub planned: Option<ItemPlan>,
    /// Mesh objects that its references wait for, because the target does not hold them yet.
    pub waits_for: Vec<Uid>,
    /// What a source has against the deletion that its leave policy wants.
    pub objection: Option<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Why a mesh object is sent to targets, or not.
///
/// # Errors
/// When the store cannot be read.
pub fn why_export(mesh: &Mesh, id: MeshId) -> Result<Vec<ExportReason>, RunError> {
    let in_force = mesh.in_force()?;
    let mut reader = mesh.store.read()?;
    let Some(view) = reader.views(&[id])?.pop().flatten() else { return Ok(Vec::new()) };
    let filter = ItemFilter { mesh: Some(id), ..ItemFilter::default() };
    let items = reader.item_list(&filter, None, ITEMS_READ)?.items;
    let bare = MeshView { items: Vec::new(), ..view.clone() };
    let imagined = HashMap::from([(id, bare)]);
    let seeds = Seeds { spaces: Vec::new(), mesh: vec![id] };
    let outcome = plan(mesh, &in_force, reader.as_mut(), &imagined, seeds)?;
    let now = mesh.clock.now();
    let coverage = |connector, object_type| reader.coverage(connector, object_type);
    let leaves = leaving(&in_force.rules, &view, now, coverage)?;
    Ok(export_reasons(&in_force.rules, (&view, &leaves), outcome, &items, now))
}

/// Whom the references of a mesh object wait for, by target.
fn waits(wakes: &[Wake], id: MeshId) -> HashMap<ConnectorId, Vec<Uid>> {
    let mut out: HashMap<ConnectorId, Vec<Uid>> = HashMap::new();
    for wake in wakes {
        if let Wake::Address { connector, owner, member } = wake
            && *owner == id
        {
            out.entry(*connector).or_default().push(*member);
        }
    }
    for members in out.values_mut() {
        members.sort_unstable();
        members.dedup();
    }
    out
}

/// What each target has to do with a mesh object, given what a plan makes of it and what waits.
pub(crate) fn export_reasons(
    rules: &RuleSet,
    (view, leaves): (&MeshView, &[TargetLeave]),
    mut outcome: Outcome,
    items: &[ItemRow],
    now: Timestamp,
) -> Vec<ExportReason> {
    let id = view.record.id;
    let object = outcome.plan.objects.iter().position(|object| object.id == id);
    let object = object.map(|at| outcome.plan.objects.swap_remove(at));
    let waits_for = waits(&outcome.plan.wakes, id);
    let mut planned = object.map_or_else(Vec::new, |object| object.items);
    let mut out: Vec<ExportReason> = Vec::new();
    let all = scopes(rules, view.record.mesh_type, &view.record.doc, now);
    for rule in all {
        let connector = rule.connector;
        if let Some(reason) = out.iter_mut().find(|reason| reason.connector == connector) {
            reason.rules.push(rule);
            continue;
        }
        let at = planned.iter().position(|item| item.connector == connector);
        let space = view.linked.iter().find(|space| space.connector == connector && !space.deleted);
        out.push(ExportReason {
            connector,
            verdict: String::new(),
            rules: vec![rule],
            object: space.map(|space| space.external_id.clone()),
            item: items.iter().find(|item| item.connector == connector).cloned(),
            planned: at.map(|at| planned.swap_remove(at)),
            waits_for: waits_for.get(&connector).cloned().unwrap_or_default(),
            objection: None,
            findings: outcome
                .findings
                .iter()
                .filter(|finding| finding.mesh == Some(id) && finding.connector == Some(connector))
                .cloned()
                .collect(),
        });
    }
    for reason in &mut out {
        let leave = leaves.iter().find(|leave| leave.connector == reason.connector && leave.owned);
        reason.objection = leave.and_then(|leave| leave.objection.clone());
        reason.verdict = verdict(view, reason);
    }
    out
}

fn verdict(view: &MeshView, reason: &ExportReason) -> String {
    if let Some(item) = &reason.item {
        return waiting(item);
    }
    if reason.rules.iter().all(|rule| !rule.ready) {
        return "the connector is disabled, or its schema is not known yet".to_owned();
    }
    if let Some(planned) = &reason.planned {
        return format!("the next sync queues this: {}, because {}", planned.operation, planned.reason.text);
    }
    let applies = reason.rules.iter().find(|rule| rule.holds == Ok(true));
    if let Some(objection) = &reason.objection {
        return format!("it is out of scope, and its deletion waits: {objection}");
    }
    match (view.record.state, applies, &reason.object) {
        (MeshState::Active, Some(_), Some(_)) if !reason.waits_for.is_empty() => {
            "the target holds what it should, but for references to objects that are not there yet".to_owned()
        }
        (MeshState::Active, Some(_), Some(_)) => "the target holds what it should".to_owned(),
        (MeshState::Active, Some(rule), None) if !rule.creates => {
            format!("{} applies and makes no objects", rule.rule)
        }
        (MeshState::Active, Some(rule), None) => {
            format!("{} applies, and the object cannot be made yet", rule.rule)
        }
        (MeshState::Active, None, Some(_)) => {
            "it is in no rule's scope, and the leave policy wants nothing more by now".to_owned()
        }
        (MeshState::Active, None, None) => "it is in no rule's scope".to_owned(),
        (_, _, Some(_)) => {
            "it is leaving, so it is in no scope; the leave policy wants nothing more by now".to_owned()
        }
        (_, _, None) => "it is leaving, so it is in no scope".to_owned(),
    }
}

fn waiting(item: &ItemRow) -> String {
    let operation = item.operation;
    let answer = item.answer.as_deref().map_or_else(String::new, |answer| format!(": {answer}"));
    let hold = item.hold.map_or_else(String::new, |hold| format!(" in hold {hold}"));
    match item.state {
        ItemState::Held if item.rejected => {
            format!("{operation} waits and is not sent: somebody rejected it{hold}")
        }
        ItemState::Held => format!("{operation} waits and is not sent until somebody decides{hold}"),
        ItemState::Pending => format!("{operation} is queued for the next export, because {}", item.reason),
        ItemState::Leased => format!("{operation} is being sent"),
        ItemState::RetryWait => {
            let at = item.not_before.map_or_else(|| "soon".to_owned(), |at| format!("at {at}"));
            format!("{operation} is sent again {at}{answer}")
        }
        ItemState::Dead => format!("{operation} was put aside{answer}"),
    }
}

/// Why a management-space object has a mesh object, or none.
#[derive(Debug)]
pub struct LinkReason {
    /// The object.
    pub space: SpaceRecord,
    /// Its link as it was made.
    pub link: Option<LinkSpan>,
    /// What a sync would decide about it, had it no link; `None` where a link is not decided by join rules.
    pub decision: Option<LinkDecision>,
    /// The link that it had last, where that is another or it has none now.
    pub before: Option<EndedLink>,
    /// What people said for good: it belongs to this mesh object, or no rule may link it to that one.
    pub rulings: Vec<(Uid, bool)>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// A link that ended.
#[derive(Debug)]
pub struct EndedLink {
    /// As it was.
    pub link: PastLink,
    /// The run that ended it.
    pub by: RunRow,
}

/// What joining decides.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkDecision {
    /// It belongs to this mesh object.
    Links {
        /// Which.
        mesh: MeshId,
        /// By which rule.
        rule: RuleId,
        /// By which values.
        matched: String,
    },
    /// It becomes a mesh object.
    Creates {
        /// By which rule.
        rule: RuleId,
        /// Its anchor.
        anchor: Text,
    },
    /// It stays without.
    Stays(Note),
    /// No rule speaks of it.
    Nothing,
}

/// Why a management-space object is linked, or not.
///
/// # Errors
/// When the store cannot be read.
pub fn why_link(mesh: &Mesh, id: SpaceId) -> Result<Option<LinkReason>, RunError> {
    let in_force = mesh.in_force()?;
    let mut reader = mesh.store.read()?;
    let Some(space) = reader.spaces(&[id])?.pop().flatten() else { return Ok(None) };
    let mut link = None;
    if let Some(known) = space.link {
        let spans = reader.link_history(known.mesh)?;
        link = spans.into_iter().find(|span| span.space == id && span.end.is_none());
    }
    let is_decided = space.link.is_none_or(|link| link.mode == LinkMode::Joined);
    let (mut decision, mut findings) = (None, Vec::new());
    if is_decided {
        let outcome = decide(mesh, &in_force, reader.as_mut(), &space)?;
        decision = Some(decision_of(&outcome, id));
        findings = outcome.findings;
        findings.retain(|finding| finding.space == Some(id));
    }
    let rulings = reader.rulings_of(&[Member::of(&space)])?.concat();
    let before = ended(reader.as_mut(), id)?;
    Ok(Some(LinkReason { space, link, decision, before, rulings, findings }))
}

/// The link of an object that ended last.
fn ended(reader: &mut dyn Reader, id: SpaceId) -> Result<Option<EndedLink>, RunError> {
    let mut before = None;
    loop {
        let rows = reader.space_history(id, before, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { return Ok(None) };
        before = Some(last);
        for row in rows {
            let change = SpaceBefore::parse(&row.before)
                .map_err(|source| RunError::Stored { what: "past of an object", source })?;
            if let Some(link) = change.rest.link {
                return Ok(reader.run(row.run)?.map(|by| EndedLink { link, by }));
            }
        }
    }
}

fn decide(
    mesh: &Mesh,
    in_force: &InForce,
    reader: &mut dyn Reader,
    space: &SpaceRecord,
) -> Result<Outcome, RunError> {
    let mut imagined = HashMap::new();
    if let Some(link) = space.link
        && let Some(mut view) = reader.views(&[link.mesh])?.pop().flatten()
    {
        view.linked.retain(|linked| linked.id != space.id);
        imagined.insert(link.mesh, view);
    }
    let bare = SpaceRecord { link: None, ..space.clone() };
    plan(mesh, in_force, reader, &imagined, Seeds { spaces: vec![bare], mesh: Vec::new() })
}

pub(crate) fn decision_of(outcome: &Outcome, id: SpaceId) -> LinkDecision {
    for object in &outcome.plan.objects {
        for link in &object.links {
            if let LinkChange::Add { space, rule, matched, .. } = link
                && *space == id
            {
                return match object.change {
                    Some(MeshChange::Create { .. }) => {
                        LinkDecision::Creates { rule: *rule, anchor: object.anchor.clone() }
                    }
                    _ => LinkDecision::Links { mesh: object.id, rule: *rule, matched: matched.clone() },
                };
            }
        }
    }
    let note =
        outcome.plan.spaces.iter().find(|space| space.space == id).and_then(|space| space.note.clone());
    note.map_or(LinkDecision::Nothing, LinkDecision::Stays)
}

fn plan(
    mesh: &Mesh,
    in_force: &InForce,
    reader: &mut dyn Reader,
    imagined: &HashMap<MeshId, MeshView>,
    seeds: Seeds,
) -> Result<Outcome, RunError> {
    let context =
        PlanContext { now: mesh.clock.now(), run: RunId(0), ids: mesh.ids.as_ref(), reindex: false };
    let mut around = Surroundings { reader, imagined, cut: None };
    Ok(Planner::new(&in_force.rules).plan(seeds, &context, &mut around)?)
}
