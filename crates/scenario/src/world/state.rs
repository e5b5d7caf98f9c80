//! What a store keeps, in memory.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_model::plan::{IndexKey, ItemAction, Note, Operation};
use identitymesh_model::{
    ConnectorId, ItemId, ItemRecord, LeaveRecord, MeshId, MeshRecord, MeshView, Name, RuleId, SpaceId,
    SpaceRecord, Timestamp, Uid,
};

/// A management-space object with what belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    /// The object.
    pub record: SpaceRecord,
    /// A sync has to look at it.
    pub touched: bool,
    /// Keys under which it is found.
    pub names: Vec<IndexKey>,
    /// Why it has no mesh object.
    pub note: Option<Note>,
    /// Keys of mesh objects that it waits for.
    pub waits: Vec<IndexKey>,
}

/// A queue item with what belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Whose it is.
    pub mesh: MeshId,
    /// The public id of that.
    pub uid: Uid,
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
    /// How often it has been sent.
    pub attempts: u32,
    /// Not before.
    pub not_before: Option<Timestamp>,
    /// Sent, and nobody knows what became of it.
    pub in_flight: bool,
    /// Put aside, with the reason.
    pub dead: Option<String>,
}

/// Something that a sync has to look at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Todo {
    /// A management-space object.
    Space(SpaceId),
    /// A mesh object.
    Mesh(MeshId),
}

/// Everything a store keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Management-space objects.
    pub spaces: BTreeMap<SpaceId, Space>,
    /// Mesh objects.
    pub mesh: BTreeMap<MeshId, MeshRecord>,
    /// The export queue.
    pub items: BTreeMap<ItemId, Item>,
    /// Targets that mesh objects are leaving.
    pub leaving: BTreeMap<(MeshId, ConnectorId), LeaveRecord>,
    pub(super) join_index: BTreeSet<(IndexKey, MeshId)>,
    pub(super) names: BTreeMap<MeshId, Vec<IndexKey>>,
    pub(super) edges: BTreeSet<(MeshId, Name, Uid)>,
    pub(super) todo: BTreeMap<Todo, Option<Timestamp>>,
    pub(super) address_waits: BTreeSet<(ConnectorId, Uid, MeshId)>,
    pub(super) last_space: i64,
    pub(super) last_mesh: i64,
    pub(super) last_item: i64,
}

impl State {
    /// A mesh object with everything around it.
    #[must_use]
    pub fn view(&self, id: MeshId) -> Option<MeshView> {
        let record = self.mesh.get(&id)?.clone();
        let linked = self.linked(id).map(|space| space.record.clone()).collect();
        let items = self.items.iter().filter(|(_, item)| item.mesh == id);
        let items = items.map(|(id, item)| ItemRecord {
            id: *id,
            connector: item.connector,
            action: item.action.clone(),
            in_flight: item.in_flight,
            dead: item.dead.is_some(),
        });
        let leaving = self.leaving.iter().filter(|((mesh, _), _)| *mesh == id).map(|(_, leave)| *leave);
        Some(MeshView { record, linked, items: items.collect(), leaving: leaving.collect() })
    }

    /// The objects linked to a mesh object, in the order of their ids.
    pub fn linked(&self, id: MeshId) -> impl Iterator<Item = &Space> {
        self.spaces.values().filter(move |space| space.record.link.is_some_and(|link| link.mesh == id))
    }

    /// The object of a connector and type with this external id.
    #[must_use]
    pub fn space(&self, connector: ConnectorId, object_type: Name, external_id: &str) -> Option<SpaceId> {
        let is_it = |space: &&Space| {
            (space.record.connector, space.record.object_type) == (connector, object_type)
                && space.record.external_id == external_id
        };
        self.spaces.values().find(is_it).map(|space| space.record.id)
    }

    /// The mesh object with this public id.
    #[must_use]
    pub fn mesh_by_uid(&self, uid: Uid) -> Option<&MeshRecord> {
        self.mesh.values().find(|record| record.uid == uid)
    }

    pub(super) fn next_space(&mut self) -> SpaceId {
        self.last_space += 1;
        SpaceId(self.last_space)
    }

    pub(super) fn next_item(&mut self) -> ItemId {
        self.last_item += 1;
        ItemId(self.last_item)
    }
}
