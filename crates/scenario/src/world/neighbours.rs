//! The engine's questions, answered from memory.

use std::convert::Infallible;

use identitymesh_engine::{Neighbours, Referred};
use identitymesh_model::plan::IndexKey;
use identitymesh_model::{ConnectorId, MeshId, MeshView, Name, SpaceRecord, Text, Uid, Value};

use super::State;

/// A view of a state that does not change while a part is planned.
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    pub(super) last_mesh: i64,
}

impl<'a> View<'a> {
    pub(super) const fn new(state: &'a State) -> Self {
        Self { state, last_mesh: state.last_mesh }
    }

    fn referred_one(&self, found: Vec<&SpaceRecord>) -> Option<Referred> {
        let [space] = found.as_slice() else { return None };
        let mesh = space.link.and_then(|link| self.state.mesh.get(&link.mesh)).map(|record| record.uid);
        Some(Referred { space: space.id, mesh })
    }
}

impl Neighbours for View<'_> {
    type Error = Infallible;

    fn new_mesh_id(&mut self) -> Result<MeshId, Infallible> {
        self.last_mesh += 1;
        Ok(MeshId(self.last_mesh))
    }

    fn candidates(&mut self, keys: &[IndexKey]) -> Result<Vec<Vec<MeshId>>, Infallible> {
        let of = |key: &IndexKey| -> Vec<MeshId> {
            let from = (key.clone(), MeshId(i64::MIN));
            let rows = self.state.join_index.range(from..);
            rows.take_while(|(known, _)| known == key).map(|(_, id)| *id).collect()
        };
        Ok(keys.iter().map(of).collect())
    }

    fn views(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshView>>, Infallible> {
        Ok(ids.iter().map(|id| self.state.view(*id)).collect())
    }

    fn referred(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Result<Vec<Option<Referred>>, Infallible> {
        let of = |reference: &Text| {
            let objects = self.state.spaces.values();
            let objects =
                objects.filter(|space| space.record.connector == connector && !space.record.deleted);
            let found = objects.filter(|space| match by_address {
                Some(index) => space.names.iter().any(|name| name.index == index && name.key == *reference),
                None => space.record.external_id == *reference,
            });
            self.referred_one(found.map(|space| &space.record).collect())
        };
        Ok(references.iter().map(of).collect())
    }

    fn addresses(
        &mut self,
        connector: ConnectorId,
        address: Option<Name>,
        uids: &[Uid],
    ) -> Result<Vec<Option<Text>>, Infallible> {
        Ok(uids.iter().map(|uid| self.state.address_of(connector, address, *uid)).collect())
    }

    fn is_taken(&mut self, key: &IndexKey, except: MeshId) -> Result<bool, Infallible> {
        let by_item = self.state.names.iter().any(|(mesh, names)| *mesh != except && names.contains(key));
        let by_object = self.state.spaces.values().any(|space| {
            space.names.contains(key) && space.record.link.is_none_or(|link| link.mesh != except)
        });
        Ok(by_item || by_object)
    }
}

impl State {
    /// Where a mesh object is found in a target.
    pub(super) fn address_of(&self, connector: ConnectorId, address: Option<Name>, uid: Uid) -> Option<Text> {
        let mesh = self.mesh_by_uid(uid)?;
        let mut objects = self.linked(mesh.id).map(|space| &space.record);
        let object = objects.find(|record| record.connector == connector && !record.deleted)?;
        match address {
            Some(name) => object.doc.single(name).and_then(Value::as_text).map(Text::new),
            None => Some(object.external_id.clone()),
        }
    }
}
