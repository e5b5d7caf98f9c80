//! Whatever a run changed in a target has its row in the audit, or its item still stands in the queue: it was recorded
//! before it was sent, and nothing was sent that is not.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_connector::ImportedObject;
use identitymesh_model::{MeshId, Object, Value, Values};
use identitymesh_store::audit::ChangeKind;

use super::store::Tables;
use super::{Scene, Targets, Verdict, broken, owner};
use crate::step::Step;
use crate::systems::Which;

/// The anchors of all mesh objects that ever were.
#[derive(Default)]
pub(crate) struct Record {
    anchors: BTreeMap<MeshId, String>,
}

impl Record {
    pub(super) fn check(
        &mut self,
        tables: &Tables,
        scene: &Scene<'_>,
        [before, after]: [&Targets; 2],
    ) -> Verdict {
        self.anchors.extend(tables.meshes.iter().map(|row| (row.id, row.anchor.to_string())));
        if !matches!(scene.step, Step::Work(..)) {
            return Ok(());
        }
        let rows = tables.changes.iter().filter(|row| row.kind == ChangeKind::Export);
        let rows = rows.filter_map(|row| Some((row.connector?, row.mesh)));
        let items = tables.items.iter().map(|item| (item.connector, item.mesh));
        let recorded: BTreeSet<(Which, &str)> = rows
            .chain(items)
            .filter_map(|(connector, mesh)| {
                Some((*scene.connectors.get(&connector)?, self.anchors.get(&mesh)?.as_str()))
            })
            .collect();
        for (key, object) in before.0.iter().chain(&after.0) {
            let (was, is) = (before.0.get(key).map(own), after.0.get(key).map(own));
            let owner = owner(object);
            if was != is && !recorded.contains(&(key.0, owner.as_str())) && !scene.said.is_by_hand(&owner) {
                let what = format_args!("{} {owner}: {was:?} became {is:?}", key.0.word());
                return broken("what a run changed has its row or its item", what);
            }
        }
        Ok(())
    }
}

/// What belongs to the object alone: references follow when somebody else is moved.
fn own(object: &ImportedObject) -> Object {
    let is_reference =
        |values: &Values| values.as_slice().iter().any(|value| matches!(value, Value::Reference(_)));
    let mut own = Object::new();
    for (name, values) in object.attributes.iter().filter(|(_, values)| !is_reference(values)) {
        own.put(name, Some(values.clone()));
    }
    own
}
