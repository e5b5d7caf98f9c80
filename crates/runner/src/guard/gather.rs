//! What a hold on queued changes is to cover, and what its objects have in common.

use std::collections::{HashMap, HashSet};

use identitymesh_engine::guard::{Common, Sight, Usual};
use identitymesh_engine::rules::ConnectorRules;
use identitymesh_model::plan::Operation;
use identitymesh_model::rules::HoldClass;
use identitymesh_model::{ItemId, Name, RunId, SpaceId};
use identitymesh_store::{HoldItem, NewHold, QueuedItem, Reader};

use super::changes::Changes;
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
    pub(super) fn hold(&mut self, over: &Over<'_>) -> Result<NewHold, RunError> {
        let (measure, in_force) = (&over.measure, self.in_force);
        let mut common = Common::new(usual(self.reader, self.rules, measure.object_type)?);
        let mut items = Vec::new();
        for operation in operations(measure.class) {
            let mut origins = HashMap::new();
            for run in self.runs(measure.object_type, operation)? {
                origins.insert(run, Origin::of(self.reader, in_force, run)?);
            }
            self.changes().each(measure.object_type, operation, |seen| {
                if seen.item.held || !measure.counts(&seen.sought()) {
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
        Ok(NewHold {
            object_type: measure.object_type,
            class: measure.class,
            within: measure.part(),
            size: over.count.total(),
            population: over.population,
            allowed: over.allowed(),
            inferred: false,
            common: common.sentences(),
            items,
        })
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
