//! What an object without a mesh object looks for (sync semantics, section 3): keys and the anchor of its own.
//!
//! Everything that rules will ask for is known before anything is decided, so that it can be looked up in bulk.

use identitymesh_expr::{Evaluator, Program, Scope};
use identitymesh_model::plan::IndexKey;
use identitymesh_model::rules::{MatchKind, Missing};
use identitymesh_model::{Finding, Name, SpaceRecord, Text, Timestamp, Value};

use crate::key::match_key;
use crate::rules::{Comparison, Create, ObjectTypeRules, RuleSet};

/// What one object without a link looks for.
pub(super) struct Probe {
    /// For each join rule that applies: one list of keys for each comparison.
    pub(super) joins: Vec<(usize, Vec<Vec<IndexKey>>)>,
    /// The create rule that applies, with the anchor it would give.
    pub(super) create: Option<(usize, Option<Text>)>,
}

impl Probe {
    pub(super) fn keys(&self) -> impl Iterator<Item = &IndexKey> {
        self.joins.iter().flat_map(|(_, comparisons)| comparisons.iter().flatten())
    }

    /// The key that has to be free for the create rule to make a mesh object.
    pub(super) fn create_key(&self, rules: &RuleSet, object_type: &ObjectTypeRules) -> Option<IndexKey> {
        let (at, anchor) = self.create.as_ref()?;
        anchor_key(rules, object_type.creates[*at].mesh_type, anchor.as_deref()?)
    }
}

/// Evaluates what join and create rules read.
pub(super) struct Prober<'a> {
    pub(super) now: Timestamp,
    pub(super) evaluator: &'a mut Evaluator,
    pub(super) findings: &'a mut Vec<Finding>,
}

impl Prober<'_> {
    /// What `space` looks for.
    pub(super) fn probe(&mut self, space: &SpaceRecord, object_type: &ObjectTypeRules) -> Probe {
        let scope = Scope::at(self.now).with_source(&space.doc);
        let mut joins = Vec::with_capacity(object_type.joins.len());
        for (at, join) in object_type.joins.iter().enumerate() {
            if !self.holds(join.when.as_ref(), &scope, space) {
                continue;
            }
            let keys: Vec<Vec<IndexKey>> =
                join.comparisons.iter().map(|comparison| self.keys(comparison, &scope, space)).collect();
            if keys.iter().all(|keys| !keys.is_empty()) {
                joins.push((at, keys));
            }
        }
        let create =
            object_type.creates.iter().position(|create| self.holds(create.when.as_ref(), &scope, space));
        let create = create.map(|at| (at, self.anchor(&object_type.creates[at], space)));
        Probe { joins, create }
    }

    fn holds(&mut self, when: Option<&Program>, scope: &Scope<'_>, space: &SpaceRecord) -> bool {
        let Some(when) = when else { return true };
        self.evaluator.test(when, scope).unwrap_or_else(|error| {
            let message = format!("the condition {:?} failed and counts as false: {error}", when.text());
            self.findings.push(Finding::new("JOI-006", message).about(
                space.connector,
                space.id,
                &space.external_id,
            ));
            false
        })
    }

    fn keys(&mut self, comparison: &Comparison, scope: &Scope<'_>, space: &SpaceRecord) -> Vec<IndexKey> {
        let values = match comparison.source.give(self.evaluator, scope, &space.doc, Missing::Skip) {
            Ok(values) => values,
            Err(_) => {
                let message = format!("the join key {:?} could not be computed", comparison.source.text());
                self.findings.push(Finding::new("JOI-006", message).about(
                    space.connector,
                    space.id,
                    &space.external_id,
                ));
                None
            }
        };
        let values = values.iter().flat_map(|values| values.as_slice());
        let keys: Vec<Text> = values.filter_map(|value| match_key(comparison.kind, value)).collect();
        comparison
            .indexes
            .iter()
            .flat_map(|index| keys.iter().map(|key| IndexKey { index: *index, key: key.clone() }))
            .collect()
    }

    /// The anchor that a create rule gives, `None` when it gives none.
    pub(super) fn anchor(&mut self, create: &Create, space: &SpaceRecord) -> Option<Text> {
        let scope = Scope::at(self.now).with_source(&space.doc);
        let values = create.anchor.give(self.evaluator, &scope, &space.doc, Missing::Skip).ok().flatten()?;
        let value = values.single()?;
        match_key(MatchKind::Exact, value)?;
        Some(match value {
            Value::Text(text) => Text::from(text.trim()),
            other => Text::from(other.to_string()),
        })
    }
}

/// The key by which an anchor is found.
pub(super) fn anchor_key(rules: &RuleSet, mesh_type: Name, anchor: &str) -> Option<IndexKey> {
    let index = rules.mesh_type(mesh_type)?.anchor_index;
    Some(IndexKey { index, key: match_key(MatchKind::IgnoreCase, &Value::text(anchor))? })
}
