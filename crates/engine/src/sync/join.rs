//! Joining: which mesh object a management-space object belongs to (sync semantics, section 3).
//!
//! Everything that rules will ask for is looked up in bulk first. Then the objects are taken one by one in the order
//! of their ids, and each sees the mesh objects that those before it made. One candidate at the first rule that finds
//! any is a link; two are a conflict, and a conflict never guesses.

use std::collections::HashMap;

use identitymesh_expr::{Evaluator, Scope};
use identitymesh_model::plan::{IndexKey, LinkChange, Note, NoteKind};
use identitymesh_model::rules::{MatchKind, Missing};
use identitymesh_model::{
    Finding, Link, LinkMode, MeshId, MeshState, RuleId, SpaceRecord, Text, Timestamp, Value,
};

use super::work::{Work, Works};
use crate::key::match_key;
use crate::rules::{Create, Join, ObjectTypeRules, RuleSet};

/// What one object without a link looks for.
pub(super) struct Probe {
    /// For each join rule that applies: one list of keys for each comparison.
    joins: Vec<(usize, Vec<Vec<IndexKey>>)>,
    /// The create rule that applies, with the anchor it would give.
    create: Option<(usize, Option<Text>)>,
}

impl Probe {
    pub(super) fn keys(&self) -> impl Iterator<Item = &IndexKey> {
        self.joins.iter().flat_map(|(_, comparisons)| comparisons.iter().flatten())
    }
}

/// What is to be done with an object.
pub(super) enum Decision {
    /// It belongs to this mesh object.
    Link { mesh: MeshId, rule: RuleId, matched: String },
    /// It becomes a mesh object.
    Create { rule: usize, anchor: Text },
    /// It has no mesh object.
    None(Note),
}

/// The keys and mesh objects around the objects at hand.
#[derive(Default)]
pub(super) struct Index {
    /// What the state says.
    stored: HashMap<IndexKey, Vec<MeshId>>,
    /// Keys that this part of the plan adds.
    added: HashMap<IndexKey, Vec<MeshId>>,
}

impl Index {
    pub(super) fn store(&mut self, keys: Vec<IndexKey>, found: Vec<Vec<MeshId>>) {
        self.stored.extend(keys.into_iter().zip(found).filter(|(_, ids)| !ids.is_empty()));
    }

    pub(super) fn stored_ids(&self) -> impl Iterator<Item = MeshId> + '_ {
        self.stored.values().flatten().copied()
    }

    pub(super) fn add(&mut self, key: IndexKey, mesh: MeshId) {
        let ids = self.added.entry(key).or_default();
        if !ids.contains(&mesh) {
            ids.push(mesh);
        }
    }

    fn find(&self, key: &IndexKey) -> Vec<MeshId> {
        let stored = self.stored.get(key).into_iter().flatten();
        let mut ids: Vec<MeshId> = stored.chain(self.added.get(key).into_iter().flatten()).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// Joins objects against an index.
pub(super) struct Joiner<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) now: Timestamp,
    pub(super) evaluator: &'a mut Evaluator,
    pub(super) findings: &'a mut Vec<Finding>,
}

