//! The end of a read: what was not seen is gone, if that is proved and within limits; what was reported as gone is, if
//! that is within limits.
//!
//! A full import names everything of all types; a delta only of those that it certifies. The watermark is committed
//! after the deletes, and not at all when deletes are held that were inferred: otherwise no later delta would tell of
//! them. Held deletes that were reported are kept by their hold.

use std::collections::HashSet;

use identitymesh_connector::PRESENCE_ASKED_MAX;
use identitymesh_engine::absence::{Absence, Certified, Shown, judge};
use identitymesh_model::rules::{HoldClass, Limit};
use identitymesh_model::{ConnectorId, Finding, Name, SpaceId, Text};
use identitymesh_store::{CoverageGap, Covered, Reader, StageBatch, StoreError};

use super::mended::Inferred;
use super::part::{PartResult, batch};
use super::presence::Asker;
use super::stager::{Partition, Stager};
use crate::RunError;
use crate::guard::{Missing, check_missing};

/// Ids read at once while looking for what was not seen.
const IDS_READ: usize = 50_000;
/// Deletes written in one transaction.
const DELETES_WRITTEN: usize = 20_000;

/// What a partition's end said.
enum Concluded {
    /// Everything was shown, so what is gone is known.
    Whole,
    /// It is not proved that everything was shown, and nothing is missing.
    Complete { gap: CoverageGap, is_certified: bool },
    /// Nothing can be said about what is gone.
    Unproved(CoverageGap),
    /// The read left something out, as the system itself says.
    Refuted(CoverageGap),
}

impl Stager {
    /// Ends an import that read to its end.
    pub(super) fn finish(&mut self, asker: &Asker) -> Result<(), RunError> {
        // What came back in the same read is not deleted.
        self.deleted.retain(|id| self.reported.values().any(|reported| reported.contains(id)));
        let (mut gone, mut inferred) = (Vec::new(), Inferred::new());
        let (mut notes, mut covered, mut findings) = (Vec::new(), Vec::new(), Vec::new());
        let (mut is_refuted, mut is_repeatable) = (false, false);
        for object_type in self.object_types() {
            let partition = self.partitions.remove(&object_type).unwrap_or_default();
            let reported = self.reported.remove(&object_type).unwrap_or_default();
            if !self.is_full && partition.certificate.is_none() {
                gone.extend(self.take_reported(object_type, &partition, &reported)?);
                continue;
            }
            let (concluded, by_type) = self.partition(object_type, &partition, &reported, asker)?;
            let unreported = by_type.iter().copied().filter(|id| !reported.contains(id));
            inferred.push((object_type, unreported.collect()));
            gone.extend(by_type);
            is_repeatable |= self.run.held.is_some();
            covered.push(Covered { object_type, gap: concluded.gap().cloned() });
            findings.extend(concluded.finding(self.connector, object_type));
            is_refuted |= matches!(concluded, Concluded::Refuted(_));
            match concluded {
                Concluded::Whole | Concluded::Complete { .. } => {}
                Concluded::Unproved(gap) | Concluded::Refuted(gap) => notes.push(gap.why),
            }
        }
        self.settle_references(asker, inferred)?;
        self.delete(&gone)?;
        self.cover(covered, findings)?;
        let has_gaps = !notes.is_empty();
        if has_gaps {
            let told = notes.join("; ");
            self.run.message = Some(
                self.run.message.take().map_or_else(|| told.clone(), |before| format!("{before}; {told}")),
            );
        }
        // A delta that could not prove what is gone has to be asked again; a full read would only repeat itself. What a
        // refuted read did not show may have changed, so changes are looked for from where they were before it.
        is_repeatable |= is_refuted || (!self.is_full && has_gaps);
        if is_repeatable { Ok(()) } else { self.commit_last_watermark() }
    }

    /// Infers what is gone from one partition, or says why it may not; and what the guard lets go.
    fn partition(
        &mut self,
        object_type: Name,
        partition: &Partition,
        reported: &HashSet<SpaceId>,
        asker: &Asker,
    ) -> Result<(Concluded, Vec<SpaceId>), RunError> {
        let (store, in_force) = (self.run.mesh.store.clone(), self.in_force.clone());
        let mut reader = store.read()?;
        let population = reader.population(self.connector, object_type)?;
        let unseen = self.unseen(reader.as_mut(), object_type, partition)?;
        drop(reader);
        let count = unseen.len() as u64;
        let rules = in_force.rules.connector(self.connector);
        let limit = rules.and_then(|rules| rules.limits.of(object_type, HoldClass::ImportDelete));
        let limit = limit.unwrap_or(Limit::DEFAULT);
        match judge(object_type, &partition.shown(self.is_full), population, count, limit) {
            // The guard counts again, without what was rejected, and also when nothing is missing: what was held
            // before may be there again.
            Absence::Proved | Absence::Held(_) => {
                if let Some(there) = self.first_that_is_there(asker, object_type, &unseen)? {
                    let gone = self.take_told(object_type, partition, reported)?;
                    self.run.count("deletes_unseen", count);
                    let why = format!(
                        "{count} {object_type} objects were not read, and {there} of them is still there: the system left \
                         something out, so none of them counts as gone"
                    );
                    return Ok((Concluded::Refuted(CoverageGap { missing: count, why }), gone));
                }
                let unseen: HashSet<SpaceId> = unseen.into_iter().chain(reported.iter().copied()).collect();
                let (gone, is_shown) = (unseen.into_iter().collect(), |_| true);
                let missing = Missing { object_type, population, gone, is_whole: true, is_shown: &is_shown };
                Ok((Concluded::Whole, self.let_go(&missing)?))
            }
            Absence::Unproved(why) => {
                let gone = self.take_told(object_type, partition, reported)?;
                let gap = CoverageGap { missing: count, why };
                if count == 0 {
                    let is_certified = partition.certificate.is_some();
                    return Ok((Concluded::Complete { gap, is_certified }, gone));
                }
                self.run.count("deletes_unseen", count);
                Ok((Concluded::Unproved(gap), gone))
            }
        }
    }

