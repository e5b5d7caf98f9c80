//! What the rules would do next if an undo were done already.

use std::collections::HashMap;

use identitymesh_engine::export::{after_create, after_update};
use identitymesh_engine::undo::Back;
use identitymesh_engine::{PlanContext, Planner, Seeds};
use identitymesh_model::plan::ItemAction;
use identitymesh_model::{
    ConnectorId, Link, LinkMode, MeshId, MeshView, Name, RunId, SpaceId, SpaceRecord, Text,
};
use identitymesh_store::{Reader, UndoNext, item_hash};

use crate::surroundings::Surroundings;
use crate::{Mesh, RunError};

/// The number of an object that does not exist yet.
const NEW_SPACE: SpaceId = SpaceId(i64::MAX);

/// Mesh objects as they would be.
#[derive(Default)]
pub(super) struct Imagined(HashMap<MeshId, MeshView>);

impl Imagined {
    /// Carries out what leads back, in thought.
    pub(super) fn add(&mut self, view: MeshView, connector: ConnectorId, back: &Back, address: Option<Name>) {
        let view = self.0.entry(view.record.id).or_insert(view);
        view.items.retain(|item| item.connector != connector);
        match &back.action {
            ItemAction::Update { space, address: new, changes, .. } => {
                if let Some(record) = view.linked.iter_mut().find(|record| record.id == *space) {
                    let (doc, exported) = after_update(record, new.as_ref(), changes, address);
                    record.doc = doc;
                    (record.exported, record.drift) = (exported.names.into(), exported.drift);
                    record.unconfirmed = true;
                }
            }
            ItemAction::Delete { space } => view.linked.retain(|record| record.id != *space),
            ItemAction::Create { attributes, .. } => {
                let (doc, exported) = after_create(attributes, address);
                let (mesh, rule) = (view.record.id, back.rule);
                view.linked.push(SpaceRecord {
                    id: NEW_SPACE,
                    connector,
                    object_type: back.object_type,
                    external_id: Text::default(),
                    doc,
                    deleted: false,
                    unconfirmed: true,
                    exported: exported.names.into(),
                    drift: exported.drift,
                    link: Some(Link { mesh, rule, mode: LinkMode::Projected, score: None }),
                });
            }
        }
    }

    /// What a sync would queue for each of them, by target.
    pub(super) fn next(
        &self,
        mesh: &Mesh,
        reader: &mut dyn Reader,
    ) -> Result<HashMap<(MeshId, ConnectorId), UndoNext>, RunError> {
        let in_force = mesh.in_force()?;
        let context =
            PlanContext { now: mesh.clock.now(), run: RunId(0), ids: mesh.ids.as_ref(), reindex: false };
        let mut ids: Vec<MeshId> = self.0.keys().copied().collect();
        ids.sort_unstable();
        let mut around = Surroundings { reader, imagined: &self.0, cut: None };
        let seeds = Seeds { spaces: Vec::new(), mesh: ids };
        let outcome = Planner::new(&in_force.rules).plan(seeds, &context, &mut around)?;
        let mut next = HashMap::new();
        for object in outcome.plan.objects.iter().filter(|object| self.0.contains_key(&object.id)) {
            for item in &object.items {
                let body = serde_json::to_string(&item.action)
                    .map_err(|source| RunError::Stored { what: "action", source })?;
                let hash = item_hash(object.uid, item.object_type, item.operation, &body);
                let (object_type, operation) = (item.object_type, item.operation);
                next.insert(
                    (object.id, item.connector),
                    UndoNext { object_type, operation, action: body, hash },
                );
            }
        }
        Ok(next)
    }
}