impl Joiner<'_> {
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

    fn holds(
        &mut self,
        when: Option<&identitymesh_expr::Program>,
        scope: &Scope<'_>,
        space: &SpaceRecord,
    ) -> bool {
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

    fn keys(
        &mut self,
        comparison: &crate::rules::Comparison,
        scope: &Scope<'_>,
        space: &SpaceRecord,
    ) -> Vec<IndexKey> {
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

    /// The key by which an anchor is found.
    pub(super) fn anchor_key(&self, mesh_type: identitymesh_model::Name, anchor: &str) -> Option<IndexKey> {
        let index = self.rules.mesh_type(mesh_type)?.anchor_index;
        Some(IndexKey { index, key: match_key(MatchKind::IgnoreCase, &Value::text(anchor))? })
    }

    /// The anchor's key that a probe would have to be free.
    pub(super) fn create_key(&self, probe: &Probe, object_type: &ObjectTypeRules) -> Option<IndexKey> {
        let (at, anchor) = probe.create.as_ref()?;
        self.anchor_key(object_type.creates[*at].mesh_type, anchor.as_deref()?)
    }

    /// What becomes of an object, given what was looked up and planned so far.
    pub(super) fn decide(
        &mut self,
        space: &SpaceRecord,
        probe: &Probe,
        object_type: &ObjectTypeRules,
        index: &Index,
        works: &Works,
    ) -> Decision {
        for (position, (at, keys)) in probe.joins.iter().enumerate() {
            let join = &object_type.joins[*at];
            let found = candidates(join, keys, index, works);
            let names: Vec<&str> =
                join.comparisons.iter().map(|comparison| comparison.label.as_str()).collect();
            let by = names.join(" and ");
            match found.as_slice() {
                [] => {}
                [mesh] => {
                    if !join.allow_many && is_taken(works, *mesh, space) {
                        let text = format!(
                            "{by} finds a mesh object that already has another object of this connector"
                        );
                        return Decision::None(self.conflict("JOI-002", text, space, &found));
                    }
                    self.warn_of_others(
                        space,
                        &probe.joins[position + 1..],
                        object_type,
                        index,
                        works,
                        *mesh,
                    );
                    return Decision::Link { mesh: *mesh, rule: join.rule, matched: matched(&by, keys) };
                }
                several => {
                    let text = format!("{by} finds {} mesh objects", several.len());
                    return Decision::None(self.conflict("JOI-001", text, space, several));
                }
            }
        }
        self.create_or_leave(space, probe, object_type, index, works)
    }

    fn create_or_leave(
        &mut self,
        space: &SpaceRecord,
        probe: &Probe,
        object_type: &ObjectTypeRules,
        index: &Index,
        works: &Works,
    ) -> Decision {
        let unjoined = |text: &str| {
            Decision::None(Note { kind: NoteKind::Unjoined, text: text.to_owned(), candidates: Vec::new() })
        };
        let Some((rule, anchor)) = &probe.create else {
            return unjoined("no join rule finds a mesh object, and no create rule applies");
        };
        let Some(anchor) = anchor else {
            let text = "no join rule finds a mesh object, and the anchor that would make one is absent";
            self.findings.push(Finding::new("JOI-003", text).about(
                space.connector,
                space.id,
                &space.external_id,
            ));
            return unjoined(text);
        };
        let key = self.anchor_key(object_type.creates[*rule].mesh_type, anchor);
        let holders: Vec<MeshId> =
            key.iter().flat_map(|key| index.find(key)).filter(|id| is_alive(works, *id)).collect();
        if !holders.is_empty() {
            let text = format!("the anchor {anchor} belongs to a mesh object that no join rule finds");
            return Decision::None(self.conflict("JOI-004", text, space, &holders));
        }
        Decision::Create { rule: *rule, anchor: anchor.clone() }
    }

    fn conflict(
        &mut self,
        code: &'static str,
        text: String,
        space: &SpaceRecord,
        candidates: &[MeshId],
    ) -> Note {
        let message = format!("{text}; nothing is linked until a person decides");
        self.findings.push(Finding::new(code, message).about(space.connector, space.id, &space.external_id));
        Note { kind: NoteKind::Conflict, text, candidates: candidates.to_vec() }
    }

    /// Says so when a later rule would have found somebody else.
    fn warn_of_others(
        &mut self,
        space: &SpaceRecord,
        later: &[(usize, Vec<Vec<IndexKey>>)],
        object_type: &ObjectTypeRules,
        index: &Index,
        works: &Works,
        mesh: MeshId,
    ) {
        for (at, keys) in later {
            let others = candidates(&object_type.joins[*at], keys, index, works);
            if !others.is_empty() && !others.contains(&mesh) {
                let rule = self.rules.rule_name(object_type.joins[*at].rule);
                let message =
                    format!("the rule {rule} would have found another mesh object; the first rule decided");
                self.findings.push(Finding::new("JOI-005", message).about(
                    space.connector,
                    space.id,
                    &space.external_id,
                ));
            }
        }
    }
}

fn matched(by: &str, keys: &[Vec<IndexKey>]) -> String {
    let values: Vec<&str> = keys.iter().flatten().map(|key| key.key.as_str()).collect();
    format!("joined by {by} ({})", values.join(", "))
}

fn candidates(join: &Join, keys: &[Vec<IndexKey>], index: &Index, works: &Works) -> Vec<MeshId> {
    let mut found: Option<Vec<MeshId>> = None;
    for keys in keys {
        let mut ids: Vec<MeshId> = keys.iter().flat_map(|key| index.find(key)).collect();
        ids.sort_unstable();
        ids.dedup();
        found = Some(match found {
            None => ids,
            Some(earlier) => earlier.into_iter().filter(|id| ids.contains(id)).collect(),
        });
    }
    let mut found = found.unwrap_or_default();
    found.retain(|id| {
        is_alive(works, *id)
            && works.position(*id).is_some_and(|at| {
                join.mesh_type.is_none_or(|mesh_type| works.list[at].view.record.mesh_type == mesh_type)
            })
    });
    found
}

fn is_alive(works: &Works, id: MeshId) -> bool {
    works.position(id).is_some_and(|at| !matches!(works.list[at].state, MeshState::Deleted { .. }))
}

fn is_taken(works: &Works, id: MeshId, space: &SpaceRecord) -> bool {
    works.position(id).is_some_and(|at| {
        works.list[at].view.linked.iter().any(|linked| {
            !linked.deleted
                && linked.id != space.id
                && (linked.connector, linked.object_type) == (space.connector, space.object_type)
        })
    })
}

/// Links `space` to a mesh object at work.
pub(super) fn link(work: &mut Work, mut space: SpaceRecord, rule: RuleId, mode: LinkMode, matched: String) {
    let mesh = work.view.record.id;
    space.link = Some(Link { mesh, rule, mode, score: None });
    let change = LinkChange::Add { space: space.id, rule, mode, matched };
    work.link(space, change);
}
