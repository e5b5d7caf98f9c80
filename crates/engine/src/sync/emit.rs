//! From what was decided for one mesh object to its part of the plan: only what differs.

use std::cmp::Ordering;

use identitymesh_model::plan::{
    Before, EdgeChange, IndexKey, KeyChange, LinkChange, MeshChange, Note, NoteKind, ObjectPlan, SetBefore,
    SpacePlan, Wake, set_difference,
};
use identitymesh_model::{
    ConnectorId, MeshState, MeshView, Name, Object, Origin, Origins, RuleId, SpaceId, SpaceRecord, Uid,
    Value, ValueType, Values,
};

use super::index::keys_of;
use super::names::names_of;
use super::project::Projected;
use super::resolve::Resolved;
use super::work::Work;
use crate::rules::{MeshTypeRules, RuleSet};

/// One object's part of the plan, and what it wakes.
pub(super) struct Emitted {
    pub(super) object: ObjectPlan,
    pub(super) wakes: Vec<Wake>,
    pub(super) spaces: Vec<SpacePlan>,
}

/// What differs for `work`.
pub(super) fn emit(
    mut work: Work,
    mut projected: Projected,
    rules: &RuleSet,
    mesh_type: &MeshTypeRules,
) -> Emitted {
    let names = names(&work, &projected, rules);
    let mut wakes = std::mem::take(&mut projected.wakes);
    let mut spaces = Vec::new();
    let is_deleted = matches!(work.state, MeshState::Deleted { .. });
    if is_deleted {
        release(&mut work, &projected, rules, &mut spaces);
        if work.view.record.state != work.state {
            wakes.push(Wake::Holders { id: work.view.record.id });
        }
    }
    let resolved = work.resolved.take().unwrap_or_default();
    // What may have been made in a target and what a person asked for has to end first, or it would be nobody's.
    let is_busy = work.view.items.iter().any(|item| item.in_flight || (item.by_hand && !item.dead));
    let purges = is_deleted && !is_busy && work.view.linked.is_empty() && projected.items.is_empty();
    let keys = key_changes(&work, &resolved, mesh_type, is_deleted, &mut wakes);
    let edges = edge_changes(&work.view.record.doc, &resolved.doc, mesh_type, purges);
    let anchor = work.anchor.clone();
    let change = change(&work.view, &work, resolved, mesh_type, purges);
    let (id, uid, mesh_type) = (work.view.record.id, work.view.record.uid, work.view.record.mesh_type);
    let object = ObjectPlan {
        id,
        uid,
        mesh_type,
        anchor,
        change,
        links: work.links,
        keys,
        edges,
        items: projected.items,
        cancelled: projected.cancelled,
        leaving: projected.leaving,
        names,
        reason: work.reason,
    };
    Emitted { object, wakes, spaces }
}

/// A deleted mesh object lets go of its sources, but for those that a deletion waits for, and of objects in targets
/// that nothing is left to do for.
fn release(work: &mut Work, projected: &Projected, rules: &RuleSet, spaces: &mut Vec<SpacePlan>) {
    let is_source = |space: &SpaceRecord| {
        !rules.object_type(space.connector, space.object_type).is_some_and(|known| known.is_target)
    };
    let linked = work.view.linked.iter();
    let goes = linked.filter(|space| {
        projected.released.contains(&space.id)
            || (is_source(space) && !projected.witnesses.contains(&space.id))
    });
    let goes: Vec<SpaceId> = goes.map(|space| space.id).collect();
    for space in goes {
        work.unlink(space, false);
        let note = Note::new(NoteKind::Unjoined, "its mesh object was deleted");
        spaces.push(SpacePlan { space, note: Some(note), waits: Vec::new(), purge: false });
    }
}

fn change(
    view: &MeshView,
    work: &Work,
    resolved: Resolved,
    mesh_type: &MeshTypeRules,
    purges: bool,
) -> Option<MeshChange> {
    let record = &view.record;
    if work.is_new {
        return Some(MeshChange::Create { doc: resolved.doc, provenance: resolved.provenance });
    }
    if purges {
        let before = Before {
            attributes: record.doc.iter().map(|(name, values)| (name, Some(values.clone()))).collect(),
            rules: record.provenance.0.iter().map(|origins| rules_of(origins)).collect(),
            state: Some(record.state),
            anchor: Some(record.anchor.clone()),
            mesh_type: Some(record.mesh_type),
            sets: Vec::new(),
        };
        return Some(MeshChange::Purge { version: record.version, before });
    }
    let mut before = differences(view, &resolved, mesh_type);
    before.state = (record.state != work.state).then_some(record.state);
    before.anchor = (record.anchor != work.anchor).then(|| record.anchor.clone());
    if before.is_empty() {
        return None;
    }
    let Resolved { doc, provenance } = resolved;
    Some(MeshChange::Update { version: record.version, doc, provenance, state: work.state, before })
}

fn rules_of(origins: &[Origin]) -> Vec<RuleId> {
    origins.iter().map(|origin| origin.rule).collect()
}

