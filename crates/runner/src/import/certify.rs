//! The end of a full import: what was not seen is gone, if that is proved and within limits.

use identitymesh_model::{Name, SpaceId};
use identitymesh_store::{Reader, StoreError};

use super::part::{PartResult, batch};
use super::stager::{Partition, Stager};
use crate::RunError;
use crate::guard::{Missing, check_missing};

/// Ids read at once while looking for what was not seen.
const IDS_READ: usize = 50_000;
/// Deletes written in one transaction.
const DELETES_WRITTEN: usize = 20_000;

impl Stager {
    /// Ends a full import; a delta import needs no end.
    pub(super) fn finish(&mut self) -> Result<(), RunError> {
        if !self.is_full {
            return Ok(());
        }
        let mut notes = Vec::new();
        for object_type in self.object_types() {
            let partition = self.partitions.remove(&object_type).unwrap_or_default();
            notes.extend(self.partition(object_type, &partition)?);
        }
        if !notes.is_empty() {
            let told = notes.join("; ");
            self.run.message = Some(
                self.run.message.take().map_or_else(|| told.clone(), |before| format!("{before}; {told}")),
            );
        }
        Ok(())
    }

    /// Infers what is gone from one partition, or says why it may not.
    fn partition(&mut self, object_type: Name, partition: &Partition) -> Result<Option<String>, RunError> {
        let (store, in_force) = (self.run.mesh.store.clone(), self.in_force.clone());
        let mut reader = store.read()?;
        let population = reader.population(self.connector, object_type)?;
        let unseen = self.unseen(reader.as_mut(), object_type, partition)?;
        drop(reader);
        let gaps = gaps(partition, population);
        let count = unseen.len() as u64;
        if !gaps.is_empty() && unseen.is_empty() {
            return Ok(None);
        }
        if !gaps.is_empty() {
            self.run.count("deletes_unseen", count);
            let reasons = gaps.join(", ");
            return Ok(Some(format!(
                "deletes unseen: {count} {object_type} objects were not in this import and stay as they are, because it \
                 does not prove that they are gone ({reasons})"
            )));
        }
        let rules = in_force.rules.connector(self.connector);
        let gone = match rules {
            Some(rules) => check_missing(&mut self.run, rules, Missing { object_type, population, unseen })?,
            None => Vec::new(),
        };
        self.delete(gone)?;
        Ok(None)
    }

    fn unseen(
        &self,
        reader: &mut dyn Reader,
        object_type: Name,
        partition: &Partition,
    ) -> Result<Vec<SpaceId>, StoreError> {
        let mut malformed: Vec<&str> = partition.malformed.iter().map(|id| id.as_str()).collect();
        malformed.sort_unstable();
        malformed.dedup();
        let there = if malformed.is_empty() {
            Vec::new()
        } else {
            reader
                .known(self.connector, object_type, &malformed)?
                .into_iter()
                .flatten()
                .map(|known| known.id)
                .collect()
        };
        let mut unseen = Vec::new();
        let mut after = SpaceId(0);
        loop {
            let ids = reader.present(self.connector, object_type, after, IDS_READ)?;
            let Some(last) = ids.last().copied() else { return Ok(unseen) };
            unseen.extend(ids.into_iter().filter(|id| !partition.seen.contains(*id) && !there.contains(id)));
            after = last;
        }
    }

    fn delete(&mut self, ids: Vec<SpaceId>) -> Result<(), RunError> {
        self.run.count("deleted", ids.len() as u64);
        for part in ids.chunks(DELETES_WRITTEN) {
            let deletes = PartResult { deletes: part.to_vec(), ..PartResult::default() };
            let mut batch = batch(self.run.cause(), self.connector, deletes);
            batch.counters = self.run.counters.clone();
            self.run.mesh.store.stage(batch).wait()?;
        }
        Ok(())
    }
}

/// Why this partition's read does not prove that what it did not show is gone.
fn gaps(partition: &Partition, population: u64) -> Vec<String> {
    let Some(certificate) = &partition.certificate else {
        return vec!["the connector gave no certificate of completeness".to_owned()];
    };
    let mut gaps = certificate.gaps.clone();
    if let Some(expected) = certificate.expected.filter(|expected| *expected != certificate.objects) {
        gaps.push(format!("the system says it has {expected} objects and delivered {}", certificate.objects));
    }
    if partition.repeated > 0 {
        gaps.push(format!("{} external ids came more than once", partition.repeated));
    }
    if partition.delivered == 0 && population > 0 {
        gaps.push("nothing was delivered where there were objects before".to_owned());
    }
    gaps
}
