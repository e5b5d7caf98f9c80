//! What must be true of every state, whatever the rules.

use std::collections::BTreeSet;

use identitymesh_model::{MeshId, Name, Uid, Value, Values};

use super::State;

impl State {
    /// # Panics
    /// When edges and the references in documents are not the same.
    pub(super) fn check_edges(&self) {
        let mut expected: BTreeSet<(MeshId, Name, Uid)> = BTreeSet::new();
        for record in self.mesh.values() {
            for (name, values) in record.doc.iter() {
                let references = Values::as_slice(values).iter().filter_map(|value| match value {
                    Value::Reference(uid) => uid.parse().ok(),
                    _ => None,
                });
                expected.extend(references.map(|uid| (record.id, name, uid)));
            }
        }
        assert_eq!(self.edges, expected, "references are kept as edges, the same as in documents");
        for space in self.spaces() {
            let mesh = space.record.link.map(|link| link.mesh);
            assert!(
                mesh.is_none_or(|mesh| self.mesh.contains_key(&mesh)),
                "{} is linked to a mesh object that exists",
                space.record.external_id
            );
        }
        for item in self.items.values() {
            assert!(self.mesh.contains_key(&item.mesh), "a queue item belongs to a mesh object");
        }
    }
}
