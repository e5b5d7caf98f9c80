//! Nothing counts as gone because it was not seen: what the management spaces take as gone is gone in its system.

use std::collections::BTreeSet;

use identitymesh_connector_fake::Fault;
use identitymesh_model::plan::ItemAction;
use identitymesh_model::{ConnectorId, Name, Text, Value};
use identitymesh_store::ItemState;

use super::store::Tables;
use super::{Scene, broken};
use crate::step::{Disturbance, Step};
use crate::systems::{Which, name};

/// An object of a connector.
pub(super) type Key = (ConnectorId, Name, Text);

/// What was there after the step before.
#[derive(Default)]
pub(crate) struct Absence {
    present: BTreeSet<Key>,
}

impl Absence {
    /// Says what has come to count as gone.
    pub(super) fn check(&mut self, tables: &Tables, scene: &Scene<'_>) -> Result<Vec<Key>, String> {
        let present: BTreeSet<Key> = tables
            .spaces
            .iter()
            .filter(|space| !space.deleted)
            .map(|space| (space.connector, space.object_type, space.external_id.clone()))
            .collect();
        let gone: Vec<Key> = self.present.difference(&present).cloned().collect();
        for (connector, object_type, external_id) in &gone {
            let Some(which) = scene.connectors.get(connector) else { continue };
            let is_there = scene.systems.get(*which).object(*object_type, external_id).is_some();
            let is_excused = *which == Which::Hr && scene.said.is_withheld(*object_type, external_id);
            if is_there && !is_excused && !is_being_made(tables, *connector, external_id) {
                let what = format_args!("{} {object_type} {external_id}", which.word());
                return broken("what counts as gone is gone", what);
            }
        }
        if let Step::Work(_, Some(Disturbance::System(which, Fault::ZeroRows))) = scene.step
            && let Some((connector, _, _)) = gone.iter().find(|(connector, _, _)| {
                scene.connectors.get(connector) == Some(which) && *which == Which::Hr
            })
        {
            return broken("nothing delivered proves nothing", format_args!("connector {connector}"));
        }
        self.present = present;
        Ok(gone)
    }
}

/// Whether it went and may have been made anew under the same key, with the answer to that still out.
fn is_being_made(tables: &Tables, connector: ConnectorId, external_id: &Text) -> bool {
    tables.items.iter().any(|item| match &item.action {
        ItemAction::Create { attributes, .. } => {
            let key = attributes.single(name("id")).and_then(Value::as_text);
            (item.connector, item.state, key) == (connector, ItemState::Leased, Some(external_id.as_str()))
        }
        _ => false,
    })
}
