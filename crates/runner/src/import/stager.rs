//! The thread that stages: takes pages, compares them in large parts, hands differences to the store.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use identitymesh_connector::{Certificate, Change, ObjectFinding, Page, Watermark};
use identitymesh_engine::rules::ConnectorRules;
use identitymesh_engine::stage::Told;
use identitymesh_model::{ConnectorId, Finding, Name, SpaceId, Text};
use identitymesh_store::{Moment, StageReceipt, Ticket};
use tokio::sync::mpsc;

use super::mended::Mended;
use super::part::{Comparer, PartResult, batch};
use super::presence::Asker;
use super::seen::Seen;
use crate::RunError;
use crate::force::InForce;
use crate::run::Run;

/// Objects in one part: large, because every transaction touches most leaves of the index of external ids.
const PART_OBJECTS: usize = 20_000;
/// Objects with doubtful references that may wait for the addresses of others.
const DOUBTFUL_MAX: usize = PART_OBJECTS;
/// Parts that may be on their way to the store.
const PARTS_IN_FLIGHT_MAX: usize = 2;

/// Most ids that are remembered of a first import; beyond them the store is asked.
const IDS_REMEMBERED_MAX: usize = 4_000_000;

/// One object type of a full import.
#[derive(Default)]
pub(super) struct Partition {
    pub(super) seen: Seen,
    pub(super) delivered: u64,
    /// External ids that came twice.
    pub(super) repeated: u64,
    /// Malformed objects whose ids are known: they are there.
    pub(super) malformed: Vec<Text>,
    pub(super) certificate: Option<Certificate>,
}

/// A part on its way to the store.
struct InFlight {
    ticket: Ticket<StageReceipt>,
    /// The types of its new objects, in order.
    inserted: Vec<Name>,
    /// Where the next delta may start once this part is written.
    place: Option<String>,
    /// Hashes of all its external ids, to notice one that comes again too soon.
    ids: HashSet<u64>,
}

fn id_hash(change: &Change) -> u64 {
    let mut hasher = DefaultHasher::new();
    change.subject().hash(&mut hasher);
    hasher.finish()
}

/// What the reader hands to the stager.
pub(crate) enum Piece {
    /// The next page.
    Page(Page),
    /// What came so far was a delta that could not go on; everything follows. Says why.
    Restart(String),
    /// The read is whole; who can be asked about what it did not show.
    End(Asker),
}

/// Stages one import.
pub(crate) struct Stager {
    pub(super) in_force: Arc<InForce>,
    pub(super) connector: ConnectorId,
    pub(crate) run: Run,
    pub(crate) is_full: bool,
    pub(super) partitions: BTreeMap<Name, Partition>,
    waiting: Vec<Change>,
    /// Objects whose references are in doubt until others have told their addresses: they are taken up again with each
    /// part, and no place is kept behind them.
    doubtful: Vec<Change>,
    /// Under which names those are found now.
    told: Told,
    /// Objects that were named as there and unchanged.
    present: Vec<(Name, Text)>,
    findings: Vec<Finding>,
    watermark: Option<Watermark>,
    /// Objects that were reported as gone, by type. Nothing is taken as gone before all of them are known.
    pub(super) reported: BTreeMap<Name, HashSet<SpaceId>>,
    /// Those of them that are deleted in the system.
    pub(super) deleted: HashSet<SpaceId>,
    /// Objects that are deleted in the system, and were gone here before this was reported.
    pub(super) departed: Vec<(Name, Text)>,
    /// Known objects that a delta showed, where the system keeps references to them in step.
    pub(super) read: Vec<SpaceId>,
    /// What the system does with references to those.
    pub(crate) mended: Mended,
    /// Up to where references are in step by now, where that is known.
    pub(super) settled: Option<Moment>,
    /// Whether anything was reported as gone.
    has_reported: bool,
    /// The watermark of a read whose end settles what is gone, or what references mean by now: it must not be committed
    /// before that is.
    last_watermark: Option<Watermark>,
    in_flight: VecDeque<InFlight>,
    /// Hashes of all ids of a first import, into a management space without any object: what is not among them is new,
    /// and asking the store would only read its largest index over and over. `None` where objects were there before.
    first: Option<HashSet<u64>>,
    /// Where the next delta may start by what is known to be written, and not written itself yet.
    place: Option<String>,
}

