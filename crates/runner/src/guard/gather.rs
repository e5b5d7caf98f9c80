//! What a hold on queued changes is to cover, and what its objects have in common.

use std::collections::{BTreeSet, HashMap, HashSet};

use identitymesh_engine::guard::{Common, Sight, Usual};
use identitymesh_engine::rules::ConnectorRules;
use identitymesh_model::plan::Operation;
use identitymesh_model::rules::HoldClass;
use identitymesh_model::{HoldId, ItemId, Name, RunId, SpaceId};
use identitymesh_store::{HoldItem, NewHold, QueueClass, QueuedItem, Reader};

use super::changes::{Changes, Seen};
use super::count::Over;
use super::origin::Origin;
use crate::{InForce, RunError};

/// Objects of the target by which it is known what most of them have anyway.
const SAMPLE_OBJECTS: usize = 500;

/// Reads what a hold is to cover.
pub(super) struct Gathering<'a> {
    pub(super) reader: &'a mut dyn Reader,
    pub(super) in_force: &'a InForce,
    pub(super) rules: &'a ConnectorRules,
    pub(super) last: ItemId,
    pub(super) rejected: &'a HashSet<ItemId>,
}

impl Gathering<'_> {
    /// The free changes that are over a limit.
    pub(super) fn over(&mut self, over: &Over<'_>) -> Result<NewHold, RunError> {
        let measure = &over.measure;
        let (common, items) =
            self.gather(measure.object_type, measure.class, |seen| measure.counts(&seen.sought()))?;
        Ok(NewHold {
            object_type: measure.object_type,
            class: measure.class,
            within: measure.part(),
            size: over.count.total(),
            population: over.population,
            allowed: over.allowed(),
            inferred: false,
            again: None,
            common,
            items,
        })
    }

    /// The free changes that repeat something of another hold, as `of` says: a hold for each of these and each kind.
    pub(super) fn again(
        mut self,
        classes: &[QueueClass],
        of: impl Fn(ItemId) -> Option<HoldId>,
    ) -> Result<Vec<NewHold>, RunError> {
        let mut holds = Vec::new();
        for QueueClass { object_type, operation, .. } in classes {
            let mut earlier = BTreeSet::new();
            self.changes().each(*object_type, *operation, |seen| earlier.extend(of(seen.item.id)))?;
            for again in earlier {
                let class = HoldClass::Export(*operation);
                let (common, items) =
                    self.gather(*object_type, class, |seen| of(seen.item.id) == Some(again))?;
                holds.push(NewHold {
                    object_type: *object_type,
                    class,
                    within: None,
                    size: items.len() as u64,
                    population: self.reader.population(self.rules.id, *object_type)?,
                    allowed: 0,
                    inferred: false,
                    again: Some(again),
                    common,
                    items,
                });
            }
        }
        Ok(holds)
    }

    /// The free changes of a kind that are wanted, and what they have in common.
    fn gather(
        &mut self,
        object_type: Name,
        class: HoldClass,
        is_wanted: impl Fn(&Seen<'_>) -> bool,
    ) -> Result<(Vec<String>, Vec<HoldItem>), RunError> {
        let in_force = self.in_force;
        let mut common = Common::new(usual(self.reader, self.rules, object_type)?);
        let mut items = Vec::new();
        for operation in operations(class) {
            let mut origins = HashMap::new();
            for run in self.runs(object_type, operation)? {
                origins.insert(run, Origin::of(self.reader, in_force, run)?);
            }
            self.changes().each(object_type, operation, |seen| {
                if seen.item.held || !is_wanted(seen) {
                    return;
                }
                let origin = origins.get(&seen.item.run);
                common.add(Sight {
                    container: seen.container,
                    doc: seen.doc(),
                    reason: &seen.item.reason,
                    rule: &in_force.rules.rule_name(seen.item.rule),
                    run: origin.map_or("", |origin| &origin.run),
                    source: origin.map_or("", |origin| &origin.source),
                });
                items.push(hold_item(seen.item));
            })?;
        }
        Ok((common.sentences(), items))
    }

    /// The runs that planned changes of one kind.
    fn runs(&mut self, object_type: Name, operation: Operation) -> Result<HashSet<RunId>, RunError> {
        let mut runs = HashSet::new();
        self.changes().each(object_type, operation, |seen| {
            runs.insert(seen.item.run);
        })?;
        Ok(runs)
    }

    fn changes(&mut self) -> Changes<'_> {
        Changes { reader: self.reader, rules: self.rules, last: self.last, rejected: self.rejected }
    }
}

/// The operations whose changes a limit counts.
fn operations(class: HoldClass) -> Vec<Operation> {
    match class {
        HoldClass::Export(operation) => vec![operation],
        HoldClass::Change | HoldClass::Clear => {
            vec![Operation::Update, Operation::Move, Operation::Disable, Operation::Enable]
        }
        HoldClass::ImportDelete => Vec::new(),
    }
}

fn hold_item(item: &QueuedItem) -> HoldItem {
    HoldItem { subject: item.mesh.0, uid: Some(item.uid), item: Some(item.id), hash: item.hash }
}

/// Values that most objects of a type have, by a sample.
pub(super) fn usual(
    reader: &mut dyn Reader,
    rules: &ConnectorRules,
    object_type: Name,
) -> Result<Usual, RunError> {
    let sample = reader.spaces_after(rules.id, SpaceId(0), SAMPLE_OBJECTS)?;
    let of_type = sample.iter().filter(|record| record.object_type == object_type);
    Ok(Usual::of(of_type.map(|record| &record.doc)))
}
