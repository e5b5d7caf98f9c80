//! A store's answers to the engine's questions while nothing is written: with some mesh objects imagined otherwise, or
//! as they were.

use std::collections::HashMap;

use identitymesh_engine::{Neighbours, Referred};
use identitymesh_model::plan::IndexKey;
use identitymesh_model::{
    ConnectorId, Coverage, FormerLink, MeshCard, MeshId, MeshView, Name, Ruling, SpaceId, SpaceRecord, Text,
    Uid, Value,
};
use identitymesh_store::past::{Cut, former_links, linked_at, mesh_at, space_at};
use identitymesh_store::{Reader, StoreError};

use crate::again::view;

/// What a new mesh object would be called, as none is made.
const NEW_MESH: MeshId = MeshId(i64::MAX);
/// Most mesh objects that had one public id in turn.
const GONE_READ: usize = 10;

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

/// What a target calls whoever has these objects.
fn called_in(linked: &[SpaceRecord], connector: ConnectorId, address: Option<Name>) -> Option<Text> {
    let there = linked.iter().filter(|space| space.connector == connector && !space.deleted);
    there.filter_map(|space| called(space, address)).next()
}

/// What a target called mesh objects at `cut`; of several objects the eldest counts.
pub(crate) fn addresses_at(
    reader: &mut dyn Reader,
    connector: ConnectorId,
    address: Option<Name>,
    uids: &[Uid],
    cut: Cut,
) -> Result<Vec<Option<Text>>, StoreError> {
    let mut out = Vec::with_capacity(uids.len());
    for uid in uids {
        let mut ids = reader.mesh_find_gone(&uid.to_string(), GONE_READ)?;
        ids.extend(reader.mesh_by_uid(*uid)?);
        let mut found = None;
        for id in ids {
            let linked = linked_at(reader, id, cut)?;
            found = found.or_else(|| called_in(&linked, connector, address));
        }
        out.push(found);
    }
    Ok(out)
}

/// How a target's object is referred to.
fn called(space: &SpaceRecord, address: Option<Name>) -> Option<Text> {
    let Some(name) = address else { return Some(space.external_id.clone()) };
    space.doc.get(name)?.as_slice().first().and_then(Value::as_text).map(Text::from)
}

impl Neighbours for Surroundings<'_> {
    type Error = StoreError;

    fn new_mesh_id(&mut self) -> Result<MeshId, StoreError> {
        Ok(NEW_MESH)
    }

    fn candidates(&mut self, keys: &[IndexKey]) -> Result<Vec<Vec<MeshId>>, StoreError> {
        let mut found = self.reader.candidates(keys)?;
        if let Some(cut) = self.cut {
            for ids in &mut found {
                let mut known = Vec::with_capacity(ids.len());
                for id in ids.drain(..) {
                    if mesh_at(self.reader, id, cut)?.is_some() {
                        known.push(id);
                    }
                }
                *ids = known;
            }
        }
        Ok(found)
    }

    fn blocks(&mut self, keys: &[IndexKey], limit: usize) -> Result<Vec<Vec<MeshId>>, StoreError> {
        self.reader.blocks(keys, limit)
    }

    fn cards(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshCard>>, StoreError> {
        let mut cards = self.reader.cards(ids)?;
        if let Some(cut) = self.cut {
            for (id, card) in ids.iter().zip(&mut cards) {
                let past = mesh_at(self.reader, *id, cut)?;
                *card =
                    past.map(|past| MeshCard { mesh_type: past.mesh_type, state: past.state, doc: past.doc });
            }
        }
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

    fn former(&mut self, spaces: &[SpaceRecord]) -> Result<Vec<Option<FormerLink>>, StoreError> {
        former_links(self.reader, spaces, self.cut)
    }

    fn views(&mut self, ids: &[MeshId]) -> Result<Vec<Option<MeshView>>, StoreError> {
        let mut views = self.reader.views(ids)?;
        if let Some(cut) = self.cut {
            for (id, known) in ids.iter().zip(&mut views) {
                let linked = linked_at(self.reader, *id, cut)?;
                *known = mesh_at(self.reader, *id, cut)?.map(|past| view(&past, linked));
            }
        }
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
        if let Some(cut) = self.cut {
            return addresses_at(self.reader, connector, address, uids, cut);
        }
        let mut found = self.reader.addresses(connector, address, uids)?;
        let imagined: HashMap<Uid, &MeshView> =
            self.imagined.values().map(|view| (view.record.uid, view)).collect();
        for (uid, found) in uids.iter().zip(&mut found) {
            if let Some(view) = imagined.get(uid) {
                *found = called_in(&view.linked, connector, address);
            }
        }
        Ok(found)
    }

    fn coverage(&mut self, connector: ConnectorId, object_type: Name) -> Result<Coverage, StoreError> {
        self.reader.coverage(connector, object_type)
    }

    fn is_taken(&mut self, key: &IndexKey, except: MeshId) -> Result<bool, StoreError> {
        self.reader.is_taken(key, except)
    }
}