impl Stager {
    pub(crate) fn new(in_force: Arc<InForce>, connector: ConnectorId, run: Run) -> Self {
        Self {
            in_force,
            connector,
            run,
            is_full: true,
            partitions: BTreeMap::new(),
            waiting: Vec::with_capacity(PART_OBJECTS),
            doubtful: Vec::new(),
            told: Told::new(),
            present: Vec::new(),
            findings: Vec::new(),
            watermark: None,
            reported: BTreeMap::new(),
            deleted: HashSet::new(),
            departed: Vec::new(),
            read: Vec::new(),
            mended: Mended::default(),
            settled: None,
            has_reported: false,
            last_watermark: None,
            in_flight: VecDeque::new(),
            first: None,
            place: None,
        }
    }

    pub(crate) fn object_types(&self) -> Vec<Name> {
        self.in_force
            .rules
            .connector(self.connector)
            .map_or_else(Vec::new, |connector| connector.object_types())
    }

    /// Stages pages until the last, and ends the import when it is whole.
    pub(crate) fn work(mut self, mut pages: mpsc::Receiver<Piece>) -> (Self, Result<(), RunError>) {
        let taken = self.take(&mut pages);
        // What was handed in before a failure is still waited for.
        let drained = self.drain(0).and_then(|()| self.keep_place());
        let result = match (taken, drained) {
            (Ok(Some(asker)), Ok(())) => self.finish(&asker),
            (Ok(_), drained) => drained,
            (Err(error), _) => Err(error),
        };
        (self, result)
    }

    /// What came with the end of the read, if it was whole.
    fn take(&mut self, pieces: &mut mpsc::Receiver<Piece>) -> Result<Option<Asker>, RunError> {
        let mut end = None;
        let mut reader = self.run.mesh.store.read()?;
        let is_empty = reader.spaces_after(self.connector, SpaceId(0), 1)?.is_empty();
        drop(reader);
        self.first = is_empty.then(HashSet::new);
        while let Some(piece) = pieces.blocking_recv() {
            match piece {
                Piece::Page(page) => self.page(page),
                Piece::Restart(why) => self.restart(why)?,
                Piece::End(asker) => end = Some(asker),
            }
            if self.waiting.len() >= PART_OBJECTS || self.present.len() >= PART_OBJECTS {
                self.flush()?;
            }
        }
        self.flush()?;
        if end.is_some() {
            self.end_doubts()?;
        } else {
            // Those who could say whom is meant never came. The next read begins before what is in doubt.
            self.doubtful.clear();
        }
        Ok(end)
    }

    /// What came so far is true and stays; what is gone, the full read will say.
    fn restart(&mut self, why: String) -> Result<(), RunError> {
        self.flush()?;
        self.drain(0)?;
        self.doubtful.clear();
        self.place = None;
        self.run.message = Some(why);
        self.is_full = true;
        self.partitions.clear();
        self.present.clear();
        self.reported.clear();
        self.deleted.clear();
        self.departed.clear();
        self.read.clear();
        self.mended.forget();
        self.last_watermark = None;
        Ok(())
    }

    fn page(&mut self, page: Page) {
        self.run.count("read", page.changes.len() as u64);
        for change in &page.changes {
            self.partitions.entry(change.subject().0).or_default().delivered += 1;
            self.has_reported |= matches!(change, Change::Delete { .. } | Change::Left { .. });
            if !self.is_full {
                self.mended.see(change, &self.in_force.rules, self.connector);
            }
        }
        self.run.count("present", page.present.len() as u64);
        for (object_type, _) in &page.present {
            self.partitions.entry(*object_type).or_default().delivered += 1;
        }
        self.present.extend(page.present);
        for finding in page.findings {
            self.malformed(&finding);
            self.findings.push(self.finding(finding));
        }
        for certificate in page.certificates {
            let partition = self.partitions.entry(certificate.object_type).or_default();
            partition.certificate = Some(certificate);
        }
        self.waiting.extend(page.changes);
        if page.watermark.is_none() {
            return;
        }
        let is_certifying = self.is_full
            || self.has_reported
            || self.mended.is_any()
            || self.partitions.values().any(|partition| partition.certificate.is_some());
        if is_certifying {
            self.last_watermark = page.watermark;
        } else {
            self.watermark = page.watermark;
        }
    }

