//! Mesh objects without what some of their objects give them: what is left to find them by.
//!
//! A link is not its own evidence. When it is asked for again, its mesh object is found by what others say of it, so a
//! number that only the linked object brought does not count.

use std::collections::HashMap;

use identitymesh_model::plan::IndexKey;
use identitymesh_model::{MeshId, MeshView, Name, Object, SpaceId, SpaceRecord, ValueType};

use super::index::keys_of;
use super::neighbours::Neighbours;
use super::part::Part;
use crate::rules::MeshTypeRules;

/// What mesh objects are found by, in place of what the state says.
#[derive(Default)]
pub(super) struct Apart {
    docs: HashMap<MeshId, (Object, Vec<IndexKey>)>,
    holders: HashMap<IndexKey, Vec<MeshId>>,
}

impl Apart {
    /// Whether the state's keys and attributes of a mesh object do not count.
    pub(super) fn hides(&self, id: MeshId) -> bool {
        self.docs.contains_key(&id)
    }

    /// What a mesh object has instead.
    pub(super) fn doc(&self, id: MeshId) -> Option<&Object> {
        self.docs.get(&id).map(|(doc, _)| doc)
    }

    /// The mesh objects among these that have a key.
    pub(super) fn find(&self, key: &IndexKey) -> &[MeshId] {
        self.holders.get(key).map_or(&[], Vec::as_slice)
    }

    /// Those that share one of these blocks, with what is compared of them.
    pub(super) fn in_blocks(&self, blocks: &[IndexKey]) -> Vec<(MeshId, &Object)> {
        let mut ids: Vec<MeshId> = blocks.iter().flat_map(|key| self.find(key)).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().filter_map(|id| Some((id, self.doc(id)?))).collect()
    }

    fn set(&mut self, id: MeshId, doc: Object, keys: Vec<IndexKey>) {
        let before = self.docs.remove(&id).map(|(_, keys)| keys).unwrap_or_default();
        for key in before {
            if let Some(ids) = self.holders.get_mut(&key) {
                ids.retain(|known| *known != id);
            }
        }
        for key in &keys {
            self.holders.entry(key.clone()).or_default().push(id);
        }
        self.docs.insert(id, (doc, keys));
    }
}

impl<N: Neighbours> Part<'_, '_, N> {
    /// What is left of a mesh object's keys without an object that is linked to it; `None` when nothing changes.
    pub(super) fn without(&mut self, space: &SpaceRecord) -> Option<Apart> {
        let at = self.works.position(space.link?.mesh)?;
        let mesh_type = self.rules.mesh_type(self.works.list[at].view.record.mesh_type)?;
        if !gives_keys(&self.works.list[at].view, space.id, mesh_type) {
            return None;
        }
        let linked = &mut self.works.list[at].view.linked;
        let place = linked.iter().position(|known| known.id == space.id)?;
        let taken = linked.remove(place);
        let mut apart = Apart::default();
        self.set_apart(at, mesh_type, &mut apart);
        self.works.list[at].view.linked.insert(place, taken);
        Some(apart)
    }

    /// Notes what a mesh object is found by, given what is linked to it in this part of the plan.
    pub(super) fn set_apart(&mut self, at: usize, mesh_type: &MeshTypeRules, apart: &mut Apart) {
        let mut doc = self.resolve_keys(at, mesh_type);
        let work = &self.works.list[at];
        // References are followed for whole parts of a plan only; what they lead to does not change here.
        for (name, values) in work.view.record.doc.iter() {
            let is_reference = |kind: ValueType| kind == ValueType::Reference;
            if mesh_type.attribute(name).is_some_and(|attribute| is_reference(attribute.kind.value)) {
                doc.set(name, values.clone());
            }
        }
        let keys = keys_of(mesh_type, &doc, &work.anchor);
        apart.set(work.view.record.id, doc, keys);
    }
}

/// Whether a mesh object has something from this object that join rules may read.
fn gives_keys(view: &MeshView, space: SpaceId, mesh_type: &MeshTypeRules) -> bool {
    let is_computed = |name: Name| mesh_type.computed.iter().any(|rule| rule.target == name);
    let any_computed = mesh_type.key_attributes().any(is_computed);
    let mut given = view.record.doc.iter().zip(&view.record.provenance.0);
    given.any(|((name, _), origins)| {
        origins.iter().any(|origin| origin.space == Some(space))
            && (any_computed || mesh_type.key_attributes().any(|key| key == name))
    })
}
