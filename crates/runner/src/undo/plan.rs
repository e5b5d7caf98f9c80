//! The plan of an undo, and carrying it out.

use std::collections::{BTreeMap, HashMap};

use identitymesh_engine::names_of;
use identitymesh_engine::stage::Told;
use identitymesh_engine::undo::{Back, back, moved_references, respell};
use identitymesh_model::plan::{IndexKey, ItemAction, Operation};
use identitymesh_model::{ConnectorId, ContentHash, MeshId, MeshView, Name, RuleId, SpaceId, Text, Uid};
use identitymesh_store::{Reader, UndoBatch, UndoItem, UndoNext};
use serde::Serialize;

use super::around::around;
use super::imagine::Imagined;
use super::select::{Group, UndoScope, cannot, select};
use crate::import::referents;
use crate::run::{Run, RunReport, Steps};
use crate::{InForce, Mesh, RunError};

/// Mesh objects that are planned together.
const OBJECTS_PLANNED: usize = 5_000;

/// What leads back, and what stays.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UndoPlan {
    /// What is undone: `run 17`.
    pub scope: String,
    /// One entry for each mesh object and target.
    pub entries: Vec<UndoEntry>,
    /// What stays as it is, and why.
    pub stays: Vec<UndoStays>,
}

/// What leads back for one mesh object in one target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UndoEntry {
    /// The mesh object.
    pub mesh: MeshId,
    /// Its public id.
    pub uid: Uid,
    /// Its anchor.
    pub anchor: Text,
    /// The target.
    pub connector: ConnectorId,
    /// The projection rule.
    pub rule: RuleId,
    /// The target's object type.
    pub object_type: Name,
    /// As people count it.
    pub operation: Operation,
    /// What to do.
    pub action: ItemAction,
    /// The object that it was planned from, with its content's hash.
    pub seen: Option<(SpaceId, ContentHash)>,
    /// The operation that the rules would do next, which is rejected beforehand; and its content's hash.
    pub next: Option<(Operation, ContentHash)>,
    #[serde(skip)]
    names: Vec<IndexKey>,
    #[serde(skip)]
    rejected: Option<UndoNext>,
}

/// Something that an undo leaves as it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UndoStays {
    /// The mesh object.
    pub mesh: MeshId,
    /// Its public id.
    pub uid: Uid,
    /// The target.
    pub connector: ConnectorId,
    /// The attribute; `None` for the object as a whole.
    pub attribute: Option<Name>,
    /// Why, in one sentence.
    pub why: &'static str,
}

impl UndoPlan {
    /// The hash of everything in it: what an approval names.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        ContentHash::of(&serde_json::to_string(self).expect("a plan is JSON"))
    }
}

/// Plans an undo; nothing is written.
///
/// # Errors
/// When there is nothing that can be undone, or the store cannot be read.
pub fn plan_undo(mesh: &Mesh, scope: &UndoScope) -> Result<UndoPlan, RunError> {
    let in_force = mesh.in_force()?;
    let mut reader = mesh.store.read()?;
    let groups = select(reader.as_mut(), scope)?;
    let mut plan = UndoPlan { scope: scope.to_string(), entries: Vec::new(), stays: Vec::new() };
    for part in groups.chunks(OBJECTS_PLANNED) {
        plan_part(mesh, &in_force, reader.as_mut(), part, &mut plan)?;
    }
    Ok(plan)
}

