//! Before a full import takes anything as gone: what it did not see against the limit.

use std::collections::{HashMap, HashSet};

use identitymesh_engine::guard::{Common, Sight, Usual};
use identitymesh_engine::rules::ConnectorRules;
use identitymesh_model::rules::Limit;
use identitymesh_model::{HoldId, Name, SpaceId};
use identitymesh_store::{
    Hashed, HoldBatch, HoldClass, HoldFilter, HoldItem, HoldItemRow, HoldRow, HoldState, NewHold, Reader,
};

use super::export::container;
use super::told::told;
use crate::RunError;
use crate::run::Run;

/// Rows read at once.
const ROWS_READ: usize = 10_000;
/// Objects of the population by which it is known what most of them have anyway.
const SAMPLE_OBJECTS: usize = 500;
/// Holds that are looked at.
const HOLDS_READ: usize = 1_000;

/// What a full import of one object type did not see.
pub(crate) struct Missing {
    pub(crate) object_type: Name,
    pub(crate) population: u64,
    pub(crate) unseen: Vec<SpaceId>,
}

/// What earlier imports held of one object type.
#[derive(Default)]
struct Earlier {
    /// Rejected for as long as the object stays away and is what it was.
    rejected: HashSet<i64>,
    /// Waiting in a hold of which a part was decided: these stay.
    kept: HashSet<i64>,
    /// Waiting in a hold on which nobody decided anything.
    undecided: HashSet<i64>,
    /// Those holds.
    holds: Vec<HoldId>,
    /// Changes of holds whose object is there again, or changed in between.
    returned: Vec<(HoldId, i64)>,
}

type Hashes = HashMap<i64, Hashed>;

/// Holds what is over the limit; says what may be taken as gone.
pub(crate) fn check_missing(
    run: &mut Run,
    rules: &ConnectorRules,
    missing: Missing,
) -> Result<Vec<SpaceId>, RunError> {
    let store = run.mesh.store.clone();
    let mut reader = store.read()?;
    let hashes = hashes(reader.as_mut(), &missing.unseen)?;
    let earlier = earlier(reader.as_mut(), rules, missing.object_type, &hashes)?;
    let wanted: Vec<SpaceId> =
        missing.unseen.iter().copied().filter(|id| !earlier.rejected.contains(&id.0)).collect();
    let size = wanted.len() as u64;
    let allowed = rules.limits.import_delete.unwrap_or(Limit::DEFAULT).allowed(missing.population);
    let is_over = size > allowed;
    let is_held =
        |id: &SpaceId| earlier.kept.contains(&id.0) || (is_over && earlier.undecided.contains(&id.0));
    let (held, rest): (Vec<SpaceId>, Vec<SpaceId>) = wanted.into_iter().partition(is_held);
    let (fresh, gone) = if is_over { (rest, Vec::new()) } else { (Vec::new(), rest) };
    let mut batch = HoldBatch {
        cause: run.cause(),
        connector: rules.id,
        holds: Vec::new(),
        rejected: Vec::new(),
        withdrawn: if is_over { Vec::new() } else { earlier.holds },
        returned: earlier.returned,
    };
    if !fresh.is_empty() {
        let counted = (size, missing.population, allowed);
        batch.holds.push(new_hold(reader.as_mut(), rules, missing.object_type, counted, &fresh, &hashes)?);
    }
    drop(reader);
    run.count("deletes_held", (held.len() + fresh.len()) as u64);
    run.count("deletes_rejected", earlier.rejected.len() as u64);
    keep(run, batch, !held.is_empty() || !fresh.is_empty())?;
    Ok(gone)
}

/// Writes what was found, and lets the run say what waits.
fn keep(run: &mut Run, batch: HoldBatch, waits: bool) -> Result<(), RunError> {
    let (store, connector) = (run.mesh.store.clone(), batch.connector);
    if !batch.holds.is_empty() || !batch.withdrawn.is_empty() || !batch.returned.is_empty() {
        store.hold(batch).wait()?;
    }
    if waits {
        run.held = told(store.read()?.as_mut(), connector, |class| class == HoldClass::ImportDelete)?;
    }
    Ok(())
}

fn hashes(reader: &mut dyn Reader, ids: &[SpaceId]) -> Result<Hashes, RunError> {
    let mut out = Hashes::with_capacity(ids.len());
    for part in ids.chunks(ROWS_READ) {
        let found = reader.space_hashes(part)?;
        out.extend(part.iter().zip(found).filter_map(|(id, found)| Some((id.0, found?))));
    }
    Ok(out)
}

fn earlier(
    reader: &mut dyn Reader,
    rules: &ConnectorRules,
    object_type: Name,
    hashes: &Hashes,
) -> Result<Earlier, RunError> {
    let filter = HoldFilter { connector: Some(rules.id), open: false };
    let mut out = Earlier::default();
    for hold in reader.hold_list(&filter, None, HOLDS_READ)? {
        let is_of_type = hold.class == HoldClass::ImportDelete && hold.object_type == object_type;
        if !is_of_type || hold.waiting + hold.rejected == 0 {
            continue;
        }
        if hold.waiting > 0 && hold.decisions.is_empty() {
            out.holds.push(hold.id);
        }
        let mut after = None;
        loop {
            let rows = reader.hold_items(hold.id, after, ROWS_READ)?;
            let Some(last) = rows.last() else { break };
            after = Some(last.subject);
            rows.iter().for_each(|row| out.sort(&hold, row, hashes));
        }
    }
    Ok(out)
}

impl Earlier {
    fn sort(&mut self, hold: &HoldRow, row: &HoldItemRow, hashes: &Hashes) {
        let is_as_held = hashes.get(&row.subject).is_some_and(|known| known.hash == row.hash);
        match row.state {
            HoldState::Open | HoldState::Rejected if !is_as_held => {
                self.returned.push((hold.id, row.subject));
            }
            HoldState::Rejected => drop(self.rejected.insert(row.subject)),
            HoldState::Open if hold.decisions.is_empty() => drop(self.undecided.insert(row.subject)),
            HoldState::Open => drop(self.kept.insert(row.subject)),
            HoldState::Approved | HoldState::Withdrawn => {}
        }
    }
}

fn new_hold(
    reader: &mut dyn Reader,
    rules: &ConnectorRules,
    object_type: Name,
    (size, population, allowed): (u64, u64, u64),
    fresh: &[SpaceId],
    hashes: &Hashes,
) -> Result<NewHold, RunError> {
    let address = rules.object_type(object_type).and_then(|known| known.address());
    let sample = reader.spaces_after(rules.id, SpaceId(0), SAMPLE_OBJECTS)?;
    let of_type = sample.iter().filter(|record| record.object_type == object_type);
    let mut common = Common::new(Usual::of(of_type.map(|record| &record.doc)));
    for part in fresh.chunks(ROWS_READ) {
        for record in reader.spaces(part)?.into_iter().flatten() {
            let container = container(Some(&record.doc), Some(&record), address);
            common.add(Sight { container: container.as_deref(), doc: Some(&record.doc), ..Sight::default() });
        }
    }
    let item = |id: &SpaceId| {
        let known = hashes.get(&id.0)?;
        Some(HoldItem { subject: id.0, uid: known.mesh, item: None, hash: known.hash })
    };
    Ok(NewHold {
        object_type,
        class: HoldClass::ImportDelete,
        size,
        population,
        allowed,
        common: common.sentences(),
        items: fresh.iter().filter_map(item).collect(),
    })
}
