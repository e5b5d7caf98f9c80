//! References that a system takes out by itself, and tells nobody, when it deletes the object that they mean.
//!
//! The object is reported as deleted, and the groups that held it are not reported as changed. So whoever still refers
//! to it here loses exactly these references, by the way that any change takes. That happens before the object is marked
//! as gone and before the place behind the read is kept: a run that breaks off in between does it again.
//!
//! An address can have another bearer by then, because somebody else was made under the same name. A reference that
//! this read showed means the new one; any other one is from before, and is taken out. Of an object that was gone here
//! before, nobody can say whom a reference means where there is another bearer, so it stays.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};

use identitymesh_connector::{Change, PRESENCE_ASKED_MAX, Patch};
use identitymesh_engine::rules::{ObjectTypeRules, Referring, RuleSet};
use identitymesh_engine::stage::Told;
use identitymesh_model::{ConnectorId, Name, Schema, SpaceId, SpaceRecord, Text, Value};
use identitymesh_store::past::space_last;
use identitymesh_store::{Reader, Referrer};

use super::part::{Comparer, batch};
use super::presence::Asker;
use super::stager::Stager;
use crate::RunError;

/// Deleted objects looked at together: whoever refers to several of them is written once.
const DELETED_TOGETHER: usize = 10_000;
/// Referrers written in one transaction; each may be a large group.
const REFERRERS_TOGETHER: usize = 1_000;

/// Which references a system drops, and what the read says of references.
#[derive(Clone, Default)]
pub(crate) struct Dropped {
    /// Attributes by type, and whether they are sets.
    attributes: HashMap<(Name, Name), bool>,
    /// Hashes of what the read showed: whole objects, whole attributes, single references.
    shown: HashSet<u64>,
}

/// A deleted object as others refer to it.
struct Addressed {
    referring: Referring,
    address: Text,
    /// The object, where it is not gone here yet.
    id: Option<SpaceId>,
}

/// References to take out, by the object that holds them and the attribute.
type Wanted = BTreeMap<(Name, Text), BTreeMap<Name, BTreeSet<Text>>>;

impl Dropped {
    /// Those of a system with this schema.
    pub(crate) fn by(schema: &Schema) -> Self {
        let attributes = schema.object_types.iter().flat_map(|known| {
            let dropped = known.attributes.iter().filter(|attribute| attribute.drops_deleted);
            dropped.map(|attribute| ((known.object_type, attribute.name), attribute.kind.multi))
        });
        Self { attributes: attributes.collect(), shown: HashSet::new() }
    }

