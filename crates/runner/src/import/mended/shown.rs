//! Which references a system mends by itself and tells nobody, and what a read showed of them.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};

use identitymesh_connector::Change;
use identitymesh_engine::rules::RuleSet;
use identitymesh_model::{ConnectorId, Name, Schema, Text, Value};
use identitymesh_store::Referrer;

/// Which references a system mends, and what the read says of references.
#[derive(Clone, Default)]
pub(crate) struct Mended {
    /// Attributes by type, and whether they are sets.
    attributes: HashMap<(Name, Name), bool>,
    /// Hashes of what the read showed: whole objects, whole attributes, single references.
    shown: HashSet<u64>,
}

impl Mended {
    /// Those of a system with this schema.
    pub(crate) fn by(schema: &Schema) -> Self {
        let attributes = schema.object_types.iter().flat_map(|known| {
            let mended = known.attributes.iter().filter(|attribute| attribute.mended);
            mended.map(|attribute| ((known.object_type, attribute.name), attribute.kind.multi))
        });
        Self { attributes: attributes.collect(), shown: HashSet::new() }
    }

    /// Remembers what a change shows of references.
    pub(in crate::import) fn see(&mut self, change: &Change, rules: &RuleSet, connector: ConnectorId) {
        if !self.is_any() {
            return;
        }
        match change {
            Change::Upsert(object) if object.unread.is_empty() => {
                let _new = self.shown.insert(hash_of((object.object_type, &object.external_id)));
            }
            Change::Upsert(object) => {
                let read = object.attributes.iter();
                let id = &object.external_id;
                self.shown.extend(read.map(|(name, _)| hash_of((object.object_type, id, name))));
            }
            Change::Patch(patch) => {
                let (of, id) = (patch.object_type, &patch.external_id);
                self.shown.extend(patch.set.iter().map(|(name, _)| hash_of((of, id, *name))));
                let by_address = rules.referring(connector, of, None);
                for (name, values) in &patch.add {
                    let keys = values.iter().filter_map(|value| match value {
                        Value::Reference(key) => Some(by_address.key(key)),
                        _ => None,
                    });
                    self.shown.extend(keys.map(|key| hash_of((of, id, *name, key))));
                }
            }
            Change::Delete { .. } | Change::Left { .. } => {}
        }
    }

    /// Forgets what was shown: a full read shows everything.
    pub(in crate::import) fn forget(&mut self) {
        self.shown.clear();
    }

    /// Whether the system mends any.
    pub(in crate::import) fn is_any(&self) -> bool {
        !self.attributes.is_empty()
    }

    pub(in crate::import) fn is_shown(&self, referrer: &Referrer, key: &Text) -> bool {
        let (of, id, name) = (referrer.object_type, &referrer.external_id, referrer.attribute);
        [hash_of((of, id)), hash_of((of, id, name)), hash_of((of, id, name, key))]
            .iter()
            .any(|hash| self.shown.contains(hash))
    }

    pub(in crate::import) fn mends(&self, referrer: &Referrer) -> bool {
        self.attributes.contains_key(&(referrer.object_type, referrer.attribute))
    }

    /// Whether an attribute holds several references.
    pub(in crate::import) fn is_set(&self, object_type: Name, attribute: Name) -> bool {
        self.attributes.get(&(object_type, attribute)).copied().unwrap_or(true)
    }
}

fn hash_of(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
