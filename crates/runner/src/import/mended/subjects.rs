//! The objects whose references a system has mended: renamed ones, and deleted ones by all ways of hearing of that.

use std::collections::BTreeMap;

use identitymesh_connector::PRESENCE_ASKED_MAX;
use identitymesh_engine::rules::Referring;
use identitymesh_model::{Name, SpaceId, SpaceRecord, Text};
use identitymesh_store::past::space_last;
use identitymesh_store::{Moment, Reader, StoreError};

use super::meant::address;
use crate::RunError;
use crate::import::presence::Asker;
use crate::import::stager::Stager;

/// Objects looked at together.
const READ_TOGETHER: usize = 10_000;

/// An object to which references have changed.
pub(super) struct Subject {
    pub(super) id: SpaceId,
    pub(super) referring: Referring,
    /// Under what it may have been meant.
    pub(super) keys: Vec<Text>,
    /// Its present address; nothing where it is deleted.
    pub(super) becomes: Option<Text>,
    /// Whether it still counts as there.
    pub(super) is_here: bool,
}

/// What a read says is gone without having been told so, by type.
pub(in crate::import) type Inferred = Vec<(Name, Vec<SpaceId>)>;

impl Stager {
    /// Deleted objects: reported ones that did not come back in the same read, whether the guard lets them go or not;
    /// ones that were gone here before; and of those that nobody reported the ones that the system holds nowhere.
    pub(super) fn deleted(
        &self,
        asker: &Asker,
        inferred: Inferred,
        since: Option<Moment>,
    ) -> Result<Vec<Subject>, RunError> {
        let mut here = self.deleted.clone();
        for (object_type, missing) in inferred {
            here.extend(self.held_nowhere(asker, object_type, missing)?);
        }
        let mut ids: Vec<SpaceId> = here.iter().copied().collect();
        if !self.is_full
            && let Some(since) = since
        {
            for (object_type, decided) in self.decided(since)? {
                ids.extend(self.held_nowhere(asker, object_type, decided)?);
            }
        }
        let store = self.run.mesh.store.clone();
        let mut reader = store.read()?;
        for (object_type, external_id) in &self.departed {
            ids.extend(self.last(reader.as_mut(), *object_type, external_id)?);
        }
        drop(reader);
        ids.sort_unstable();
        ids.dedup();
        let mut subjects = Vec::new();
        for ids in ids.chunks(READ_TOGETHER) {
            let mut reader = store.read()?;
            let (found, first) = (reader.spaces(ids)?, subjects.len());
            for (id, record) in ids.iter().zip(found) {
                let record = match record {
                    // One that was gone may be there again.
                    Some(record) => Some(record).filter(|it| it.deleted || here.contains(id)),
                    None => space_last(reader.as_mut(), *id)?,
                };
                subjects.extend(record.and_then(|record| self.subject(&record, true)));
            }
            self.add_former_keys(reader.as_mut(), &mut subjects[first..])?;
        }
        Ok(subjects)
    }

    /// Objects that a delta showed, under all names that they had before. Whether this very read renamed them does not
    /// matter: a run that broke off before did not keep its place, and the next reads them again.
    pub(super) fn renamed(&self, ids: &[SpaceId]) -> Result<Vec<Subject>, RunError> {
        let store = self.run.mesh.store.clone();
        let mut reader = store.read()?;
        let records = reader.spaces(ids)?.into_iter().flatten().filter(|record| !record.deleted);
        let mut subjects: Vec<Subject> = records.filter_map(|record| self.subject(&record, false)).collect();
        self.add_former_keys(reader.as_mut(), &mut subjects)?;
        Ok(subjects)
    }

    /// What a delta showed, in parts.
    pub(super) fn shown(&mut self) -> Vec<Vec<SpaceId>> {
        let mut ids = std::mem::take(&mut self.read);
        ids.retain(|id| !self.deleted.contains(id));
        ids.sort_unstable();
        ids.dedup();
        ids.chunks(READ_TOGETHER).map(<[SpaceId]>::to_vec).collect()
    }

