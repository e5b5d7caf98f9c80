//! References that a system keeps in step by itself, and tells nobody, when it renames or moves the object that they mean.
//!
//! The object is reported under its new name, and the groups that hold it are not reported as changed. What refers to it
//! under a former name that nobody has now refers to it under the present one, unless this read showed the reference.
//! Objects that were read are looked at, whether or not they were renamed by this very read: a run that broke off before
//! did not keep its place, and the next reads them again.

use std::collections::BTreeMap;

use identitymesh_connector::{Change, Patch};
use identitymesh_engine::rules::Referring;
use identitymesh_model::{Name, SpaceId, Text, Value, Values};
use identitymesh_store::Reader;

use super::dropped::address;
use super::stager::Stager;
use crate::RunError;

/// Objects looked at together.
const READ_TOGETHER: usize = 10_000;

/// References in the old spelling and in the new one, by the object that holds them and the attribute.
type Respelled = BTreeMap<(Name, Text), BTreeMap<Name, BTreeMap<Text, Text>>>;

impl Stager {
    /// Lets references follow the objects that were read to their present names. A full read shows them itself.
    pub(super) fn follow_renames(&mut self) -> Result<(), RunError> {
        let read = std::mem::take(&mut self.read);
        for (object_type, ids) in read {
            let referring = self.in_force.rules.referring(self.connector, object_type, None);
            let Some(index) = referring.index else { continue };
            for ids in ids.chunks(READ_TOGETHER) {
                let store = self.run.mesh.store.clone();
                let mut reader = store.read()?;
                let respelled = self.respelled(reader.as_mut(), (referring, index), ids)?;
                drop(reader);
                let patches =
                    respelled.into_iter().map(|(holder, attributes)| self.patch(holder, attributes));
                self.write_references(patches.collect(), "references_renamed")?;
            }
        }
        Ok(())
    }

    fn respelled(
        &self,
        reader: &mut dyn Reader,
        (referring, index): (Referring, i64),
        ids: &[SpaceId],
    ) -> Result<Respelled, RunError> {
        let former = reader.former_keys(index, ids)?;
        let (ids, keys): (Vec<SpaceId>, Vec<Text>) = former.into_iter().unzip();
        let bearers = reader.referred(self.connector, Some(index), &keys)?;
        let referrers = reader.referrers(self.connector, &keys)?;
        let objects = reader.spaces(&ids)?;
        let mut out = Respelled::new();
        for (at, object) in objects.iter().enumerate() {
            let present = object.as_ref().filter(|object| !object.deleted && bearers[at].is_none());
            let Some(present) = present.and_then(|object| address(&self.in_force.rules, object)) else {
                continue;
            };
            let follows = |reference: &Text| referring.key(reference) == keys[at];
            for referrer in referrers[at].iter().filter(|referrer| follows(&referrer.reference)) {
                if !self.dropped.drops(referrer) || self.dropped.is_shown(referrer, &keys[at]) {
                    continue;
                }
                let holder = (referrer.object_type, referrer.external_id.clone());
                let attribute = out.entry(holder).or_default().entry(referrer.attribute).or_default();
                attribute.insert(referrer.reference.clone(), present.clone());
            }
        }
        Ok(out)
    }

    fn patch(
        &self,
        (object_type, external_id): (Name, Text),
        attributes: BTreeMap<Name, BTreeMap<Text, Text>>,
    ) -> Change {
        let (mut set, mut add, mut remove) = (Vec::new(), Vec::new(), Vec::new());
        for (name, references) in attributes {
            let (old, mut new): (Vec<Value>, Vec<Value>) = references
                .into_iter()
                .map(|(old, new)| (Value::Reference(old), Value::Reference(new)))
                .unzip();
            if self.dropped.is_set(object_type, name) {
                add.push((name, new));
                remove.push((name, old));
            } else {
                set.push((name, new.pop().map(Values::One)));
            }
        }
        Change::Patch(Patch { object_type, external_id, set, add, remove })
    }
}
