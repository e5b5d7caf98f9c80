//! What an object without a mesh object looks for (sync semantics, section 3): keys and the anchor of its own.
//!
//! Everything that rules will ask for is known before anything is decided, so that it can be looked up in bulk.

use identitymesh_expr::{Evaluator, Program, Scope};
use identitymesh_model::plan::IndexKey;
use identitymesh_model::rules::{MatchKind, Missing};
use identitymesh_model::{Finding, MeshId, Name, SpaceRecord, Text, Timestamp, Value, Values};

use super::alike::{Prepared, prepare_values};
use crate::key::{key_of, match_key, together};
use crate::rules::{Comparison, Create, Expression, Fuzzy, JoinBy, ObjectTypeRules, RuleSet};

/// What one object without a link looks for.
pub(super) struct Probe {
    /// The join rules that apply, in their order.
    pub(super) joins: Vec<Looked>,
    /// The create rule that applies, with the anchor it would give.
    pub(super) create: Option<(usize, Option<Text>)>,
}

/// What one join rule looks for.
pub(super) struct Looked {
    /// The rule's place among those of the object type.
    pub(super) at: usize,
    pub(super) by: LooksBy,
}

/// How it looks.
pub(super) enum LooksBy {
    /// One list of keys for each comparison.
    Keys(Vec<Vec<IndexKey>>),
    /// Among those that share a block, for those that are alike.
    Likeness(Alike),
}

/// A question of likeness, and what is known of its answer.
pub(crate) struct Alike {
    /// The blocks; those that turned out to be too large are taken out.
    pub(crate) blocks: Vec<IndexKey>,
    pub(crate) values: Prepared,
    /// Stored mesh objects that can matter, the best first.
    pub(crate) found: Vec<(MeshId, u8)>,
}

impl Probe {
    /// Everything that the object waits for.
    pub(super) fn keys(&self) -> impl Iterator<Item = &IndexKey> {
        let blocks = self.joins.iter().filter_map(|looked| match &looked.by {
            LooksBy::Keys(_) => None,
            LooksBy::Likeness(alike) => Some(&alike.blocks),
        });
        self.exact_keys().chain(blocks.flatten())
    }

    /// Everything that the object waits for, the anchor that it would take too.
    pub(super) fn waits(&self, rules: &RuleSet, object_type: &ObjectTypeRules) -> Vec<IndexKey> {
        self.keys().cloned().chain(self.create_key(rules, object_type)).collect()
    }

    /// The keys of rules that do not go by likeness.
    pub(super) fn exact_keys(&self) -> impl Iterator<Item = &IndexKey> {
        let keys = self.joins.iter().filter_map(|looked| match &looked.by {
            LooksBy::Keys(keys) => Some(keys),
            LooksBy::Likeness(_) => None,
        });
        keys.flatten().flatten()
    }

    /// The key that has to be free for the create rule to make a mesh object.
    pub(super) fn create_key(&self, rules: &RuleSet, object_type: &ObjectTypeRules) -> Option<IndexKey> {
        let (at, anchor) = self.create.as_ref()?;
        anchor_key(rules, object_type.creates[*at].mesh_type, anchor.as_deref()?)
    }
}

/// Evaluates what join and create rules read.
pub(crate) struct Prober<'a> {
    pub(crate) now: Timestamp,
    pub(crate) evaluator: &'a mut Evaluator,
    pub(crate) findings: &'a mut Vec<Finding>,
}

