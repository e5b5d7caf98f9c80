//! Before an import takes anything as gone: what it did not see, or was told of as gone, against the limits.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use identitymesh_engine::guard::{Common, Count, Measure, Population, Sight, missing_measures};
use identitymesh_engine::rules::ConnectorRules;
use identitymesh_model::{ConnectorId, HoldId, Name, RunId, SpaceId};
use identitymesh_store::{
    HoldBatch, HoldClass, HoldFilter, HoldItem, HoldItemRow, HoldRow, HoldSide, HoldStanding, HoldState,
    NewHold, Reader,
};

use super::changes::{address, container, population_where};
use super::gather::usual;
use super::origin::Origin;
use super::told::{every_hold, told};
use crate::run::Run;
use crate::{InForce, RunError};

/// Rows read at once.
const ROWS_READ: usize = 10_000;

/// The objects of one type that an import says are gone.
pub(crate) struct Missing<'a> {
    pub(crate) object_type: Name,
    /// Objects that are there by what is known.
    pub(crate) population: u64,
    /// Those that are gone, by this import.
    pub(crate) gone: Vec<SpaceId>,
    /// Whether what is not among them is there. Otherwise nothing is known of the others but what `is_shown` says.
    pub(crate) is_whole: bool,
    /// Whether this import showed an object as there.
    pub(crate) is_shown: &'a dyn Fn(SpaceId) -> bool,
}

/// Holds what is over the limits; says what may be taken as gone.
pub(crate) fn check_missing(
    run: &mut Run,
    rules: &ConnectorRules,
    missing: &Missing<'_>,
) -> Result<Vec<SpaceId>, RunError> {
    let store = run.mesh.store.clone();
    let mut reader = store.read()?;
    let earlier = Earlier::read(reader.as_mut(), rules.id, missing)?;
    let in_force = run.mesh.in_force()?;
    let of = (run.id, in_force.as_ref());
    let judged = Judging { reader: reader.as_mut(), rules, missing, earlier: &earlier, of }.judge()?;
    let returned = earlier.returned.clone();
    drop(reader);
    let held = judged.waiting + judged.holds.iter().map(|hold| hold.items.len() as u64).sum::<u64>();
    run.count("deletes_held", held);
    run.count("deletes_rejected", earlier.rejected.len() as u64);
    let (cause, connector) = (run.cause(), rules.id);
    let Judged { holds, withdrawn, gone, .. } = judged;
    if !holds.is_empty() || !withdrawn.is_empty() || !returned.is_empty() {
        let rejected = Vec::new();
        store.hold(HoldBatch { cause, connector, holds, rejected, withdrawn, returned }).wait()?;
    }
    if held > 0 {
        run.held = told(store.read()?.as_mut(), connector, HoldSide::Imports)?;
    }
    Ok(gone)
}

/// What earlier imports held of one object type.
#[derive(Default)]
struct Earlier {
    /// Rejected for as long as the object stays away and is what it was.
    rejected: HashSet<i64>,
    /// Waiting: in which hold.
    waiting: BTreeMap<i64, HoldId>,
    /// The holds in which something waits, by number.
    open: BTreeMap<HoldId, Open>,
    /// Changes of holds whose object is there again, or changed in between.
    returned: Vec<(HoldId, i64)>,
}

/// A hold in which something waits.
struct Open {
    /// Which part of the objects it is of.
    part: Option<String>,
    /// Whether a part of it was decided.
    is_decided: bool,
    /// Whether what waits was only missing, and not reported.
    inferred: bool,
}

impl Earlier {
    fn read(
        reader: &mut dyn Reader,
        connector: ConnectorId,
        missing: &Missing<'_>,
    ) -> Result<Self, RunError> {
        let (connector, side) = (Some(connector), Some(HoldSide::Imports));
        let filter = HoldFilter { connector, side, standing: HoldStanding::Undone };
        let gone: HashSet<SpaceId> = missing.gone.iter().copied().collect();
        let mut out = Self::default();
        let holds = every_hold(reader, filter)?.into_iter();
        for hold in holds.filter(|hold| hold.object_type == missing.object_type) {
            let mut after = None;
            loop {
                let rows = reader.hold_items(hold.id, after, ROWS_READ)?;
                let Some(last) = rows.last() else { break };
                after = Some(last.subject);
                let ids: Vec<SpaceId> = rows.iter().map(|row| SpaceId(row.subject)).collect();
                let now = reader.space_hashes(&ids)?;
                for (row, now) in rows.iter().zip(now) {
                    let id = SpaceId(row.subject);
                    let is_as_held = now.is_some_and(|known| known.hash == row.hash);
                    let is_away = gone.contains(&id) || !(missing.is_whole || (missing.is_shown)(id));
                    out.sort(&hold, row, is_as_held && is_away);
                }
            }
        }
        Ok(out)
    }

    fn sort(&mut self, hold: &HoldRow, row: &HoldItemRow, stands: bool) {
        match row.state {
            HoldState::Open | HoldState::Rejected if !stands => self.returned.push((hold.id, row.subject)),
            HoldState::Rejected => drop(self.rejected.insert(row.subject)),
            HoldState::Open => {
                self.waiting.insert(row.subject, hold.id);
                let open = Open {
                    part: hold.within.clone(),
                    is_decided: !hold.decisions.is_empty(),
                    inferred: hold.inferred,
                };
                self.open.insert(hold.id, open);
            }
            HoldState::Approved | HoldState::Withdrawn => {}
        }
    }
}

