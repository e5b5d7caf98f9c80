//! The whole queue of a target, counted by its limits.

use std::collections::HashSet;

use identitymesh_engine::guard::{Count, Measure, Population, measures};
use identitymesh_engine::rules::ConnectorRules;
use identitymesh_model::rules::HoldClass;
use identitymesh_model::{ItemId, Name};
use identitymesh_store::{Queue, QueueClass, Reader};

use super::changes::{Changes, population_where};
use crate::RunError;

/// What tells one limit from another: object type, kind of changes, part of the objects.
pub(super) type Key = (Name, HoldClass, Option<String>);

/// One limit that is crossed, with what it counts.
pub(super) struct Over<'r> {
    pub(super) measure: Measure<'r>,
    pub(super) count: Count,
    pub(super) population: u64,
}

impl Over<'_> {
    pub(super) fn key(&self) -> Key {
        (self.measure.object_type, self.measure.class, self.measure.part())
    }

    pub(super) fn allowed(&self) -> u64 {
        self.measure.limit.allowed(self.population)
    }
}

/// The limits that the queue crosses, those for all objects of a type first.
pub(super) fn over<'r>(
    reader: &mut dyn Reader,
    rules: &'r ConnectorRules,
    queue: &Queue,
    last: ItemId,
) -> Result<Vec<Over<'r>>, RunError> {
    let rejected: HashSet<ItemId> = queue.rejected.iter().map(|(item, _)| *item).collect();
    let mut counts = Counts::default();
    for class in &queue.classes {
        counts.add(rules, class, &mut Changes { reader: &mut *reader, rules, last, rejected: &rejected })?;
    }
    let mut out = Vec::new();
    for (measure, count) in counts.0.into_iter().filter(|(measure, count)| !count.is_small(measure.limit)) {
        let population = population(reader, rules, &measure)?;
        if count.is_over(measure.class, measure.limit, population) {
            out.push(Over { measure, count, population: population.size });
        }
    }
    out.sort_by_key(|over| over.measure.within.is_some());
    Ok(out)
}

#[derive(Default)]
struct Counts<'r>(Vec<(Measure<'r>, Count)>);

impl<'r> Counts<'r> {
    fn add(
        &mut self,
        rules: &'r ConnectorRules,
        class: &QueueClass,
        changes: &mut Changes<'_>,
    ) -> Result<(), RunError> {
        let mut places = Vec::new();
        for measure in measures(&rules.limits, class.object_type, class.operation) {
            if measure.within.is_none() {
                self.0.push((measure, Count { free: class.free, held: class.held }));
            } else {
                places.push(self.place(measure));
            }
        }
        if places.is_empty() {
            return Ok(());
        }
        changes.each(class.object_type, class.operation, |seen| {
            let sought = seen.sought();
            for place in &places {
                let (measure, count) = &mut self.0[*place];
                if measure.counts(&sought) {
                    *(if seen.item.held { &mut count.held } else { &mut count.free }) += 1;
                }
            }
        })
    }

    /// A limit on an attribute counts changes of several operations together.
    fn place(&mut self, measure: Measure<'r>) -> usize {
        self.0.iter().position(|(known, _)| *known == measure).unwrap_or_else(|| {
            self.0.push((measure, Count { free: 0, held: 0 }));
            self.0.len() - 1
        })
    }
}

fn population(
    reader: &mut dyn Reader,
    rules: &ConnectorRules,
    measure: &Measure<'_>,
) -> Result<Population, RunError> {
    let is_in_part = measure.within.is_some_and(|within| within.container.is_some());
    let size = if is_in_part {
        population_where(reader, rules, measure.object_type, |container| measure.is_below(container))?
    } else {
        reader.population(rules.id, measure.object_type)?
    };
    Ok(Population { size, is_unseen: reader.is_unseen(rules.id, measure.object_type)? })
}