/// Attributes whose value or origin differs, with what they were, in the order of names. Of a set of references only
/// what changed is told, because it may be large.
fn differences(view: &MeshView, resolved: &Resolved, mesh_type: &MeshTypeRules) -> Before {
    let record = &view.record;
    let mut before = Before::default();
    let old: Vec<(Name, &Values)> = record.doc.iter().collect();
    let new: Vec<(Name, &Values)> = resolved.doc.iter().collect();
    let (mut o, mut n) = (0, 0);
    let origins = |at: usize| record.provenance.0.get(at).map(Origins::as_slice).unwrap_or_default();
    let mut differs = |name: Name, old: Option<&Values>, new: Option<&Values>, was: &[Origin]| {
        let is_edges = mesh_type
            .attribute(name)
            .is_some_and(|known| known.kind.multi && known.kind.value == ValueType::Reference);
        if is_edges {
            before.sets.push(SetBefore::between(name, old, new));
        } else {
            before.attributes.push((name, old.cloned()));
            before.rules.push(rules_of(was));
        }
    };
    while o < old.len() || n < new.len() {
        let order = match (old.get(o), new.get(n)) {
            (Some((old, _)), Some((new, _))) => old.cmp(new),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        match order {
            Ordering::Less => {
                differs(old[o].0, Some(old[o].1), None, origins(o));
                o += 1;
            }
            Ordering::Greater => {
                differs(new[n].0, None, Some(new[n].1), &[]);
                n += 1;
            }
            Ordering::Equal => {
                if old[o].1 != new[n].1 || origins(o) != resolved.provenance.0[n].as_slice() {
                    differs(old[o].0, Some(old[o].1), Some(new[n].1), origins(o));
                }
                (o, n) = (o + 1, n + 1);
            }
        }
    }
    before
}

fn key_changes(
    work: &Work,
    resolved: &Resolved,
    mesh_type: &MeshTypeRules,
    is_deleted: bool,
    wakes: &mut Vec<Wake>,
) -> Vec<KeyChange> {
    let record = &work.view.record;
    let was_deleted = matches!(record.state, MeshState::Deleted { .. });
    let keys = |gone: bool, doc: &Object, anchor| {
        let mut keys = if gone { Vec::new() } else { keys_of(mesh_type, doc, anchor) };
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    let old: Vec<IndexKey> = keys(work.is_new || was_deleted, &record.doc, &record.anchor);
    let new: Vec<IndexKey> = keys(is_deleted, &resolved.doc, &work.anchor);
    let removed = old.iter().filter(|key| new.binary_search(key).is_err());
    let mut changes: Vec<KeyChange> = removed.map(|key| KeyChange { key: key.clone(), add: false }).collect();
    // A place that became free under a key that stays is as good as a new key to whoever waits for it.
    let has_room = work.links.iter().any(|link| matches!(link, LinkChange::Remove { .. }));
    let looks_different =
        mesh_type.compared.iter().any(|name| record.doc.get(*name) != resolved.doc.get(*name));
    for key in new {
        let is_new = old.binary_search(&key).is_err();
        let is_block = mesh_type.blocks.contains(&key.index);
        if !is_new && (has_room || (looks_different && is_block)) {
            wakes.push(Wake::Waiting { key: key.clone() });
        }
        changes.extend(is_new.then_some(KeyChange { key, add: true }));
    }
    // Who waits for a key may find somebody who gained it, and a conflict may end with somebody who lost it.
    wakes.extend(changes.iter().map(|change| Wake::Waiting { key: change.key.clone() }));
    changes
}

fn edge_changes(old: &Object, new: &Object, mesh_type: &MeshTypeRules, purges: bool) -> Vec<EdgeChange> {
    let mut edges = Vec::new();
    let references =
        mesh_type.schema.attributes.iter().filter(|(_, known)| known.kind.value == ValueType::Reference);
    for (attribute, _) in references {
        let (old, new) =
            (members(old, *attribute), if purges { Vec::new() } else { members(new, *attribute) });
        let change = |member: Uid, add| EdgeChange { attribute: *attribute, member, add };
        let (added, removed) = set_difference(&old, &new);
        edges.extend(removed.into_iter().map(|uid| change(uid, false)));
        edges.extend(added.into_iter().map(|uid| change(uid, true)));
    }
    edges
}

fn members(doc: &Object, attribute: Name) -> Vec<Uid> {
    let values = doc.get(attribute).map_or(&[][..], Values::as_slice);
    let mut uids: Vec<Uid> =
        values.iter().filter_map(Value::as_text).filter_map(|text| text.parse().ok()).collect();
    uids.sort_unstable();
    uids
}

/// Names that the object is about to hold in targets: those of new items, and of items that go on waiting.
fn names(work: &Work, projected: &Projected, rules: &RuleSet) -> Vec<IndexKey> {
    let replaced = |connector: &ConnectorId| {
        projected.cancelled.contains(connector)
            || projected.items.iter().any(|item| item.connector == *connector)
    };
    let waiting = work.view.items.iter().filter(|item| !replaced(&item.connector));
    let waiting = waiting.map(|item| (item.connector, None, &item.action));
    let new = projected.items.iter().map(|item| (item.connector, Some(item.object_type), &item.action));
    let mut names = Vec::new();
    for (connector, object_type, action) in new.chain(waiting) {
        names.extend(names_of(rules, connector, object_type, action).into_iter().map(|(_, key)| key));
    }
    names.sort_unstable();
    names.dedup();
    names
}