struct Judging<'a> {
    reader: &'a mut dyn Reader,
    rules: &'a ConnectorRules,
    missing: &'a Missing<'a>,
    earlier: &'a Earlier,
    /// The import, and under which configuration it runs.
    of: (RunId, &'a InForce),
}

/// What became of the objects.
struct Judged {
    holds: Vec<NewHold>,
    withdrawn: Vec<HoldId>,
    /// Changes that go on waiting in earlier holds.
    waiting: u64,
    gone: Vec<SpaceId>,
}

/// A limit that is crossed: how many objects it counts, of how many, and which.
struct Crossed<'r> {
    measure: Measure<'r>,
    size: u64,
    population: u64,
}

impl Judging<'_> {
    fn judge(&mut self) -> Result<Judged, RunError> {
        let earlier = self.earlier;
        let wanted = self.missing.gone.iter().map(|id| id.0).filter(|id| !earlier.rejected.contains(id));
        let mut all: BTreeSet<i64> = wanted.collect();
        all.extend(earlier.waiting.keys());
        let containers = self.containers(&all)?;
        let is_in = |measure: &Measure<'_>, id: i64| {
            measure.is_below(containers.get(&id).and_then(|container| container.as_deref()))
        };
        let mut crossed = Vec::new();
        for measure in missing_measures(&self.rules.limits, self.missing.object_type) {
            let size = all.iter().filter(|id| is_in(&measure, **id)).count() as u64;
            let count = Count { free: size, held: 0 };
            if count.is_small(measure.limit) {
                continue;
            }
            let population = self.population(&measure)?;
            if count.is_over(measure.class, measure.limit, Population { size: population, is_unseen: false })
            {
                crossed.push(Crossed { measure, size, population });
            }
        }
        let parts: HashSet<Option<String>> = crossed.iter().map(|crossed| crossed.measure.part()).collect();
        let stays = |hold: &HoldId| {
            earlier.open.get(hold).is_some_and(|known| {
                // What was only missing is no surer to be gone because a read that does not name everything showed a
                // part of it. A hold of which a part was decided stays until the rest is.
                let is_unproved = known.inferred && !self.missing.is_whole;
                is_unproved || known.is_decided || parts.contains(&known.part)
            })
        };
        let withdrawn = earlier.open.keys().filter(|hold| !stays(hold)).copied().collect();
        let mut left = all;
        left.retain(|id| !earlier.waiting.get(id).is_some_and(stays));
        let waiting = earlier.waiting.values().filter(|hold| stays(hold)).count() as u64;
        let mut holds = Vec::new();
        for crossed in &crossed {
            let fresh: Vec<SpaceId> =
                left.iter().copied().filter(|id| is_in(&crossed.measure, *id)).map(SpaceId).collect();
            for id in &fresh {
                left.remove(&id.0);
            }
            if !fresh.is_empty() {
                holds.push(self.hold(crossed, &fresh)?);
            }
        }
        Ok(Judged { holds, withdrawn, waiting, gone: left.into_iter().map(SpaceId).collect() })
    }

    /// Where the objects stand, if any limit asks for it.
    fn containers(&mut self, all: &BTreeSet<i64>) -> Result<HashMap<i64, Option<String>>, RunError> {
        let mut out = HashMap::new();
        let mut measures = missing_measures(&self.rules.limits, self.missing.object_type).into_iter();
        if !measures.any(|measure| measure.within.is_some()) {
            return Ok(out);
        }
        let address = address(self.rules, self.missing.object_type);
        let ids: Vec<SpaceId> = all.iter().copied().map(SpaceId).collect();
        for part in ids.chunks(ROWS_READ) {
            for record in self.reader.spaces(part)?.into_iter().flatten() {
                out.insert(record.id.0, container(None, Some(&record), address));
            }
        }
        Ok(out)
    }

    fn population(&mut self, measure: &Measure<'_>) -> Result<u64, RunError> {
        if measure.within.is_none() {
            return Ok(self.missing.population);
        }
        let is_wanted = |container: Option<&str>| measure.is_below(container);
        population_where(self.reader, self.rules, measure.object_type, is_wanted)
    }

    fn hold(&mut self, crossed: &Crossed<'_>, fresh: &[SpaceId]) -> Result<NewHold, RunError> {
        let object_type = self.missing.object_type;
        let address = address(self.rules, object_type);
        let mut common = Common::new(usual(self.reader, self.rules, object_type)?);
        let origin = Origin::of(self.reader, self.of.1, self.of.0)?;
        let mut items = Vec::with_capacity(fresh.len());
        for part in fresh.chunks(ROWS_READ) {
            for record in self.reader.spaces(part)?.into_iter().flatten() {
                let container = container(None, Some(&record), address);
                common.add(Sight {
                    container: container.as_deref(),
                    doc: Some(&record.doc),
                    run: &origin.run,
                    source: &origin.source,
                    ..Sight::default()
                });
            }
            let hashes = self.reader.space_hashes(part)?;
            items.extend(part.iter().zip(hashes).filter_map(|(id, known)| {
                let known = known?;
                Some(HoldItem { subject: id.0, uid: known.mesh, item: None, hash: known.hash })
            }));
        }
        Ok(NewHold {
            object_type,
            class: HoldClass::ImportDelete,
            within: crossed.measure.part(),
            size: crossed.size,
            population: crossed.population,
            allowed: crossed.measure.limit.allowed(crossed.population),
            inferred: self.missing.is_whole,
            again: None,
            common: common.sentences(),
            items,
        })
    }
}