    fn subject(&self, record: &SpaceRecord, is_deleted: bool) -> Option<Subject> {
        let rules = &self.in_force.rules;
        let referring = rules.referring(self.connector, record.object_type, None);
        let address = address(rules, record)?;
        let keys = if is_deleted { vec![referring.key(&address)] } else { Vec::new() };
        let becomes = (!is_deleted).then_some(address);
        Some(Subject { id: record.id, referring, keys, becomes, is_here: !record.deleted })
    }

    fn add_former_keys(&self, reader: &mut dyn Reader, subjects: &mut [Subject]) -> Result<(), StoreError> {
        let mut by_index: BTreeMap<i64, Vec<SpaceId>> = BTreeMap::new();
        for subject in subjects.iter() {
            if let Some(index) = subject.referring.index {
                by_index.entry(index).or_default().push(subject.id);
            }
        }
        let mut former: BTreeMap<(i64, SpaceId), Vec<Text>> = BTreeMap::new();
        for (index, ids) in by_index {
            for (id, key) in reader.former_keys(index, &ids)? {
                former.entry((index, id)).or_default().push(key);
            }
        }
        for subject in subjects {
            let Some(index) = subject.referring.index else { continue };
            let former = former.remove(&(index, subject.id)).unwrap_or_default();
            // It may have its old name again.
            let others = former.into_iter().filter(|key| !subject.keys.contains(key)).collect::<Vec<_>>();
            subject.keys.extend(others);
        }
        Ok(())
    }

    /// Those of the objects that the system holds nowhere; none where it cannot say.
    fn held_nowhere(
        &self,
        asker: &Asker,
        object_type: Name,
        ids: Vec<SpaceId>,
    ) -> Result<Vec<SpaceId>, RunError> {
        let mut nowhere = Vec::new();
        for ids in ids.chunks(PRESENCE_ASKED_MAX) {
            let identities = self.run.mesh.store.read()?.space_identities(ids)?;
            let known: Vec<(SpaceId, Text)> =
                identities.into_iter().flatten().map(|known| (known.id, known.external_id)).collect();
            let asked = known.iter().map(|(_, external_id)| external_id.clone()).collect();
            let Some(held) = asker.held_elsewhere(object_type, asked)? else { return Ok(Vec::new()) };
            nowhere.extend(known.into_iter().filter(|(_, id)| !held.contains(id)).map(|(id, _)| id));
        }
        Ok(nowhere)
    }

    /// Objects of which somebody decided that they are gone.
    fn decided(&self, since: Moment) -> Result<BTreeMap<Name, Vec<SpaceId>>, RunError> {
        let store = self.run.mesh.store.clone();
        let mut reader = store.read()?;
        let ids = reader.decided_gone(since.change)?;
        let mut by_type: BTreeMap<Name, Vec<SpaceId>> = BTreeMap::new();
        for identity in reader.space_identities(&ids)?.into_iter().flatten() {
            if identity.connector == self.connector {
                by_type.entry(identity.object_type).or_default().push(identity.id);
            }
        }
        Ok(by_type)
    }

    /// The object that is gone and had this external id last.
    fn last(
        &self,
        reader: &mut dyn Reader,
        object_type: Name,
        external_id: &Text,
    ) -> Result<Option<SpaceId>, StoreError> {
        if let Some(known) = reader.known(self.connector, object_type, &[external_id])?.pop().flatten() {
            return Ok(Some(known.id));
        }
        let gone = reader.space_find_gone(self.connector, external_id)?;
        let identities = reader.space_identities(&gone)?.into_iter().flatten();
        let mut same = identities.filter(|identity| identity.object_type == object_type);
        Ok(same.next().map(|identity| identity.id))
    }
}
