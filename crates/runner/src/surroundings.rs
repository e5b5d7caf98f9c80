//! A store's answers to the engine's questions while nothing is written: with some mesh objects imagined otherwise, or
//! as they were.

use std::collections::HashMap;

use identitymesh_engine::{Neighbours, Referred};
use identitymesh_model::plan::IndexKey;
use identitymesh_model::{
    ConnectorId, Coverage, MeshCard, MeshId, MeshView, Name, Ruling, SpaceId, SpaceRecord, Text, Uid,
};
use identitymesh_store::past::{Cut, mesh_at, space_at};
use identitymesh_store::{Reader, StoreError};

/// What a new mesh object would be called, as none is made.
const NEW_MESH: MeshId = MeshId(i64::MAX);

/// The answers of a store.
pub(crate) struct Surroundings<'a> {
    pub(crate) reader: &'a mut dyn Reader,
    /// Mesh objects as they are to be taken.
    pub(crate) imagined: &'a HashMap<MeshId, MeshView>,
    /// Whose an object was, where the past is asked for.
    pub(crate) cut: Option<Cut>,
}

impl Surroundings<'_> {
    /// Where a reference leads that no object answers to any more: by its external id to one that is gone.
    fn gone(&mut self, connector: ConnectorId, key: &str) -> Result<Option<SpaceId>, StoreError> {
        Ok(self.reader.space_find_gone(connector, key)?.into_iter().next())
    }

    fn whose(&mut self, space: SpaceId, cut: Cut) -> Result<Option<Referred>, StoreError> {
        let Some(record) = space_at(self.reader, space, cut)?.filter(|record| !record.deleted) else {
            return Ok(None);
        };
        let mesh = match record.link {
            Some(link) => mesh_at(self.reader, link.mesh, cut)?.map(|mesh| mesh.uid),
            None => None,
        };
        Ok(Some(Referred { space, mesh }))
    }
}

impl Neighbours for Surroundings<'_> {
    type Error = StoreError;

    fn new_mesh_id(&mut self) -> Result<MeshId, StoreError> {
        Ok(NEW_MESH)
    }

    fn candidates(&mut self, keys: &[IndexKey]) -> Result<Vec<Vec<MeshId>>, StoreError> {
        self.reader.candidates(keys)
    }

    fn blocks(&mut self, keys: &[IndexKey], limit: usize) -> Result<Vec<Vec<MeshId>>, StoreError> {
        self.reader.blocks(keys, limit)
    }

    fn cards(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshCard>>, StoreError> {
        let mut cards = self.reader.cards(ids)?;
        for (id, card) in ids.iter().zip(&mut cards) {
            if let Some(MeshView { record, .. }) = self.imagined.get(id) {
                let (mesh_type, state, doc) = (record.mesh_type, record.state, record.doc.clone());
                *card = Some(MeshCard { mesh_type, state, doc });
            }
        }
        Ok(cards)
    }

    fn rulings(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Vec<Ruling>>, StoreError> {
        self.reader.rulings(spaces)
    }

    fn views(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshView>>, StoreError> {
        let mut views = self.reader.views(ids)?;
        for (id, view) in ids.iter().zip(&mut views) {
            if let Some(imagined) = self.imagined.get(id) {
                *view = Some(imagined.clone());
            }
        }
        Ok(views)
    }

    fn referred(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Result<Vec<Option<Referred>>, StoreError> {
        let found = self.reader.referred(connector, by_address, references)?;
        let mut out = Vec::with_capacity(found.len());
        for (key, found) in references.iter().zip(found) {
            let now =
                found.map(|found| Referred { space: found.space, mesh: found.mesh.map(|(_, uid)| uid) });
            out.push(match (self.cut, now) {
                (None, now) => now,
                (Some(cut), Some(now)) => self.whose(now.space, cut)?,
                (Some(cut), None) => match self.gone(connector, key)? {
                    Some(space) => self.whose(space, cut)?,
                    None => None,
                },
            });
        }
        Ok(out)
    }

    fn addresses(
        &mut self,
        connector: ConnectorId,
        address: Option<Name>,
        uids: &[Uid],
    ) -> Result<Vec<Option<Text>>, StoreError> {
        self.reader.addresses(connector, address, uids)
    }

    fn coverage(&mut self, connector: ConnectorId, object_type: Name) -> Result<Coverage, StoreError> {
        self.reader.coverage(connector, object_type)
    }

    fn is_taken(&mut self, key: &IndexKey, except: MeshId) -> Result<bool, StoreError> {
        self.reader.is_taken(key, except)
    }
}
