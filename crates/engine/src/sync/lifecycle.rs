//! What the loss and return of sources mean for a mesh object (sync semantics, section 7).
//!
//! A mesh object leaves when it loses a source and the source's leave rule says so. From then on its attributes stay
//! as they were and it is in no projection's scope, so the targets' leave policies run; within the grace period a
//! returning source brings the same object back. After it the object is deleted: no rule finds it any more, and it
//! only stays until its targets are done with it.

use identitymesh_model::plan::Wake;
use identitymesh_model::rules::{SourceLeave, SourceLeaveRule};
use identitymesh_model::{ConnectorId, MeshState, Name, RuleId, SpaceRecord, Timestamp};

use super::work::Work;
use crate::rules::{MeshTypeRules, RuleSet};

/// Decides the state of `work` after this part of the plan.
pub(super) fn settle(
    work: &mut Work,
    rules: &RuleSet,
    mesh_type: &MeshTypeRules,
    now: Timestamp,
    wakes: &mut Vec<Wake>,
) {
    if let MeshState::Leaving { since } = work.state {
        if returns(work, mesh_type) {
            work.touch(|| "its source came back".to_owned(), RuleId(0));
            work.state = MeshState::Active;
        } else {
            expire(work, rules, since, now, wakes);
        }
    } else if work.state == MeshState::Active && loses(work, rules) {
        let names: Vec<String> =
            work.lost.iter().map(|(connector, _)| connector_name(rules, *connector)).collect();
        work.touch(|| format!("lost its source in {}", names.join(", ")), RuleId(0));
        work.state = MeshState::Leaving { since: now };
        // Even without any grace the end comes when the object is looked at again, after everything that is pending:
        // a row that came under another key is then found to be the same one, however the parts of a sync fall.
        wakes.push(Wake::Mesh { id: work.view.record.id, at: Some(end_of_grace(work, rules, now)) });
    }
}

fn connector_name(rules: &RuleSet, id: ConnectorId) -> String {
    rules.connector(id).map_or_else(|| format!("a former connector ({id})"), |known| known.name.to_string())
}

fn leave_rule(rules: &RuleSet, connector: ConnectorId, object_type: Name) -> Option<&SourceLeaveRule> {
    rules.object_type(connector, object_type)?.leave.as_ref()
}

/// Whether an object that a target holds for us; such objects are no sources.
fn is_source(rules: &RuleSet, space: &SpaceRecord) -> bool {
    !space.deleted
        && rules
            .object_type(space.connector, space.object_type)
            .is_some_and(|known| !known.is_target && known.is_inbound())
}

fn loses(work: &Work, rules: &RuleSet) -> bool {
    work.lost.iter().any(|(connector, object_type)| {
        ends_without(rules, (*connector, *object_type), || work.view.linked.iter())
    })
}

/// Whether the mesh object leaves to which an object is linked, if that goes: then what it has stays as it was.
pub(super) fn leaves_without(work: &Work, rules: &RuleSet, space: &SpaceRecord) -> bool {
    let others = || work.view.linked.iter().filter(|known| known.id != space.id);
    work.state != MeshState::Active || ends_without(rules, (space.connector, space.object_type), others)
}

/// Whether the leave rule of what is lost wants that, given what is left.
fn ends_without<'l, L: Iterator<Item = &'l SpaceRecord>>(
    rules: &RuleSet,
    (connector, object_type): (ConnectorId, Name),
    left: impl FnOnce() -> L,
) -> bool {
    let Some(rule) = leave_rule(rules, connector, object_type) else { return false };
    match rule.mesh_object {
        SourceLeave::Nothing => false,
        SourceLeave::DeleteWhenLast => !left().any(|space| is_source(rules, space)),
        SourceLeave::DeleteWhenAuthoritativeGone => !left().any(|space| {
            !space.deleted
                && rules
                    .connector(space.connector)
                    .is_some_and(|known| rule.authoritative.contains(&known.name))
        }),
    }
}

fn returns(work: &Work, mesh_type: &MeshTypeRules) -> bool {
    work.gained
        .iter()
        .any(|connector| mesh_type.authoritative.is_empty() || mesh_type.authoritative.contains(connector))
}

/// The longest grace that any leave rule gives objects of this type; recomputed, so that a changed rule counts.
pub(super) fn grace_seconds(rules: &RuleSet, mesh_type: Name) -> i64 {
    let makes = |object_type: &&crate::rules::ObjectTypeRules| {
        object_type.creates.iter().any(|create| create.mesh_type == mesh_type)
    };
    rules
        .connectors
        .values()
        .flat_map(|connector| connector.object_types.values())
        .filter(makes)
        .filter_map(|object_type| object_type.leave.as_ref())
        .map(|leave| leave.grace.as_seconds())
        .max()
        .unwrap_or(0)
}

fn end_of_grace(work: &Work, rules: &RuleSet, since: Timestamp) -> Timestamp {
    since.saturating_add_seconds(grace_seconds(rules, work.view.record.mesh_type))
}

fn expire(work: &mut Work, rules: &RuleSet, since: Timestamp, now: Timestamp, wakes: &mut Vec<Wake>) {
    let end = end_of_grace(work, rules, since);
    if now >= end {
        work.touch(|| "its grace period is over".to_owned(), RuleId(0));
        work.state = MeshState::Deleted { since };
    } else {
        wakes.push(Wake::Mesh { id: work.view.record.id, at: Some(end) });
    }
}
