//! Keys after a change of rules: a mesh object that did not change is found by what a new rule looks for.
//!
//! What changes about an object's keys is told by comparing its document before and after, both read by the rules in
//! force. A rule that is new in force looks for keys that nobody was ever asked for; these gaps are filled here.

use std::collections::{HashMap, HashSet};

use identitymesh_model::MeshId;
use identitymesh_model::plan::{IndexKey, KeyChange, ObjectPlan, Wake};
use identitymesh_model::{MeshState, Object};

use super::index::keys_of;
use super::neighbours::Neighbours;
use super::part::Part;

/// Keys that mesh objects should be found by and are not.
#[derive(Default)]
pub(super) struct Gaps(HashMap<MeshId, Vec<IndexKey>>);

impl Gaps {
    /// Adds an object's missing keys to its part of the plan.
    pub(super) fn fill(&self, object: &mut ObjectPlan, wakes: &mut Vec<Wake>) {
        let Some(keys) = self.0.get(&object.id) else { return };
        for key in keys {
            if object.keys.iter().all(|change| change.key != *key) {
                object.keys.push(KeyChange { key: key.clone(), add: true });
                wakes.push(Wake::Waiting { key: key.clone() });
            }
        }
    }
}

impl<N: Neighbours> Part<'_, '_, N> {
    /// The gaps of the mesh objects at work; none unless rules may have changed.
    pub(super) fn gaps(&mut self) -> Result<Gaps, N::Error> {
        if !self.context.reindex {
            return Ok(Gaps::default());
        }
        let mut wanted: Vec<(IndexKey, MeshId)> = Vec::new();
        let nothing = Object::new();
        let works = self.works.list.iter().filter(|work| work.is_dirty && !work.is_new && !work.has_failed);
        for work in works.filter(|work| !matches!(work.state, MeshState::Deleted { .. })) {
            let Some(mesh_type) = self.rules.mesh_type(work.view.record.mesh_type) else { continue };
            let doc = work.resolved.as_ref().map_or(&nothing, |resolved| &resolved.doc);
            let keys = keys_of(mesh_type, doc, &work.anchor);
            wanted.extend(keys.into_iter().map(|key| (key, work.view.record.id)));
        }
        wanted.sort_unstable();
        wanted.dedup();
        let mut keys: Vec<IndexKey> = wanted.iter().map(|(key, _)| key.clone()).collect();
        keys.dedup();
        let found = self.neighbours.candidates(&keys)?;
        let known: HashMap<IndexKey, HashSet<MeshId>> =
            keys.into_iter().zip(found).map(|(key, ids)| (key, ids.into_iter().collect())).collect();
        let mut gaps = Gaps::default();
        for (key, id) in wanted {
            if !known.get(&key).is_some_and(|ids| ids.contains(&id)) {
                gaps.0.entry(id).or_default().push(key);
            }
        }
        Ok(gaps)
    }
}