    fn malformed(&mut self, finding: &ObjectFinding) {
        if let (Some(object_type), Some(id)) = (finding.object_type, &finding.external_id) {
            self.partitions.entry(object_type).or_default().malformed.push(id.clone());
        }
    }

    fn finding(&self, finding: ObjectFinding) -> Finding {
        let mut told = Finding::new(finding.code, finding.message);
        told.connector = Some(self.connector);
        told.subject = match (finding.external_id, finding.location) {
            (Some(id), Some(place)) => Some(format!("{id} ({place})")),
            (Some(id), None) => Some(id.to_string()),
            (None, place) => place,
        };
        told
    }

    /// Compares and hands over what has come together.
    fn flush(&mut self) -> Result<(), RunError> {
        self.see_present()?;
        if self.waiting.is_empty() && self.watermark.is_none() && self.findings.is_empty() {
            return Ok(());
        }
        self.stage_part(false)?;
        if self.doubtful.len() > DOUBTFUL_MAX { self.end_doubts() } else { Ok(()) }
    }

    /// Compares what was in doubt with the addresses that are known by now.
    fn end_doubts(&mut self) -> Result<(), RunError> {
        if self.doubtful.is_empty() {
            return Ok(());
        }
        self.drain(0)?;
        self.stage_part(true)
    }

    fn stage_part(&mut self, is_last: bool) -> Result<(), RunError> {
        self.run.mesh.check_cancelled()?;
        let mut changes = std::mem::take(&mut self.doubtful);
        changes.append(&mut self.waiting);
        let ids: HashSet<u64> = changes.iter().map(id_hash).collect();
        // An object that comes again must find the row of its first coming.
        let comes_again = self.in_flight.iter().any(|part| !part.ids.is_disjoint(&ids));
        self.drain(if comes_again { 0 } else { PARTS_IN_FLIGHT_MAX - 1 })?;
        let cause = self.run.cause();
        let store = Arc::clone(&self.run.mesh.store);
        let are_new = self.first.as_ref().is_some_and(|known| known.is_disjoint(&ids));
        let told = std::mem::take(&mut self.told);
        let comparer = Comparer {
            rules: &self.in_force.rules,
            connector: self.connector,
            cause: &cause,
            are_new,
            are_shown: true,
            told: is_last.then_some(&told),
        };
        let mut reader = store.read()?;
        let mut part = comparer.compare(changes, reader.as_mut())?;
        drop(reader);
        self.doubtful = std::mem::take(&mut part.doubtful);
        self.told = std::mem::take(&mut part.told);
        self.remember(&ids);
        if !self.is_full && self.mended.is_any() {
            self.read.extend(part.seen.iter().map(|(_, id)| *id));
        }
        self.see(std::mem::take(&mut part.seen));
        for (object_type, id) in std::mem::take(&mut part.gone) {
            self.reported.entry(object_type).or_default().insert(id);
        }
        self.deleted.extend(std::mem::take(&mut part.deleted));
        if self.mended.is_any() {
            self.departed.append(&mut part.departed);
        }
        self.doubt(std::mem::take(&mut part.refused), std::mem::take(&mut part.repeated));
        self.run.count("added", part.inserts.len() as u64);
        self.run.count("changed", part.updates.len() as u64 - part.confirmed.min(part.updates.len() as u64));
        self.run.count("unchanged", part.unchanged);
        self.run.count("confirmed", part.confirmed);
        self.run.count("drifted", part.drifted);
        self.run.count("unknown", part.unknown);
        self.findings.append(&mut part.findings);
        let findings = std::mem::take(&mut self.findings);
        part.findings = self.run.findings(findings);
        let watermark = self.watermark.take_if(|_| self.doubtful.is_empty());
        let watermark = watermark.map(|mark| stored(&mark)).transpose()?;
        if part.is_empty() && part.findings.is_empty() && watermark.is_none() {
            return Ok(());
        }
        let inserted: Vec<Name> = part.inserts.iter().map(|insert| insert.object_type).collect();
        let mut batch = batch(cause, self.connector, part);
        let rules = self.in_force.rules.connector(self.connector);
        batch.referred = rules.map_or_else(Vec::new, ConnectorRules::referred_indexes);
        // A part that is still on its way may be lost, and the place must not move past it: it waits for the answer.
        let place = if self.in_flight.is_empty() {
            batch.watermark = watermark.or(self.place.take());
            None
        } else {
            batch.watermark = self.place.take();
            watermark
        };
        batch.counters = self.run.counters.clone();
        self.in_flight.push_back(InFlight { ticket: store.stage(batch), inserted, place, ids });
        Ok(())
    }

