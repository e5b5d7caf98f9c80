//! Which mesh objects have which keys: what the state says, and what this part of the plan adds.

use std::collections::HashMap;

use identitymesh_model::plan::IndexKey;
use identitymesh_model::rules::MatchKind;
use identitymesh_model::{MeshId, Object, Text, Value};

use crate::key::{key_of, match_key, together};
use crate::rules::{IndexPart, JoinIndex, MeshTypeRules};

/// The keys and mesh objects around the objects at hand.
#[derive(Default)]
pub(super) struct Index {
    /// What the state says.
    stored: HashMap<IndexKey, Vec<MeshId>>,
    /// Keys that this part of the plan adds.
    added: HashMap<IndexKey, Vec<MeshId>>,
    /// What fuzzy joins compare of mesh objects that this part of the plan makes.
    cards: HashMap<MeshId, Object>,
}

impl Index {
    pub(super) fn store(&mut self, keys: Vec<IndexKey>, found: Vec<Vec<MeshId>>) {
        self.stored.extend(keys.into_iter().zip(found).filter(|(_, ids)| !ids.is_empty()));
    }

    pub(super) fn stored_ids(&self) -> impl Iterator<Item = MeshId> + '_ {
        self.stored.values().flatten().copied()
    }

    pub(super) fn add(&mut self, key: IndexKey, mesh: MeshId) {
        let ids = self.added.entry(key).or_default();
        if !ids.contains(&mesh) {
            ids.push(mesh);
        }
    }

    pub(super) fn add_card(&mut self, mesh: MeshId, doc: Object) {
        self.cards.insert(mesh, doc);
    }

    pub(super) fn card(&self, mesh: MeshId) -> Option<&Object> {
        self.cards.get(&mesh)
    }

    /// Mesh objects of this part of the plan that one of these keys leads to, with what is compared of them.
    pub(super) fn new_cards(&self, keys: &[IndexKey]) -> Vec<(MeshId, &Object)> {
        let added = keys.iter().filter_map(|key| self.added.get(key)).flatten();
        let mut ids: Vec<MeshId> = added.copied().collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().filter_map(|id| Some((id, self.cards.get(&id)?))).collect()
    }

    pub(super) fn find(&self, key: &IndexKey) -> Vec<MeshId> {
        let stored = self.stored.get(key).into_iter().flatten();
        let mut ids: Vec<MeshId> = stored.chain(self.added.get(key).into_iter().flatten()).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// The keys under which join rules find an object with these attributes.
pub(super) fn keys_of(mesh_type: &MeshTypeRules, doc: &Object, anchor: &Text) -> Vec<IndexKey> {
    let anchor_value = Value::Text(anchor.clone());
    let mut keys = Vec::with_capacity(mesh_type.join_indexes.len() + 1);
    keys.extend(
        match_key(MatchKind::IgnoreCase, &anchor_value)
            .map(|key| IndexKey { index: mesh_type.anchor_index, key }),
    );
    for JoinIndex { number, parts } in &mesh_type.join_indexes {
        keys.extend(
            keys_in(parts, doc, &anchor_value).into_iter().map(|key| IndexKey { index: *number, key }),
        );
    }
    keys
}

/// The keys that an object has in one index.
pub(crate) fn keys_in(parts: &[IndexPart], doc: &Object, anchor: &Value) -> Vec<Text> {
    let of = |part: &IndexPart| -> Vec<Text> {
        let values = match part.attribute {
            Some(attribute) => doc.get(attribute).map_or(&[][..], |values| values.as_slice()),
            None => std::slice::from_ref(anchor),
        };
        values.iter().filter_map(|value| key_of(part.kind, value)).collect()
    };
    match parts {
        [only] => of(only),
        parts => together(&parts.iter().map(of).collect::<Vec<_>>()),
    }
}
