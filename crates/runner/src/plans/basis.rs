//! What a change was made from, as a hash: the mesh object with its version, its objects, its queue, its leave states.

use std::collections::HashMap;
use std::fmt::Write as _;

use identitymesh_model::plan::{LinkChange, ObjectPlan, Plan};
use identitymesh_model::{ContentHash, MeshId, MeshView, SpaceId, SpaceRecord};
use identitymesh_store::{Reader, StoreError};
use serde::{Deserialize, Serialize};

/// One part of a plan with what it was made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PlanPart {
    /// What to change.
    pub(super) plan: Plan,
    /// What that was made from.
    pub(super) bases: Bases,
}

/// Hashes of what the changes of a part were made from, in the order of the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bases {
    /// One for each mesh object.
    pub(super) objects: Vec<ContentHash>,
    /// One for each management-space object without a mesh object.
    pub(super) spaces: Vec<ContentHash>,
}

/// The state around everything that a part of a plan changes.
pub(super) fn bases(reader: &mut dyn Reader, plan: &Plan) -> Result<Bases, StoreError> {
    let ids: Vec<MeshId> = plan.objects.iter().map(|object| object.id).collect();
    let views = reader.views(&ids)?;
    let mut spaces: Vec<SpaceId> = plan.spaces.iter().map(|space| space.space).collect();
    spaces.extend(plan.objects.iter().flat_map(added));
    spaces.extend(views.iter().flatten().flat_map(|view| view.linked.iter().map(|record| record.id)));
    spaces.sort_unstable();
    spaces.dedup();
    let records = reader.spaces(&spaces)?.into_iter();
    let hashes = reader.space_hashes(&spaces)?.into_iter();
    let known: HashMap<SpaceId, String> = spaces
        .iter()
        .zip(records.zip(hashes))
        .filter_map(|(id, (record, known))| Some((*id, space_text(&record?, known?.hash))))
        .collect();
    let text_of = |id: &SpaceId| known.get(id).map_or("gone", String::as_str);
    let mut objects = Vec::with_capacity(plan.objects.len());
    for (object, view) in plan.objects.iter().zip(&views) {
        let mut text = view.as_ref().map_or_else(String::new, |view| view_text(view, &text_of));
        added(object).for_each(|id| writeln!(text, "to be linked {}", text_of(&id)).expect("a string grows"));
        for name in &object.names {
            let is_taken = reader.is_taken(name, object.id)?;
            writeln!(text, "name {} {:?} {is_taken}", name.index, name.key).expect("a string grows");
        }
        objects.push(ContentHash::of(&text));
    }
    let spaces = plan.spaces.iter().map(|space| ContentHash::of(text_of(&space.space))).collect();
    Ok(Bases { objects, spaces })
}

fn added(object: &ObjectPlan) -> impl Iterator<Item = SpaceId> + '_ {
    object.links.iter().filter_map(|link| match link {
        LinkChange::Add { space, .. } => Some(*space),
        LinkChange::Remove { .. } => None,
    })
}

fn space_text(record: &SpaceRecord, hash: ContentHash) -> String {
    let SpaceRecord { id, external_id, deleted, unconfirmed, link, drift, .. } = record;
    format!("space {id} {external_id:?} {hash} {deleted} {unconfirmed} {link:?} {drift:?}")
}

fn view_text<'t>(view: &MeshView, space: &impl Fn(&SpaceId) -> &'t str) -> String {
    let record = &view.record;
    let mut text = format!("mesh {} {} {:?}\n", record.uid, record.version, record.state);
    for linked in &view.linked {
        writeln!(text, "{}", space(&linked.id)).expect("a string grows");
    }
    for item in &view.items {
        let action = serde_json::to_string(&item.action).expect("an action is JSON");
        writeln!(text, "item {} {} {} {action}", item.connector, item.in_flight, item.dead)
            .expect("a string grows");
    }
    for leave in &view.leaving {
        writeln!(text, "{leave:?}").expect("a string grows");
    }
    text
}