    fn remember(&mut self, ids: &HashSet<u64>) {
        self.first = self.first.take().filter(|known| known.len() < IDS_REMEMBERED_MAX).map(|mut known| {
            known.extend(ids);
            known
        });
    }

    /// Writes the place that the last parts came to, where it had to wait for them.
    fn keep_place(&mut self) -> Result<(), RunError> {
        let Some(place) = self.place.take() else { return Ok(()) };
        let mut batch = batch(self.run.cause(), self.connector, PartResult::default());
        batch.watermark = Some(place);
        batch.counters = self.run.counters.clone();
        self.run.mesh.store.stage(batch).wait()?;
        Ok(())
    }

    /// Marks what was named as there; what nobody knows is of no interest, it is not among what is looked for.
    fn see_present(&mut self) -> Result<(), RunError> {
        let mut by_type: BTreeMap<Name, Vec<Text>> = BTreeMap::new();
        for (object_type, id) in std::mem::take(&mut self.present) {
            by_type.entry(object_type).or_default().push(id);
        }
        let store = Arc::clone(&self.run.mesh.store);
        let mut reader = store.read()?;
        for (object_type, mut ids) in by_type {
            ids.sort_unstable();
            ids.dedup();
            let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
            let known = reader.known(self.connector, object_type, &ids)?;
            self.see(known.into_iter().flatten().map(|known| (object_type, known.id)).collect());
        }
        Ok(())
    }

    /// Commits where the next delta starts, once what this read says of absence is committed.
    pub(super) fn commit_last_watermark(&mut self) -> Result<(), RunError> {
        let Some(mark) = self.last_watermark.take() else { return Ok(()) };
        let mut batch = batch(self.run.cause(), self.connector, PartResult::default());
        batch.watermark = Some(stored(&mark)?);
        batch.settled = self.settled;
        batch.counters = self.run.counters.clone();
        self.run.mesh.store.stage(batch).wait()?;
        Ok(())
    }

    fn see(&mut self, seen: Vec<(Name, SpaceId)>) {
        for (object_type, id) in seen {
            if let Some(reported) = self.reported.get_mut(&object_type) {
                reported.remove(&id);
            }
            let partition = self.partitions.entry(object_type).or_default();
            if !partition.seen.insert(id) {
                partition.repeated += 1;
            }
        }
    }

    /// What a read cannot count on: objects that are there and could not be taken, and ids that came twice.
    fn doubt(&mut self, refused: Vec<(Name, Text)>, repeated: Vec<Name>) {
        for (object_type, id) in refused {
            self.partitions.entry(object_type).or_default().malformed.push(id);
        }
        for object_type in repeated {
            self.partitions.entry(object_type).or_default().repeated += 1;
        }
    }

    /// Waits until at most `left` parts are on their way; for all of them once one has failed, whose error counts.
    pub(super) fn drain(&mut self, left: usize) -> Result<(), RunError> {
        let mut failed = None;
        while self.in_flight.len() > left || (failed.is_some() && !self.in_flight.is_empty()) {
            let Some(part) = self.in_flight.pop_front() else { break };
            match part.ticket.wait() {
                Ok(receipt) => {
                    self.see(part.inserted.into_iter().zip(receipt.inserted).collect());
                    if failed.is_none() {
                        self.place = part.place.or(self.place.take());
                    }
                }
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

fn stored(mark: &Watermark) -> Result<String, RunError> {
    serde_json::to_string(mark).map_err(|source| RunError::Stored { what: "watermark", source })
}
