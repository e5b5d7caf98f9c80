//! What a store keeps, in memory.
//!
//! Management-space objects are changed through [`State::edit`] alone, which keeps every index over them in step.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_model::joins::{JoinDecision, Member};
use identitymesh_model::plan::{IndexKey, ItemAction, Note, Operation};
use identitymesh_model::{
    ConnectorId, FormerLink, ItemId, ItemRecord, LeaveRecord, MeshId, MeshRecord, MeshView, Name, RuleId,
    SpaceId, SpaceRecord, Timestamp, Uid,
};

use super::index::Indexes;

/// A management-space object with what belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    /// The object.
    pub record: SpaceRecord,
    /// The commit that touched it last; a sync looks at what was touched since its last one.
    pub touched: u64,
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
    /// Leased although it was in flight: the target is asked before anything is sent.
    pub unsettled: bool,
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
    spaces: BTreeMap<SpaceId, Space>,
    /// Mesh objects.
    pub mesh: BTreeMap<MeshId, MeshRecord>,
    /// The export queue.
    pub items: BTreeMap<ItemId, Item>,
    live: BTreeMap<(MeshId, ConnectorId), ItemId>,
    /// Targets that mesh objects are leaving.
    pub leaving: BTreeMap<(MeshId, ConnectorId), LeaveRecord>,
    pub(super) index: Indexes,
    pub(super) join_index: BTreeSet<(IndexKey, MeshId)>,
    /// Who last had a name that it has no more.
    former: BTreeMap<IndexKey, SpaceId>,
    names: BTreeMap<MeshId, Vec<IndexKey>>,
    named: BTreeSet<(IndexKey, MeshId)>,
    pub(super) edges: BTreeSet<(MeshId, Name, Uid)>,
    pub(super) holders: BTreeMap<Uid, BTreeSet<(MeshId, Name)>>,
    pub(super) todo: BTreeMap<Todo, Option<Timestamp>>,
    pub(super) address_waits: BTreeSet<(ConnectorId, Uid, MeshId)>,
    pub(super) cursors: BTreeMap<ConnectorId, (u64, SpaceId)>,
    pub(super) watermarks: BTreeMap<ConnectorId, u64>,
    /// Whether the last import of a connector ended well.
    pub(super) imported: BTreeMap<ConnectorId, bool>,
    /// Whether the last full import of these objects proved that it showed everything.
    pub(super) covered: BTreeMap<(ConnectorId, Name), bool>,
    pub(super) last_space: i64,
    pub(super) last_mesh: i64,
    pub(super) last_item: i64,
    /// What people said for good about objects and mesh objects.
    pub rulings: BTreeMap<Member, BTreeMap<Uid, bool>>,
    /// What people decided about joins, in order, each with the decision that it takes back.
    pub decisions: Vec<(JoinDecision, Option<usize>)>,
    /// The last link of objects that have none.
    pub(super) ended: BTreeMap<Member, FormerLink>,
    last_commit: u64,
}

impl State {
    /// All management-space objects, in the order of their ids.
    pub fn spaces(&self) -> impl Iterator<Item = &Space> {
        self.spaces.values()
    }

    /// One management-space object.
    #[must_use]
    pub fn space(&self, id: SpaceId) -> Option<&Space> {
        self.spaces.get(&id)
    }

    /// The object of a connector and type with this external id.
    #[must_use]
    pub fn find(&self, connector: ConnectorId, object_type: Name, external_id: &str) -> Option<SpaceId> {
        self.index.external(connector, object_type, external_id)
    }

    pub(super) fn add(&mut self, space: Space) {
        self.index.add(&space);
        let before = self.spaces.insert(space.record.id, space);
        assert!(before.is_none(), "a new management-space object is new");
    }

    /// Changes an object; `None` when there is none.
    pub(super) fn edit<T>(&mut self, id: SpaceId, change: impl FnOnce(&mut Space) -> T) -> Option<T> {
        let space = self.spaces.get_mut(&id)?;
        self.index.remove(space);
        let names = space.names.clone();
        let done = change(space);
        self.index.add(space);
        let gone = names.into_iter().filter(|name| !space.names.contains(name));
        self.former.extend(gone.map(|name| (name, id)));
        Some(done)
    }

