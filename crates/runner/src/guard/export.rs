//! Before the first export of a run: the whole queue of the target against its limits.

use std::collections::{HashMap, HashSet};

use identitymesh_engine::rules::ConnectorRules;
use identitymesh_model::{HoldId, ItemId};
use identitymesh_store::{HoldBatch, HoldFilter, HoldSide, HoldStanding, Queue, Reader};

use super::count::{Key, over};
use super::gather::Gathering;
use super::told::{every_hold, told};
use crate::RunError;
use crate::run::Run;

/// Holds what is over its limits; says up to which item the run may send, `None` when nothing is queued.
pub(crate) fn check_queue(run: &mut Run, rules: &ConnectorRules) -> Result<Option<Cleared>, RunError> {
    let queue = let_go(run, rules)?;
    let Some(last) = queue.last else { return Ok(None) };
    let (store, in_force) = (run.mesh.store.clone(), run.mesh.in_force()?);
    let mut reader = store.read()?;
    let mut batch = batch(run, rules);
    batch.rejected.clone_from(&queue.rejected);
    let rejected: HashSet<ItemId> = queue.rejected.iter().map(|(item, _)| *item).collect();
    let mut taken = HashSet::new();
    for over in over(reader.as_mut(), rules, &queue, last)? {
        if over.count.free == 0 {
            continue;
        }
        let reader = reader.as_mut();
        let in_force = in_force.as_ref();
        let mut hold = Gathering { reader, in_force, rules, last, rejected: &rejected }.over(&over)?;
        // A change that is over two limits waits in one hold.
        hold.items.retain(|item| taken.insert(item.item));
        if !hold.items.is_empty() {
            batch.holds.push(hold);
        }
    }
    let again = queue.again.iter().filter(|(item, _)| !taken.contains(&Some(*item)));
    let again: HashMap<ItemId, HoldId> = again.copied().collect();
    if !again.is_empty() {
        let (reader, in_force) = (reader.as_mut(), in_force.as_ref());
        let gathering = Gathering { reader, in_force, rules, last, rejected: &rejected };
        batch.holds.extend(gathering.again(&queue.classes, |item| again.get(&item).copied())?);
    }
    drop(reader);
    let batch_held = batch.holds.iter().map(|hold| hold.items.len() as u64).sum();
    let is_new = !batch.holds.is_empty() || !batch.rejected.is_empty();
    if is_new {
        run.count("held", batch_held);
        run.count("rejected", batch.rejected.len() as u64);
        store.hold(batch).wait()?;
    }
    if is_new || queue.classes.iter().any(|class| class.held > 0) {
        let mut reader = store.read()?;
        run.held = told(reader.as_mut(), rules.id, HoldSide::Exports)?;
    }
    let free: u64 = queue.classes.iter().map(|class| class.free).sum();
    Ok(Some(Cleared { upto: last, count: free.saturating_sub(batch_held) }))
}

/// What the guard lets through.
#[derive(Clone, Copy)]
pub(crate) struct Cleared {
    /// The newest item; what is queued later was not counted.
    pub(crate) upto: ItemId,
    /// How many items, at most.
    pub(crate) count: u64,
}

/// Withdraws the open holds whose limit is not crossed any more and on which nobody has decided anything. What waits in
/// them is free again, and counted again: another limit may still hold it. A hold of what repeats something has no limit.
fn let_go(run: &mut Run, rules: &ConnectorRules) -> Result<Queue, RunError> {
    let store = run.mesh.store.clone();
    let mut reader = store.read()?;
    let queue = reader.queue(rules.id)?;
    let (Some(last), true) = (queue.last, queue.classes.iter().any(|class| class.held > 0)) else {
        return Ok(queue);
    };
    let crossed: HashSet<Key> =
        over(reader.as_mut(), rules, &queue, last)?.iter().map(super::count::Over::key).collect();
    let withdrawn = undecided(reader.as_mut(), rules, &crossed)?;
    drop(reader);
    if withdrawn.is_empty() {
        return Ok(queue);
    }
    store.hold(HoldBatch { withdrawn, ..batch(run, rules) }).wait()?;
    Ok(store.read()?.queue(rules.id)?)
}

fn undecided(
    reader: &mut dyn Reader,
    rules: &ConnectorRules,
    crossed: &HashSet<Key>,
) -> Result<Vec<HoldId>, RunError> {
    let (connector, side) = (Some(rules.id), Some(HoldSide::Exports));
    let filter = HoldFilter { connector, side, standing: HoldStanding::Open };
    let holds = every_hold(reader, filter)?.into_iter();
    let holds = holds.filter(|hold| hold.decisions.is_empty() && hold.again.is_none());
    let is_within = |key: &Key| !crossed.contains(key);
    let holds = holds.filter(|hold| is_within(&(hold.object_type, hold.class, hold.within.clone())));
    Ok(holds.map(|hold| hold.id).collect())
}

fn batch(run: &Run, rules: &ConnectorRules) -> HoldBatch {
    HoldBatch {
        cause: run.cause(),
        connector: rules.id,
        holds: Vec::new(),
        rejected: Vec::new(),
        withdrawn: Vec::new(),
        returned: Vec::new(),
    }
}
