//! The engine's questions, answered from memory.

use std::convert::Infallible;

use identitymesh_engine::{Neighbours, Referred};
use identitymesh_model::joins::Member;
use identitymesh_model::plan::IndexKey;
use identitymesh_model::{
    ConnectorId, Coverage, FormerLink, MeshCard, MeshId, MeshRecord, MeshView, Name, Ruling, SpaceId,
    SpaceRecord, Text, Uid,
};

use super::State;

/// How much of the state was asked for: the work of planning that grows with the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Keys of join indexes.
    pub keys: usize,
    /// Mesh objects with everything around them.
    pub views: usize,
    /// Mesh objects alone, to be compared.
    pub cards: usize,
    /// References that were followed to an object.
    pub references: usize,
    /// Addresses of mesh objects in targets.
    pub addresses: usize,
    /// Names that were checked for being free.
    pub names: usize,
}

impl std::ops::AddAssign for Asked {
    fn add_assign(&mut self, more: Self) {
        self.keys += more.keys;
        self.views += more.views;
        self.cards += more.cards;
        self.references += more.references;
        self.addresses += more.addresses;
        self.names += more.names;
    }
}

/// A view of a state that does not change while a part is planned.
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    pub(super) last_mesh: i64,
    pub(super) asked: Asked,
}

impl<'a> View<'a> {
    pub(super) const fn new(state: &'a State) -> Self {
        Self {
            state,
            last_mesh: state.last_mesh,
            asked: Asked { keys: 0, views: 0, cards: 0, references: 0, addresses: 0, names: 0 },
        }
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
        self.asked.keys += keys.len();
        let of = |key: &IndexKey| -> Vec<MeshId> {
            let from = (key.clone(), MeshId(i64::MIN));
            let rows = self.state.join_index.range(from..);
            rows.take_while(|(known, _)| known == key).map(|(_, id)| *id).collect()
        };
        Ok(keys.iter().map(of).collect())
    }

    fn blocks(&mut self, keys: &[IndexKey], limit: usize) -> Result<Vec<Vec<MeshId>>, Infallible> {
        let mut found = self.candidates(keys)?;
        found.iter_mut().for_each(|ids| ids.truncate(limit + 1));
        Ok(found)
    }

    fn cards(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshCard>>, Infallible> {
        self.asked.cards += ids.len();
        let card = |record: &MeshRecord| MeshCard {
            mesh_type: record.mesh_type,
            state: record.state,
            doc: record.doc.clone(),
        };
        Ok(ids.iter().map(|id| self.state.mesh.get(id).map(card)).collect())
    }

    fn rulings(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Vec<Ruling>>, Infallible> {
        Ok(spaces.iter().map(|space| self.state.rulings(space)).collect())
    }

    fn former(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Option<FormerLink>>, Infallible> {
        Ok(spaces.iter().map(|space| self.state.ended.get(&Member::of(space)).copied()).collect())
    }

    fn views(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshView>>, Infallible> {
        self.asked.views += ids.len();
        Ok(ids.iter().map(|id| self.state.view(*id)).collect())
    }

    fn referred(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Result<Vec<Option<Referred>>, Infallible> {
        self.asked.references += references.len();
        let of = |reference: &Text| {
            let found: Vec<SpaceId> = match by_address {
                Some(index) => {
                    let key = IndexKey { index, key: reference.clone() };
                    self.state.index.named(&key).collect()
                }
                None => self.state.index.called(connector, reference).collect(),
            };
            let found = found.into_iter().filter_map(|id| self.state.space(id)).map(|space| &space.record);
            self.referred_one(
                found.filter(|record| record.connector == connector && !record.deleted).collect(),
            )
        };
        Ok(references.iter().map(of).collect())
    }

    fn addresses(
        &mut self,
        connector: ConnectorId,
        address: Option<Name>,
        uids: &[Uid],
    ) -> Result<Vec<Option<Text>>, Infallible> {
        self.asked.addresses += uids.len();
        Ok(uids.iter().map(|uid| self.state.address_of(connector, address, *uid)).collect())
    }

    fn coverage(&mut self, connector: ConnectorId, object_type: Name) -> Result<Coverage, Infallible> {
        let why = match self.state.imported.get(&connector) {
            None => "was never imported",
            Some(false) => "could not be imported last",
            Some(true) => match self.state.covered.get(&(connector, object_type)) {
                None => "was not read whole yet",
                Some(false) => "was not proved to be read whole",
                Some(true) => return Ok(Coverage::Whole),
            },
        };
        Ok(Coverage::Unknown(why.to_owned()))
    }

    fn is_taken(&mut self, key: &IndexKey, except: MeshId) -> Result<bool, Infallible> {
        self.asked.names += 1;
        let by_item = self.state.is_named(key, except);
        let mut holders = self.state.index.named(key).filter_map(|id| self.state.space(id));
        let by_object = holders.any(|space| space.record.link.is_none_or(|link| link.mesh != except));
        Ok(by_item || by_object)
    }
}

impl State {
    /// Where a mesh object is found in a target.
    pub(super) fn address_of(&self, connector: ConnectorId, address: Option<Name>, uid: Uid) -> Option<Text> {
        let mesh = self.mesh_by_uid(uid)?;
        let objects = self.linked(mesh.id).map(|space| &space.record);
        let mut objects = objects.filter(|record| record.connector == connector && !record.deleted);
        match address {
            Some(name) => {
                objects.find_map(|record| record.doc.get(name)?.as_slice().first()?.as_text().map(Text::new))
            }
            None => objects.next().map(|record| record.external_id.clone()),
        }
    }
}
