//! What sources say about somebody whose object in a target is to be deleted.
//!
//! Nothing is deleted while a source that the rule names says that the person is active. One that nobody can be sure
//! of counts as saying so: it is disabled, it was not read whole, or its condition cannot be evaluated.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;

use identitymesh_expr::{Evaluator, Scope, missing_input};
use identitymesh_model::{ConnectorId, Coverage, Name, SpaceRecord, Timestamp, Value};

use super::neighbours::Neighbours;
use super::part::Part;
use crate::rules::{ActiveSource, RuleSet};

/// What is known of the sources that deletions wait for.
pub(super) type Coverages = HashMap<(ConnectorId, Name), Coverage>;

impl<N: Neighbours> Part<'_, '_, N> {
    /// What is known of all sources that deletions of the mesh objects at work may wait for.
    pub(super) fn coverages(&mut self) -> Result<Coverages, N::Error> {
        let rules = self.rules;
        let mut coverages = Coverages::new();
        let types: HashSet<Name> = self.works.list.iter().map(|work| work.view.record.mesh_type).collect();
        let projections = types.into_iter().filter_map(|name| rules.mesh_type(name));
        let projections = projections.flat_map(|mesh_type| &mesh_type.targets).flat_map(|(_, rules)| rules);
        for source in projections.flat_map(|rule| &rule.unless_active) {
            if let Entry::Vacant(vacant) = coverages.entry((source.connector, source.object_type)) {
                vacant.insert(self.neighbours.coverage(source.connector, source.object_type)?);
            }
        }
        Ok(coverages)
    }
}

/// What stands against a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Objection {
    /// A source says that the person is active.
    Active(String),
    /// Nobody can be sure that it does not.
    Unsure(String),
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active(text) | Self::Unsure(text) => f.write_str(text),
        }
    }
}

/// What `source` has against a deletion, given all that the mesh object is linked to; `None` when it has nothing.
pub(super) fn objection(
    rules: &RuleSet,
    source: &ActiveSource,
    linked: &[SpaceRecord],
    coverage: Option<&Coverage>,
    (evaluator, now): (&mut Evaluator, Timestamp),
) -> Option<Objection> {
    let connector = rules.connector(source.connector);
    let name = connector.map_or("a former connector", |known| known.name.as_str());
    let mut unsure = None;
    for space in linked.iter().filter(|space| source.is_about(space) && !space.deleted) {
        match says(source, space, evaluator, now) {
            Ok(None) => {}
            Ok(Some(words)) => {
                return Some(Objection::Active(format!("{name}/{} {words}", space.external_id)));
            }
            Err(why) => unsure = unsure.or(Some(format!("{name}/{}: {why}", space.external_id))),
        }
    }
    if !connector.is_some_and(|known| known.enabled) {
        return Some(Objection::Unsure(format!("{name} is disabled")));
    }
    match coverage {
        Some(Coverage::Whole) => unsure.map(Objection::Unsure),
        Some(Coverage::Unknown(why)) => Some(Objection::Unsure(format!("{name} {why}"))),
        None => Some(Objection::Unsure(format!("nothing is known of {name}"))),
    }
}

/// The words by which an object says that the person is active, `None` when it says that they are not; or why it
/// cannot be told.
fn says(
    source: &ActiveSource,
    space: &SpaceRecord,
    evaluator: &mut Evaluator,
    now: Timestamp,
) -> Result<Option<String>, String> {
    let Some(when) = &source.when else { return Ok(Some("is there".to_owned())) };
    let scope = Scope::at(now).with_source(&space.doc);
    if let Some(name) = missing_input(when, &scope) {
        return Err(format!("it has no {name}, which the condition {} reads", when.text()));
    }
    let given = evaluator.evaluate(when, &scope).map_err(|error| format!("the condition failed: {error}"))?;
    match given.as_ref().and_then(|values| values.single()) {
        Some(Value::Boolean(true)) => Ok(Some(format!("says active ({})", when.text()))),
        Some(Value::Boolean(false)) => Ok(None),
        _ => Err(format!("the condition {} gives nothing", when.text())),
    }
}