    /// The external id of an object that was not read although the system has it. All are asked for until one is found.
    fn first_that_is_there(
        &self,
        asker: &Asker,
        object_type: Name,
        unseen: &[SpaceId],
    ) -> Result<Option<Text>, RunError> {
        for ids in unseen.chunks(PRESENCE_ASKED_MAX) {
            let records = self.run.mesh.store.read()?.spaces(ids)?;
            let external_ids = records.into_iter().flatten().map(|record| record.external_id).collect();
            match asker.still_there(object_type, external_ids)? {
                None => return Ok(None),
                Some(there) if there.is_empty() => {}
                Some(there) => return Ok(there.into_iter().next()),
            }
        }
        Ok(None)
    }

    /// What a read that proves nothing reported as gone. Where it reported nothing, what was held before stays as it is.
    fn take_told(
        &mut self,
        object_type: Name,
        partition: &Partition,
        reported: &HashSet<SpaceId>,
    ) -> Result<Vec<SpaceId>, RunError> {
        if reported.is_empty() {
            Ok(Vec::new())
        } else {
            self.take_reported(object_type, partition, reported)
        }
    }

    /// What a read that does not name everything reported as gone.
    fn take_reported(
        &mut self,
        object_type: Name,
        partition: &Partition,
        reported: &HashSet<SpaceId>,
    ) -> Result<Vec<SpaceId>, RunError> {
        let population = self.run.mesh.store.read()?.population(self.connector, object_type)?;
        let gone: Vec<SpaceId> = reported.iter().copied().collect();
        let is_shown = |id| partition.seen.contains(id) && !reported.contains(&id);
        self.let_go(&Missing { object_type, population, gone, is_whole: false, is_shown: &is_shown })
    }

    /// What the guard lets go.
    fn let_go(&mut self, missing: &Missing<'_>) -> Result<Vec<SpaceId>, RunError> {
        let in_force = self.in_force.clone();
        match in_force.rules.connector(self.connector) {
            Some(rules) => check_missing(&mut self.run, rules, missing),
            None => Ok(Vec::new()),
        }
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

    /// Keeps of which types everything was shown, and what was found where it was not.
    fn cover(&mut self, covered: Vec<Covered>, findings: Vec<Finding>) -> Result<(), RunError> {
        if !covered.is_empty() {
            let findings = self.run.findings(findings);
            let part =
                batch(self.run.cause(), self.connector, PartResult { findings, ..PartResult::default() });
            let counters = self.run.counters.clone();
            self.run.mesh.store.stage(StageBatch { covered, counters, ..part }).wait()?;
        }
        Ok(())
    }

    fn delete(&mut self, ids: &[SpaceId]) -> Result<(), RunError> {
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

impl Concluded {
    /// Why it is not proved that everything was shown.
    const fn gap(&self) -> Option<&CoverageGap> {
        match self {
            Self::Whole => None,
            Self::Complete { gap, .. } | Self::Unproved(gap) | Self::Refuted(gap) => Some(gap),
        }
    }

    /// What a person should know of a partition of which it is not known what is gone.
    fn finding(&self, connector: ConnectorId, object_type: Name) -> Option<Finding> {
        // A connector that never certifies has nothing new to say while nothing is missing.
        if matches!(self, Self::Complete { is_certified: false, .. }) {
            return None;
        }
        let mut finding = Finding::new("IMP-002", &self.gap()?.why);
        finding.connector = Some(connector);
        finding.subject = Some(object_type.to_string());
        Some(finding)
    }
}

impl Partition {
    fn shown(&self, is_full: bool) -> Shown {
        let certified = self.certificate.as_ref().map(|certificate| Certified {
            objects: certificate.objects,
            expected: certificate.expected,
            gaps: certificate.gaps.clone(),
        });
        // In a delta an object comes as often as it changed.
        let (delivered, malformed) = (self.delivered, self.malformed.len() as u64);
        Shown { delivered, malformed, repeated: if is_full { self.repeated } else { 0 }, certified }
    }
}