    /// Remembers what a change shows of references.
    pub(super) fn see(&mut self, change: &Change, rules: &RuleSet, connector: ConnectorId) {
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
    pub(super) fn forget(&mut self) {
        self.shown.clear();
    }

    /// Whether the system drops any.
    pub(super) fn is_any(&self) -> bool {
        !self.attributes.is_empty()
    }

    pub(super) fn is_shown(&self, referrer: &Referrer, key: &Text) -> bool {
        let (of, id, name) = (referrer.object_type, &referrer.external_id, referrer.attribute);
        [hash_of((of, id)), hash_of((of, id, name)), hash_of((of, id, name, key))]
            .iter()
            .any(|hash| self.shown.contains(hash))
    }

    pub(super) fn drops(&self, referrer: &Referrer) -> bool {
        self.attributes.contains_key(&(referrer.object_type, referrer.attribute))
    }

    /// Whether an attribute holds several references.
    pub(super) fn is_set(&self, object_type: Name, attribute: Name) -> bool {
        self.attributes.get(&(object_type, attribute)).copied().unwrap_or(true)
    }
}

fn hash_of(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

impl Stager {
    /// Takes out the references to objects that are deleted.
    pub(super) fn drop_references(&mut self, deleted: &[SpaceId]) -> Result<(), RunError> {
        if !self.dropped.is_any() {
            return Ok(());
        }
        for ids in deleted.chunks(DELETED_TOGETHER) {
            let store = self.run.mesh.store.clone();
            let mut reader = store.read()?;
            let objects = self.known(reader.as_mut(), ids)?;
            let wanted = self.wanted(reader.as_mut(), objects)?;
            drop(reader);
            self.write_references(wanted.into_iter().map(patch).collect(), "references_dropped")?;
        }
        Ok(())
    }

    /// As [`Stager::drop_references`] for objects that were gone here before the system said that they are deleted: we
    /// deleted them ourselves, or a full import did not find them any more. Where they were is remembered.
    pub(super) fn drop_references_to_departed(&mut self) -> Result<(), RunError> {
        let mut departed = std::mem::take(&mut self.departed);
        departed.sort_unstable();
        departed.dedup();
        for objects in departed.chunks(DELETED_TOGETHER) {
            let store = self.run.mesh.store.clone();
            let mut reader = store.read()?;
            let objects = self.remembered(reader.as_mut(), objects)?;
            let wanted = self.wanted(reader.as_mut(), objects)?;
            drop(reader);
            self.write_references(wanted.into_iter().map(patch).collect(), "references_dropped")?;
        }
        Ok(())
    }

    /// As [`Stager::drop_references`] for objects that nobody reported as deleted and that are not there any more: the
    /// system says which of them it only holds elsewhere.
    pub(super) fn drop_references_to_missing(
        &mut self,
        asker: Option<&Asker>,
        object_type: Name,
        missing: &[SpaceId],
    ) -> Result<(), RunError> {
        let (Some(asker), true) = (asker, self.dropped.is_any()) else { return Ok(()) };
        let mut deleted = Vec::new();
        for ids in missing.chunks(PRESENCE_ASKED_MAX) {
            let records = self.run.mesh.store.read()?.spaces(ids)?;
            let records: Vec<SpaceRecord> = records.into_iter().flatten().collect();
            let asked = records.iter().map(|record| record.external_id.clone()).collect();
            let Some(held) = asker.held_elsewhere(object_type, asked)? else { return Ok(()) };
            let gone = records.iter().filter(|record| !held.contains(&record.external_id));
            deleted.extend(gone.map(|record| record.id));
        }
        self.drop_references(&deleted)
    }

    /// Where these objects are.
    fn known(&self, reader: &mut dyn Reader, ids: &[SpaceId]) -> Result<Vec<Addressed>, RunError> {
        let records = reader.spaces(ids)?.into_iter().flatten();
        Ok(records.filter_map(|record| self.addressed(&record, Some(record.id))).collect())
    }

    /// Where these objects were.
    fn remembered(
        &self,
        reader: &mut dyn Reader,
        objects: &[(Name, Text)],
    ) -> Result<Vec<Addressed>, RunError> {
        let mut out = Vec::new();
        for (object_type, external_id) in objects {
            let known = reader.known(self.connector, *object_type, &[external_id])?.pop().flatten();
            let record = match known {
                Some(known) => reader.spaces(&[known.id])?.pop().flatten(),
                None => match reader.space_find_gone(self.connector, external_id)?.first() {
                    Some(id) => space_last(reader, *id)?.filter(|record| record.object_type == *object_type),
                    None => None,
                },
            };
            out.extend(record.and_then(|record| self.addressed(&record, None)));
        }
        Ok(out)
    }

    fn addressed(&self, record: &SpaceRecord, id: Option<SpaceId>) -> Option<Addressed> {
        let rules = &self.in_force.rules;
        let referring = rules.referring(self.connector, record.object_type, None);
        Some(Addressed { referring, address: address(rules, record)?, id })
    }

    /// Who holds references to these objects that the system has taken out.
    fn wanted(&self, reader: &mut dyn Reader, objects: Vec<Addressed>) -> Result<Wanted, RunError> {
        let going: HashSet<SpaceId> = objects.iter().filter_map(|object| object.id).collect();
        let mut by_referring: BTreeMap<Referring, Vec<Addressed>> = BTreeMap::new();
        for object in objects {
            by_referring.entry(object.referring).or_default().push(object);
        }
        let mut wanted = Wanted::new();
        for (referring, objects) in by_referring {
            let addresses: Vec<Text> = objects.iter().map(|object| object.address.clone()).collect();
            let keys: Vec<Text> = addresses.iter().map(|address| referring.key(address)).collect();
            let bearers = reader.referred(self.connector, referring.index, &keys)?;
            let referrers = reader.referrers(self.connector, &addresses)?;
            for (at, object) in objects.iter().enumerate() {
                let bearer = bearers[at].map(|bearer| bearer.space);
                let loses = |referrer: &&Referrer| {
                    let is_shown = self.is_full || self.dropped.is_shown(referrer, &keys[at]);
                    self.dropped.drops(referrer)
                        && !going.contains(&referrer.space)
                        && referring.key(&referrer.reference) == keys[at]
                        && match object.id {
                            Some(id) => bearer == Some(id) || !is_shown,
                            None => bearer.is_none() && !is_shown,
                        }
                };
                for referrer in referrers[at].iter().filter(loses) {
                    let holder = (referrer.object_type, referrer.external_id.clone());
                    let attribute = wanted.entry(holder).or_default().entry(referrer.attribute).or_default();
                    let _new = attribute.insert(referrer.reference.clone());
                }
            }
        }
        Ok(wanted)
    }

    /// Compares and writes what became of references, as if the system had said so.
    pub(super) fn write_references(
        &mut self,
        patches: Vec<Change>,
        counter: &'static str,
    ) -> Result<(), RunError> {
        for patches in patches.chunks(REFERRERS_TOGETHER) {
            self.write_together(patches.to_vec(), counter)?;
        }
        Ok(())
    }

    fn write_together(&mut self, patches: Vec<Change>, counter: &'static str) -> Result<(), RunError> {
        self.run.mesh.check_cancelled()?;
        let store = self.run.mesh.store.clone();
        let cause = self.run.cause();
        // Nobody is in doubt: all others have told their addresses.
        let told = Told::new();
        let comparer = Comparer {
            rules: &self.in_force.rules,
            connector: self.connector,
            cause: &cause,
            are_new: false,
            are_shown: false,
            told: Some(&told),
        };
        let references: usize = patches.iter().map(references).sum();
        let part = comparer.compare(patches, store.read()?.as_mut())?;
        self.run.count("changed", part.updates.len() as u64);
        self.run.count("drifted", part.drifted);
        self.run.count(counter, references as u64);
        let mut batch = batch(cause, self.connector, part);
        batch.counters = self.run.counters.clone();
        store.stage(batch).wait()?;
        Ok(())
    }
}

/// Under what others refer to an object; nothing where it has no address although its type has one.
pub(super) fn address(rules: &RuleSet, record: &SpaceRecord) -> Option<Text> {
    let connector = rules.connector(record.connector);
    let object_type = connector.and_then(|connector| connector.object_type(record.object_type));
    match object_type.and_then(ObjectTypeRules::address) {
        Some(name) => record.doc.single(name).and_then(Value::as_text).map(Text::new),
        None => Some(record.external_id.clone()),
    }
}

fn patch(((object_type, external_id), attributes): ((Name, Text), BTreeMap<Name, BTreeSet<Text>>)) -> Change {
    let values = |references: BTreeSet<Text>| references.into_iter().map(Value::Reference).collect();
    let remove = attributes.into_iter().map(|(name, references)| (name, values(references))).collect();
    Change::Patch(Patch { object_type, external_id, set: Vec::new(), add: Vec::new(), remove })
}

fn references(change: &Change) -> usize {
    match change {
        Change::Patch(patch) => {
            patch.set.len() + patch.remove.iter().map(|(_, values)| values.len()).sum::<usize>()
        }
        _ => 0,
    }
}