    pub(super) fn remove(&mut self, id: SpaceId) {
        if let Some(space) = self.spaces.remove(&id) {
            self.index.remove(&space);
            self.former.retain(|_, former| *former != id);
        }
    }

    /// Who last had a name that it has no more.
    pub(super) fn former(&self, name: &IndexKey) -> Option<SpaceId> {
        self.former.get(name).copied()
    }

    /// The live item of a mesh object in a target.
    pub(super) fn live(&self, mesh: MeshId, connector: ConnectorId) -> Option<ItemId> {
        self.live.get(&(mesh, connector)).copied()
    }

    pub(super) fn add_item(&mut self, item: Item) {
        self.last_item += 1;
        let id = ItemId(self.last_item);
        self.live.insert((item.mesh, item.connector), id);
        self.items.insert(id, item);
    }

    pub(super) fn remove_item(&mut self, id: ItemId) {
        if let Some(item) = self.items.remove(&id) {
            self.live.remove(&(item.mesh, item.connector));
        }
    }

    /// Replaces the names that a mesh object holds in targets.
    pub(super) fn hold_names(&mut self, mesh: MeshId, names: &[IndexKey]) {
        for key in self.names.remove(&mesh).unwrap_or_default() {
            self.named.remove(&(key, mesh));
        }
        self.named.extend(names.iter().map(|key| (key.clone(), mesh)));
        if !names.is_empty() {
            self.names.insert(mesh, names.to_vec());
        }
    }

    /// Whether a mesh object other than `except` holds a name.
    pub(super) fn is_named(&self, key: &IndexKey, except: MeshId) -> bool {
        let range = (key.clone(), MeshId(i64::MIN))..=(key.clone(), MeshId(i64::MAX));
        self.named.range(range).any(|(_, mesh)| *mesh != except)
    }

    /// A mesh object with everything around it.
    #[must_use]
    pub fn view(&self, id: MeshId) -> Option<MeshView> {
        let record = self.mesh.get(&id)?.clone();
        let linked = self.linked(id).map(|space| space.record.clone()).collect();
        let live = self.live.range((id, ConnectorId(i64::MIN))..=(id, ConnectorId(i64::MAX)));
        let items = live.map(|(_, id)| (*id, &self.items[id])).map(|(id, item)| ItemRecord {
            id,
            connector: item.connector,
            rule: item.rule,
            action: item.action.clone(),
            in_flight: item.in_flight,
            dead: item.dead.is_some(),
            by_hand: false,
        });
        let leaving = self.leaving.range((id, ConnectorId(i64::MIN))..=(id, ConnectorId(i64::MAX)));
        let leaving = leaving.map(|(_, leave)| *leave).collect();
        Some(MeshView { record, linked, items: items.collect(), leaving, trace: None })
    }

    /// The objects linked to a mesh object, in the order of their ids.
    pub fn linked(&self, id: MeshId) -> impl Iterator<Item = &Space> {
        self.index.linked(id).map(|space| &self.spaces[&space])
    }

    /// The mesh object with this public id.
    #[must_use]
    pub fn mesh_by_uid(&self, uid: Uid) -> Option<&MeshRecord> {
        self.index.mesh(uid).and_then(|id| self.mesh.get(&id))
    }

    /// Objects that were touched after the cursor, in the order in which that happened.
    pub(super) fn pending(&self, connector: ConnectorId, limit: usize) -> Vec<(u64, SpaceId)> {
        let (touched, space) = self.cursors.get(&connector).copied().unwrap_or((0, SpaceId(i64::MAX)));
        self.index.touched_after(connector, (touched, space)).take(limit).collect()
    }

    /// The number of the next transaction that touches objects.
    pub(super) const fn next_commit(&mut self) -> u64 {
        self.last_commit += 1;
        self.last_commit
    }

    pub(super) fn next_space(&mut self) -> SpaceId {
        self.last_space += 1;
        SpaceId(self.last_space)
    }
}
