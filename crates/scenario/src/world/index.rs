//! Indexes over management-space objects, so that a large world is no slower to ask than a small one.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_model::plan::IndexKey;
use identitymesh_model::{ConnectorId, MeshId, Name, SpaceId, Text, Uid, Value, Values, dn};

use super::state::Space;

/// All indexes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Indexes {
    external: BTreeMap<(ConnectorId, Text), BTreeMap<Name, SpaceId>>,
    linked: BTreeSet<(MeshId, SpaceId)>,
    names: BTreeSet<(IndexKey, SpaceId)>,
    waits: BTreeSet<(IndexKey, SpaceId)>,
    references: BTreeSet<(ConnectorId, Text, SpaceId)>,
    touched: BTreeSet<(ConnectorId, u64, SpaceId)>,
    uids: BTreeMap<Uid, MeshId>,
}

const FIRST: SpaceId = SpaceId(i64::MIN);
const LAST: SpaceId = SpaceId(i64::MAX);

impl Indexes {
    pub(super) fn add(&mut self, space: &Space) {
        let record = &space.record;
        let external = self.external.entry((record.connector, record.external_id.clone())).or_default();
        let before = external.insert(record.object_type, record.id);
        assert_eq!(before, None, "one object has the id {}", record.external_id);
        self.touched.insert((record.connector, space.touched, record.id));
        if let Some(link) = record.link {
            self.linked.insert((link.mesh, record.id));
        }
        self.names.extend(space.names.iter().map(|key| (key.clone(), record.id)));
        self.waits.extend(space.waits.iter().map(|key| (key.clone(), record.id)));
        self.references.extend(references(space).map(|key| (record.connector, spelling(key), record.id)));
    }

    pub(super) fn remove(&mut self, space: &Space) {
        let record = &space.record;
        let key = (record.connector, record.external_id.clone());
        if let Some(known) = self.external.get_mut(&key) {
            known.remove(&record.object_type);
            if known.is_empty() {
                self.external.remove(&key);
            }
        }
        self.touched.remove(&(record.connector, space.touched, record.id));
        if let Some(link) = record.link {
            self.linked.remove(&(link.mesh, record.id));
        }
        for key in &space.names {
            self.names.remove(&(key.clone(), record.id));
        }
        for key in &space.waits {
            self.waits.remove(&(key.clone(), record.id));
        }
        for key in references(space) {
            self.references.remove(&(record.connector, spelling(key), record.id));
        }
    }

    pub(super) fn external(&self, connector: ConnectorId, object_type: Name, id: &str) -> Option<SpaceId> {
        self.external.get(&(connector, Text::new(id)))?.get(&object_type).copied()
    }

    /// Objects of a connector with this external id, whatever their type.
    pub(super) fn called(&self, connector: ConnectorId, id: &Text) -> impl Iterator<Item = SpaceId> + '_ {
        self.external.get(&(connector, id.clone())).into_iter().flatten().map(|(_, space)| *space)
    }

    pub(super) fn linked(&self, mesh: MeshId) -> impl Iterator<Item = SpaceId> + '_ {
        self.linked.range((mesh, FIRST)..=(mesh, LAST)).map(|(_, space)| *space)
    }

    pub(super) fn named(&self, key: &IndexKey) -> impl Iterator<Item = SpaceId> + '_ {
        self.names.range((key.clone(), FIRST)..=(key.clone(), LAST)).map(|(_, space)| *space)
    }

    pub(super) fn waiting(&self, key: &IndexKey) -> impl Iterator<Item = SpaceId> + '_ {
        self.waits.range((key.clone(), FIRST)..=(key.clone(), LAST)).map(|(_, space)| *space)
    }

    /// Objects of a connector that hold a reference to this address, in whatever spelling.
    pub(super) fn referrers(&self, connector: ConnectorId, key: &Text) -> impl Iterator<Item = SpaceId> + '_ {
        let key = spelling(key);
        let range = (connector, key.clone(), FIRST)..=(connector, key, LAST);
        self.references.range(range).map(|(_, _, space)| *space)
    }

    pub(super) fn touched_after(
        &self,
        connector: ConnectorId,
        (touched, space): (u64, SpaceId),
    ) -> impl Iterator<Item = (u64, SpaceId)> + '_ {
        use std::ops::Bound::{Excluded, Included};
        let from = Excluded((connector, touched, space));
        let rows = self.touched.range((from, Included((connector, u64::MAX, LAST))));
        rows.map(|(_, touched, space)| (*touched, *space))
    }

    pub(super) fn add_mesh(&mut self, uid: Uid, id: MeshId) {
        self.uids.insert(uid, id);
    }

    pub(super) fn remove_mesh(&mut self, uid: Uid) {
        self.uids.remove(&uid);
    }

    pub(super) fn mesh(&self, uid: Uid) -> Option<MeshId> {
        self.uids.get(&uid).copied()
    }
}

/// The one spelling of an address by which a store finds references from the other end.
fn spelling(key: &Text) -> Text {
    if key.contains('=') { Text::from(dn::normalise(key)) } else { key.to_lowercase() }
}

fn references(space: &Space) -> impl Iterator<Item = &Text> {
    let values = space.record.doc.iter().flat_map(|(_, values)| Values::as_slice(values));
    values.filter_map(|value| match value {
        Value::Reference(key) => Some(key),
        _ => None,
    })
}