impl Prober<'_> {
    /// What `space` looks for.
    pub(super) fn probe(&mut self, space: &SpaceRecord, object_type: &ObjectTypeRules) -> Probe {
        let scope = Scope::at(self.now).with_source(&space.doc);
        let mut joins = Vec::with_capacity(object_type.joins.len());
        for (at, join) in object_type.joins.iter().enumerate().filter(|(_, join)| join.enabled) {
            if !self.holds(join.when.as_ref(), &scope, space) {
                continue;
            }
            let by = match &join.by {
                JoinBy::Pairs(pairs) => {
                    let keys: Vec<Vec<IndexKey>> =
                        pairs.iter().map(|comparison| self.keys(comparison, &scope, space)).collect();
                    keys.iter().all(|keys| !keys.is_empty()).then_some(LooksBy::Keys(keys))
                }
                JoinBy::Likeness(fuzzy) => {
                    let alike = self.alike(fuzzy, &scope, space);
                    (!alike.blocks.is_empty()).then_some(LooksBy::Likeness(alike))
                }
            };
            joins.extend(by.map(|by| Looked { at, by }));
        }
        let create =
            object_type.creates.iter().position(|create| self.holds(create.when.as_ref(), &scope, space));
        let create = create.map(|at| (at, self.anchor(&object_type.creates[at], space)));
        Probe { joins, create }
    }

    /// Whether a condition holds; one that fails does not.
    pub(crate) fn holds(&mut self, when: Option<&Program>, scope: &Scope<'_>, space: &SpaceRecord) -> bool {
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

    /// What a fuzzy rule looks for: its blocks, and the values that it compares.
    pub(crate) fn alike(&mut self, fuzzy: &Fuzzy, scope: &Scope<'_>, space: &SpaceRecord) -> Alike {
        let mut blocks = Vec::new();
        for block in &fuzzy.blocks {
            let mut parts = Vec::with_capacity(block.parts.len());
            for part in &block.parts {
                let values = self.values(&part.source, scope, space);
                let values = values.iter().flat_map(Values::as_slice);
                parts.push(values.filter_map(|value| key_of(part.kind, value)).collect::<Vec<_>>());
            }
            let keys = together(&parts).into_iter();
            blocks.extend(keys.map(|key| IndexKey { index: block.index, key }));
        }
        if blocks.is_empty() {
            return Alike { blocks, values: Vec::new(), found: Vec::new() };
        }
        Alike { blocks, values: self.compared(fuzzy, scope, space), found: Vec::new() }
    }

    /// What of an object a fuzzy rule compares.
    pub(crate) fn compared(&mut self, fuzzy: &Fuzzy, scope: &Scope<'_>, space: &SpaceRecord) -> Prepared {
        let values = fuzzy.compared.iter().map(|compared| {
            prepare_values(compared.with, self.values(&compared.source, scope, space).as_ref())
        });
        values.collect()
    }

    fn values(&mut self, source: &Expression, scope: &Scope<'_>, space: &SpaceRecord) -> Option<Values> {
        source.give(self.evaluator, scope, &space.doc, Missing::Skip).unwrap_or_else(|_| {
            let message = format!("the join key {:?} could not be computed", source.text());
            self.findings.push(Finding::new("JOI-006", message).about(
                space.connector,
                space.id,
                &space.external_id,
            ));
            None
        })
    }

    /// The keys that one comparison looks for.
    pub(crate) fn keys(
        &mut self,
        comparison: &Comparison,
        scope: &Scope<'_>,
        space: &SpaceRecord,
    ) -> Vec<IndexKey> {
        let values = self.values(&comparison.source, scope, space);
        let values = values.iter().flat_map(Values::as_slice);
        let keys: Vec<Text> = values.filter_map(|value| match_key(comparison.kind, value)).collect();
        comparison
            .indexes
            .iter()
            .flat_map(|index| keys.iter().map(|key| IndexKey { index: *index, key: key.clone() }))
            .collect()
    }

    /// The anchor that a create rule gives, `None` when it gives none.
    pub(crate) fn anchor(&mut self, create: &Create, space: &SpaceRecord) -> Option<Text> {
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
pub(crate) fn anchor_key(rules: &RuleSet, mesh_type: Name, anchor: &str) -> Option<IndexKey> {
    let index = rules.mesh_type(mesh_type)?.anchor_index;
    Some(IndexKey { index, key: match_key(MatchKind::IgnoreCase, &Value::text(anchor))? })
}