fn plan_part(
    mesh: &Mesh,
    in_force: &InForce,
    reader: &mut dyn Reader,
    groups: &[Group],
    plan: &mut UndoPlan,
) -> Result<(), RunError> {
    let mut imagined = Imagined::default();
    let first = plan.entries.len();
    let ids: Vec<MeshId> = groups.iter().map(|group| group.mesh).collect();
    let views: HashMap<MeshId, MeshView> =
        reader.views(&ids)?.into_iter().flatten().map(|view| (view.record.id, view)).collect();
    for group in groups {
        let (mesh_id, uid, connector) = (group.mesh, group.uid, group.connector);
        let stays = |attribute, why| UndoStays { mesh: mesh_id, uid, connector, attribute, why };
        let Some(view) = views.get(&group.mesh) else {
            plan.stays.push(stays(None, "its mesh object is gone for good"));
            continue;
        };
        if view.items.iter().any(|item| item.connector == connector && item.in_flight) {
            plan.stays.push(stays(None, "a change is on its way to it; run the export first"));
            continue;
        }
        let mut around = around(reader, group)?;
        let moved = moved_references(&in_force.rules, &around);
        let referents = referents(connector, moved, &Told::new(), reader)?;
        respell(&in_force.rules, &mut around, &referents);
        let (found, left) = back(&in_force.rules, view.record.mesh_type, connector, &around);
        plan.stays.extend(left.into_iter().map(|(attribute, why)| stays(attribute, why)));
        let Some(back) = found else { continue };
        let names = names_of(&in_force.rules, connector, Some(back.object_type), &back.action);
        if let Some(attribute) = taken(reader, &names, mesh_id)? {
            plan.stays.push(stays(Some(attribute), "somebody else has its name by now"));
            continue;
        }
        let seen = match around.now.as_ref().map(|now| now.id) {
            Some(id) => reader.space_hashes(&[id])?.pop().flatten().map(|hashed| (id, hashed.hash)),
            None => None,
        };
        let address = in_force
            .rules
            .connector(connector)
            .and_then(|known| known.object_type(back.object_type).and_then(|known| known.address()));
        imagined.add(view.clone(), connector, &back, address);
        let Back { rule, object_type, operation, action } = back;
        let anchor = view.record.anchor.clone();
        let (next, rejected) = (None, None);
        plan.entries.push(UndoEntry {
            mesh: mesh_id,
            uid,
            anchor,
            connector,
            rule,
            object_type,
            operation,
            action,
            seen,
            next,
            names: names.into_iter().map(|(_, name)| name).collect(),
            rejected,
        });
    }
    let next = imagined.next(mesh, reader)?;
    for entry in &mut plan.entries[first..] {
        entry.rejected = next.get(&(entry.mesh, entry.connector)).cloned();
        entry.next = entry.rejected.as_ref().map(|next| (next.operation, next.hash));
    }
    Ok(())
}

/// The attribute with a name that somebody else has, or waits to be given.
fn taken(
    reader: &mut dyn Reader,
    names: &[(Name, IndexKey)],
    mesh: MeshId,
) -> Result<Option<Name>, RunError> {
    for (attribute, name) in names {
        if reader.is_taken(name, mesh)? {
            return Ok(Some(*attribute));
        }
    }
    Ok(None)
}

/// Plans an undo and queues it; the next exports send it, after the guard has seen it.
///
/// # Errors
/// When there is nothing to undo, the plan is not the one that `expected` names, or the store cannot be written.
pub fn undo(
    mesh: &Mesh,
    scope: &UndoScope,
    expected: Option<ContentHash>,
    reason: &str,
) -> Result<RunReport, RunError> {
    let mut run = Run::begin(mesh, Steps::Undo, None)?;
    let result = carry_out(&mut run, scope, expected, reason);
    run.end(result)
}

fn carry_out(
    run: &mut Run,
    scope: &UndoScope,
    expected: Option<ContentHash>,
    reason: &str,
) -> Result<(), RunError> {
    let plan = plan_undo(&run.mesh, scope)?;
    let hash = plan.content_hash();
    if expected.is_some_and(|expected| expected != hash) {
        return Err(cannot(format!("the plan is {hash} by now; look at it again")));
    }
    if plan.entries.is_empty() {
        return Err(cannot(format!("nothing of {scope} is left to undo")));
    }
    run.count("stays", plan.stays.len() as u64);
    let mut targets: BTreeMap<ConnectorId, Vec<UndoItem>> = BTreeMap::new();
    for entry in plan.entries {
        let UndoEntry { mesh, uid, rule, object_type, operation, action, seen, names, .. } = entry;
        let (connector, next) = (entry.connector, entry.rejected);
        let item = UndoItem { mesh, uid, rule, object_type, operation, action, seen, names, next };
        targets.entry(connector).or_default().push(item);
    }
    for (connector, items) in targets {
        let reason = format!("{scope}: {reason}");
        let batch = UndoBatch { cause: run.cause(), connector, items, reason };
        let receipt = run.mesh.store.undo(batch).wait()?;
        run.count("queued", receipt.queued);
        run.count("moved", receipt.moved.len() as u64);
    }
    Ok(())
}
