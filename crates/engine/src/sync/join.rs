//! Joining: which mesh object a management-space object belongs to (sync semantics, section 3).
//!
//! Objects are decided one by one in the order of their ids, and each sees the mesh objects that those before it made.
//! One candidate at the first rule that finds any is a link; two are a conflict, and a conflict never guesses.

use identitymesh_model::plan::{IndexKey, LinkChange, Note, NoteKind};
use identitymesh_model::{Finding, Link, LinkMode, MeshId, MeshState, RuleId, SpaceRecord, Text};

use super::index::Index;
use super::probe::{Probe, anchor_key};
use super::work::{Work, Works};
use crate::rules::{Join, ObjectTypeRules, RuleSet};

/// What is to be done with an object.
pub(super) enum Decision {
    /// It belongs to this mesh object.
    Link { mesh: MeshId, rule: RuleId, matched: String },
    /// It becomes a mesh object.
    Create { rule: usize, anchor: Text },
    /// It has no mesh object.
    None(Note),
}

/// Decides about objects, given what was looked up and planned so far.
pub(super) struct Decider<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) index: &'a Index,
    pub(super) works: &'a Works,
    pub(super) findings: &'a mut Vec<Finding>,
}

impl Decider<'_> {
    /// What becomes of an object, given what was looked up and planned so far.
    pub(super) fn decide(
        &mut self,
        space: &SpaceRecord,
        probe: &Probe,
        object_type: &ObjectTypeRules,
    ) -> Decision {
        for (position, (at, keys)) in probe.joins.iter().enumerate() {
            let join = &object_type.joins[*at];
            let found = self.candidates(join, keys);
            let names: Vec<&str> =
                join.comparisons.iter().map(|comparison| comparison.label.as_str()).collect();
            let by = names.join(" and ");
            match found.as_slice() {
                [] => {}
                [mesh] => {
                    if !join.allow_many && self.is_taken(*mesh, space) {
                        let text = format!(
                            "{by} finds a mesh object that already has another object of this connector"
                        );
                        return Decision::None(self.conflict("JOI-002", text, space, &found));
                    }
                    self.warn_of_others(space, &probe.joins[position + 1..], object_type, *mesh);
                    return Decision::Link { mesh: *mesh, rule: join.rule, matched: matched(&by, keys) };
                }
                several => {
                    let text = format!("{by} finds {} mesh objects", several.len());
                    return Decision::None(self.conflict("JOI-001", text, space, several));
                }
            }
        }
        self.create_or_leave(space, probe, object_type)
    }

    fn create_or_leave(
        &mut self,
        space: &SpaceRecord,
        probe: &Probe,
        object_type: &ObjectTypeRules,
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
        let key = anchor_key(self.rules, object_type.creates[*rule].mesh_type, anchor);
        let holders: Vec<MeshId> =
            key.iter().flat_map(|key| self.index.find(key)).filter(|id| self.is_alive(*id)).collect();
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
        mesh: MeshId,
    ) {
        for (at, keys) in later {
            let others = self.candidates(&object_type.joins[*at], keys);
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

    fn candidates(&self, join: &Join, keys: &[Vec<IndexKey>]) -> Vec<MeshId> {
        let mut found: Option<Vec<MeshId>> = None;
        for keys in keys {
            let mut ids: Vec<MeshId> = keys.iter().flat_map(|key| self.index.find(key)).collect();
            ids.sort_unstable();
            ids.dedup();
            found = Some(match found {
                None => ids,
                Some(earlier) => earlier.into_iter().filter(|id| ids.contains(id)).collect(),
            });
        }
        let mut found = found.unwrap_or_default();
        found.retain(|id| {
            self.is_alive(*id)
                && self.works.position(*id).is_some_and(|at| {
                    join.mesh_type
                        .is_none_or(|mesh_type| self.works.list[at].view.record.mesh_type == mesh_type)
                })
        });
        found
    }

    fn is_alive(&self, id: MeshId) -> bool {
        self.works
            .position(id)
            .is_some_and(|at| !matches!(self.works.list[at].state, MeshState::Deleted { .. }))
    }

    fn is_taken(&self, id: MeshId, space: &SpaceRecord) -> bool {
        self.works.position(id).is_some_and(|at| {
            self.works.list[at].view.linked.iter().any(|linked| {
                !linked.deleted
                    && linked.id != space.id
                    && (linked.connector, linked.object_type) == (space.connector, space.object_type)
            })
        })
    }
}

fn matched(by: &str, keys: &[Vec<IndexKey>]) -> String {
    let values: Vec<&str> = keys.iter().flatten().map(|key| key.key.as_str()).collect();
    format!("joined by {by} ({})", values.join(", "))
}

/// Links `space` to a mesh object at work.
pub(super) fn link(work: &mut Work, mut space: SpaceRecord, rule: RuleId, mode: LinkMode, matched: String) {
    let mesh = work.view.record.id;
    space.link = Some(Link { mesh, rule, mode, score: None });
    let change = LinkChange::Add { space: space.id, rule, mode, matched };
    work.link(space, change);
}
