//! Before the first export of a run: the whole queue of the target against its limits.

use std::collections::HashSet;

use identitymesh_engine::guard::{Class, Common, Over, Sight, Usual, over, within};
use identitymesh_engine::rules::ConnectorRules;
use identitymesh_model::plan::{ItemAction, Operation};
use identitymesh_model::{HoldId, ItemId, Name, Object, SpaceId, SpaceRecord, Value, dn};
use identitymesh_store::{HoldBatch, HoldClass, HoldFilter, HoldItem, NewHold, Queue, QueuedItem, Reader};

use super::told::told;
use crate::RunError;
use crate::run::Run;

/// Items read at once while a hold is made.
const ITEMS_READ: usize = 5_000;
/// Objects of the target by which it is known what most of them have anyway.
const SAMPLE_OBJECTS: usize = 500;
/// Open holds that are looked at when a class is within its limits again.
const HOLDS_READ: usize = 1_000;

/// Holds what is over its limits; says up to which item the run may send, `None` when nothing is queued.
pub(crate) fn check_queue(run: &mut Run, rules: &ConnectorRules) -> Result<Option<Cleared>, RunError> {
    let store = run.mesh.store.clone();
    let mut reader = store.read()?;
    let queue = reader.queue(rules.id)?;
    let Some(last) = queue.last else { return Ok(None) };
    let classes = classes(reader.as_mut(), rules, &queue)?;
    let mut batch = HoldBatch {
        cause: run.cause(),
        connector: rules.id,
        holds: Vec::new(),
        rejected: queue.rejected.clone(),
        returned: Vec::new(),
        withdrawn: undecided(reader.as_mut(), rules, &within(&rules.limits, &classes))?,
    };
    let rejected: HashSet<ItemId> = queue.rejected.iter().map(|(item, _)| *item).collect();
    for class in over(&rules.limits, &classes) {
        let mut gathering = Gathering { reader: reader.as_mut(), rules, last, rejected: &rejected };
        batch.holds.push(gathering.hold(&class)?);
    }
    drop(reader);
    let batch_held = batch.holds.iter().map(|hold| hold.items.len() as u64).sum();
    let is_new = !batch.holds.is_empty() || !batch.rejected.is_empty() || !batch.withdrawn.is_empty();
    if is_new {
        run.count("held", batch_held);
        run.count("rejected", batch.rejected.len() as u64);
        run.mesh.store.hold(batch).wait()?;
    }
    if is_new || classes.iter().any(|class| class.held > 0) {
        let mut reader = store.read()?;
        run.held = told(reader.as_mut(), rules.id, |class| matches!(class, HoldClass::Export(_)))?;
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

/// The classes of the queue that have a limit, with the target's population.
fn classes(reader: &mut dyn Reader, rules: &ConnectorRules, queue: &Queue) -> Result<Vec<Class>, RunError> {
    let mut out = Vec::with_capacity(queue.classes.len());
    for class in &queue.classes {
        if rules.limits.of(class.operation).is_none() && class.held == 0 {
            continue;
        }
        out.push(Class {
            object_type: class.object_type,
            operation: class.operation,
            free: class.free,
            held: class.held,
            population: reader.population(rules.id, class.object_type)?,
            is_empty: class.operation == Operation::Create
                && reader.is_unseen(rules.id, class.object_type)?,
        });
    }
    Ok(out)
}

/// The open holds of classes that are within their limits again and on which nobody has decided anything.
fn undecided(
    reader: &mut dyn Reader,
    rules: &ConnectorRules,
    within: &[Class],
) -> Result<Vec<HoldId>, RunError> {
    if within.is_empty() {
        return Ok(Vec::new());
    }
    let filter = HoldFilter { connector: Some(rules.id), open: true };
    let is_within = |object_type: Name, class: HoldClass| {
        within
            .iter()
            .any(|known| known.object_type == object_type && HoldClass::Export(known.operation) == class)
    };
    let holds = reader.hold_list(&filter, None, HOLDS_READ)?;
    let holds = holds.into_iter().filter(|hold| hold.decisions.is_empty());
    Ok(holds.filter(|hold| is_within(hold.object_type, hold.class)).map(|hold| hold.id).collect())
}

/// Reads what a hold is to cover.
struct Gathering<'a> {
    reader: &'a mut dyn Reader,
    rules: &'a ConnectorRules,
    last: ItemId,
    rejected: &'a HashSet<ItemId>,
}

impl Gathering<'_> {
    fn hold(&mut self, over: &Over) -> Result<NewHold, RunError> {
        let Class { object_type, operation, free, held, population, .. } = over.class;
        let sample = self.reader.spaces_after(self.rules.id, SpaceId(0), SAMPLE_OBJECTS)?;
        let of_type = sample.iter().filter(|record| record.object_type == object_type);
        let mut common = Common::new(Usual::of(of_type.map(|record| &record.doc)));
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let part = self.reader.queued(self.rules.id, object_type, operation, after, ITEMS_READ)?;
            let Some(newest) = part.last().map(|item| item.id) else { break };
            after = Some(newest);
            let part: Vec<QueuedItem> = part
                .into_iter()
                .filter(|item| item.id <= self.last && !self.rejected.contains(&item.id))
                .collect();
            self.see(&part, object_type, &mut common)?;
            items.extend(part.iter().map(|item| HoldItem {
                subject: item.mesh.0,
                uid: Some(item.uid),
                item: Some(item.id),
                hash: item.hash,
            }));
        }
        Ok(NewHold {
            object_type,
            class: HoldClass::Export(operation),
            size: free + held,
            population,
            allowed: over.allowed,
            common: common.sentences(),
            items,
        })
    }

    fn see(&mut self, items: &[QueuedItem], object_type: Name, common: &mut Common) -> Result<(), RunError> {
        let address = self.rules.object_type(object_type).and_then(|known| known.address());
        let ids: Vec<SpaceId> = items.iter().filter_map(|item| item.space).collect();
        let mut spaces = self.reader.spaces(&ids)?.into_iter();
        for item in items {
            let space = item.space.and_then(|_| spaces.next()).flatten();
            let doc = match &item.action {
                ItemAction::Create { attributes, .. } => Some(attributes),
                _ => space.as_ref().map(|record| &record.doc),
            };
            let container = container(doc, space.as_ref(), address);
            common.add(Sight {
                container: container.as_deref(),
                doc,
                reason: &item.reason,
                run: Some(item.run.0),
            });
        }
        Ok(())
    }
}

/// Where an object stands in a tree.
pub(super) fn container(
    doc: Option<&Object>,
    space: Option<&SpaceRecord>,
    address: Option<Name>,
) -> Option<String> {
    let written = address.and_then(|name| doc?.single(name)).and_then(Value::as_text);
    let text = written.or_else(|| space.map(|record| record.external_id.as_str()))?;
    let parent = dn::parent(text);
    parent.contains('=').then(|| parent.to_owned())
}
