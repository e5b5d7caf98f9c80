//! Joining: which mesh object a management-space object belongs to (sync semantics, section 3).
//!
//! Objects are decided one by one in the order of their ids, and each sees the mesh objects that those before it made.
//! What a person decided comes before every rule. One candidate at the first rule that finds any is a link; two are a
//! conflict, and a conflict never guesses.

use std::collections::HashMap;

use identitymesh_model::plan::{IndexKey, LinkChange, Note, NoteKind};
use identitymesh_model::{
    Finding, Link, LinkMode, MeshId, MeshState, RuleId, Ruling, SpaceId, SpaceRecord, Text, Value,
};

use super::alike::{least, parts, prepare, rank, score};
use super::apart::Apart;
use super::index::{Index, keys_in};
use super::probe::{Alike, Looked, LooksBy, Probe, anchor_key};
use super::work::{Work, Works};
use crate::rules::{Fuzzy, Join, JoinBy, ObjectTypeRules, RuleSet};

/// What is to be done with an object.
pub(super) enum Decision {
    /// It belongs to this mesh object.
    Link(Match),
    /// It becomes a mesh object.
    Create { rule: usize, anchor: Text },
    /// It has no mesh object.
    None(Note),
}

/// The mesh object that an object belongs to, and why.
pub(super) struct Match {
    pub(super) mesh: MeshId,
    pub(super) rule: RuleId,
    pub(super) mode: LinkMode,
    pub(super) matched: String,
    pub(super) score: Option<u8>,
}

/// A link that is asked for again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again {
    /// Its mesh object.
    pub(super) mesh: MeshId,
    /// Whether what its object gave the mesh object counts.
    pub(super) is_whole: bool,
}

/// Decides about objects, given what was looked up and planned so far.
pub(super) struct Decider<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) index: &'a Index,
    pub(super) works: &'a Works,
    pub(super) rulings: &'a HashMap<SpaceId, Vec<Ruling>>,
    /// What some mesh objects are found by, where a link is asked for again.
    pub(super) apart: &'a Apart,
    /// The link that is asked for again.
    pub(super) again: Option<Again>,
    pub(super) former: &'a HashMap<SpaceId, Link>,
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
        if let Some(mesh) = self.belongs_by_hand(space.id) {
            let matched = "linked by hand".to_owned();
            let (rule, mode) = (RuleId::BY_HAND, LinkMode::Manual);
            return Decision::Link(Match { mesh, rule, mode, matched, score: None });
        }
        for (position, looked) in probe.joins.iter().enumerate() {
            let join = &object_type.joins[looked.at];
            let decided = match (&looked.by, &join.by) {
                (LooksBy::Keys(keys), _) => self.by_keys(space, join, keys),
                (LooksBy::Likeness(alike), JoinBy::Likeness(fuzzy)) => {
                    self.by_likeness(space, join, fuzzy, alike)
                }
                (LooksBy::Likeness(_), JoinBy::Pairs(_)) => None,
            };
            if let Some(Decision::Link(Match { mesh, .. })) = &decided {
                self.warn_of_others(space, &probe.joins[position + 1..], object_type, *mesh);
            }
            if let Some(decided) = decided {
                return decided;
            }
        }
        if let Some(Link { mesh, rule, mode, score }) = self.returns_to(space) {
            let matched = "joined again within its grace".to_owned();
            return Decision::Link(Match { mesh, rule, mode, matched, score });
        }
        self.create_or_leave(space, probe, object_type)
    }

    /// The mesh object that a person said the object belongs to, while it is alive.
    fn belongs_by_hand(&self, space: SpaceId) -> Option<MeshId> {
        let mut rulings = self.rulings.get(&space).into_iter().flatten();
        rulings.find(|ruling| ruling.belongs && self.is_alive(ruling.mesh)).map(|ruling| ruling.mesh)
    }

    fn by_keys(&mut self, space: &SpaceRecord, join: &Join, keys: &[Vec<IndexKey>]) -> Option<Decision> {
        let by = label(join);
        match self.candidates(space, join, keys).as_slice() {
            [] => None,
            [mesh] if !join.allow_many && self.is_taken(*mesh, space) => {
                Some(self.taken(&by, space, vec![*mesh], Vec::new()))
            }
            [mesh] => {
                let matched = matched(&by, keys);
                let (rule, mode) = (join.rule, LinkMode::Joined);
                Some(Decision::Link(Match { mesh: *mesh, rule, mode, matched, score: None }))
            }
            several => {
                let text = format!("{by} finds {} mesh objects", several.len());
                Some(Decision::None(self.conflict("JOI-001", text, space, several.to_vec(), Vec::new())))
            }
        }
    }

    /// The best candidate, when it is good enough and better than every other by the margin.
    fn by_likeness(
        &mut self,
        space: &SpaceRecord,
        join: &Join,
        fuzzy: &Fuzzy,
        alike: &Alike,
    ) -> Option<Decision> {
        let found = self.alike(space, join, fuzzy, alike);
        let (mesh, best) = *found.first()?;
        if best < fuzzy.threshold {
            return None;
        }
        let margin = fuzzy.margin.max(1);
        let rivals: Vec<(MeshId, u8)> =
            found.iter().copied().take_while(|(_, score)| best - score < margin).collect();
        let (ids, scores): (Vec<MeshId>, Vec<u8>) = rivals.into_iter().unzip();
        let name = self.rules.rule_name(join.rule);
        if ids.len() > 1 {
            let listed: Vec<String> = scores.iter().map(u8::to_string).collect();
            let text = format!(
                "{name} finds {} mesh objects that are about as alike ({})",
                ids.len(),
                listed.join(", ")
            );
            return Some(Decision::None(self.conflict("JOI-008", text, space, ids, scores)));
        }
        if !join.allow_many && self.is_taken(mesh, space) {
            return Some(self.taken(&name, space, ids, scores));
        }
        let matched = self.told(fuzzy, alike, mesh, best);
        let (rule, mode) = (join.rule, LinkMode::Joined);
        Some(Decision::Link(Match { mesh, rule, mode, matched, score: Some(best) }))
    }

    /// Stored candidates, and those that this part of the plan makes, the best first.
    fn alike(&self, space: &SpaceRecord, join: &Join, fuzzy: &Fuzzy, alike: &Alike) -> Vec<(MeshId, u8)> {
        let is_seen = |id: MeshId| !self.hides(id) && self.may_join(id, space, join);
        let mut found: Vec<(MeshId, u8)> =
            alike.found.iter().copied().filter(|(id, _)| is_seen(*id)).collect();
        let others = self.index.new_cards(&alike.blocks).into_iter();
        for (id, doc) in others.chain(self.apart.in_blocks(&alike.blocks)) {
            let score = score(fuzzy, &alike.values, &prepare(fuzzy, doc));
            if score >= least(fuzzy) && self.may_join(id, space, join) {
                found.push((id, score));
            }
        }
        rank(&mut found);
        found
    }

    /// The score with what it is made of.
    fn told(&self, fuzzy: &Fuzzy, alike: &Alike, mesh: MeshId, score: u8) -> String {
        let nothing = identitymesh_model::Object::new();
        let work = self.works.position(mesh).map(|at| &self.works.list[at]);
        let doc = match work {
            _ if self.hides(mesh) => self.apart.doc(mesh).unwrap_or(&nothing),
            Some(work) if work.is_new => self.index.card(mesh).unwrap_or(&nothing),
            Some(work) => &work.view.record.doc,
            None => &nothing,
        };
        let right = prepare(fuzzy, doc);
        let told = fuzzy.compared.iter().zip(parts(fuzzy, &alike.values, &right)).zip(&alike.values);
        let told = told.filter_map(|((compared, part), left)| {
            let left = left.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
            Some(format!("{} {left} {} %", compared.mesh, part? / 10))
        });
        format!("alike at {score} ({})", told.collect::<Vec<_>>().join(", "))
    }

    fn create_or_leave(
        &mut self,
        space: &SpaceRecord,
        probe: &Probe,
        object_type: &ObjectTypeRules,
    ) -> Decision {
        let unjoined = |text: &str| Decision::None(Note::new(NoteKind::Unjoined, text));
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
            return Decision::None(self.conflict("JOI-004", text, space, holders, Vec::new()));
        }
        Decision::Create { rule: *rule, anchor: anchor.clone() }
    }

    fn taken(&mut self, by: &str, space: &SpaceRecord, candidates: Vec<MeshId>, scores: Vec<u8>) -> Decision {
        let text = format!("{by} finds a mesh object that already has another object of this connector");
        Decision::None(self.conflict("JOI-002", text, space, candidates, scores))
    }

    fn conflict(
        &mut self,
        code: &'static str,
        text: String,
        space: &SpaceRecord,
        candidates: Vec<MeshId>,
        scores: Vec<u8>,
    ) -> Note {
        let message = format!("{text}; nothing is linked until a person decides");
        self.findings.push(Finding::new(code, message).about(space.connector, space.id, &space.external_id));
        Note { kind: NoteKind::Conflict, text, candidates, scores }
    }

    /// Says so when a later rule would have found somebody else.
    fn warn_of_others(
        &mut self,
        space: &SpaceRecord,
        later: &[Looked],
        object_type: &ObjectTypeRules,
        mesh: MeshId,
    ) {
        for looked in later {
            let LooksBy::Keys(keys) = &looked.by else { continue };
            let join = &object_type.joins[looked.at];
            let others = self.candidates(space, join, keys);
            if !others.is_empty() && !others.contains(&mesh) {
                let rule = self.rules.rule_name(join.rule);
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

    /// The mesh objects that every one of these lists of keys leads to.
    pub(super) fn candidates(&self, space: &SpaceRecord, join: &Join, keys: &[Vec<IndexKey>]) -> Vec<MeshId> {
        let mut found: Option<Vec<MeshId>> = None;
        for keys in keys {
            let mut ids: Vec<MeshId> = keys.iter().flat_map(|key| self.holders(key)).collect();
            ids.sort_unstable();
            ids.dedup();
            found = Some(match found {
                None => ids,
                Some(earlier) => earlier.into_iter().filter(|id| ids.contains(id)).collect(),
            });
        }
        let mut found = found.unwrap_or_default();
        found.retain(|id| self.may_join(*id, space, join));
        found
    }

    fn hides(&self, id: MeshId) -> bool {
        self.apart.hides(id) && !self.again.is_some_and(|again| again.is_whole && again.mesh == id)
    }

    fn holders<'k>(&'k self, key: &'k IndexKey) -> impl Iterator<Item = MeshId> + 'k {
        let stored = self.index.find(key).into_iter();
        let stored = stored.filter(move |id| !self.hides(*id) && self.holds(*id, key));
        stored.chain(self.apart.find(key).iter().copied())
    }

    /// Whether a mesh object still has a key: an index that no rule read for a while may lag behind.
    fn holds(&self, id: MeshId, key: &IndexKey) -> bool {
        let Some(work) = self.works.position(id).map(|at| &self.works.list[at]) else { return false };
        let index = self.rules.mesh_type(work.view.record.mesh_type);
        let index = index.and_then(|known| known.join_indexes.iter().find(|index| index.number == key.index));
        let record = &work.view.record;
        work.is_new
            || index.is_none_or(|index| {
                keys_in(&index.parts, &record.doc, &Value::Text(record.anchor.clone())).contains(&key.key)
            })
    }

    fn may_join(&self, id: MeshId, space: &SpaceRecord, join: &Join) -> bool {
        let is_of_type =
            |at: usize| join.mesh_type.is_none_or(|only| self.works.list[at].view.record.mesh_type == only);
        let never = Ruling { mesh: id, belongs: false };
        self.is_alive(id)
            && self.works.position(id).is_some_and(is_of_type)
            && !self.rulings.get(&space.id).is_some_and(|rulings| rulings.contains(&never))
    }

    /// Whether rules may find a mesh object. One that is leaving waits for what it lost; it takes nobody from another.
    pub(super) fn is_alive(&self, id: MeshId) -> bool {
        self.works.position(id).is_some_and(|at| match self.works.list[at].state {
            MeshState::Active => true,
            MeshState::Leaving { .. } => self.again.is_none_or(|again| again.mesh == id),
            MeshState::Deleted { .. } => false,
        })
    }

    pub(super) fn is_taken(&self, id: MeshId, space: &SpaceRecord) -> bool {
        self.works.position(id).is_some_and(|at| {
            self.works.list[at].view.linked.iter().any(|linked| {
                !linked.deleted
                    && linked.id != space.id
                    && (linked.connector, linked.object_type) == (space.connector, space.object_type)
            })
        })
    }
}

fn label(join: &Join) -> String {
    match &join.by {
        JoinBy::Pairs(pairs) => {
            pairs.iter().map(|pair| pair.label.as_str()).collect::<Vec<_>>().join(" and ")
        }
        JoinBy::Likeness(_) => String::new(),
    }
}

fn matched(by: &str, keys: &[Vec<IndexKey>]) -> String {
    let values: Vec<&str> = keys.iter().flatten().map(|key| key.key.as_str()).collect();
    format!("joined by {by} ({})", values.join(", "))
}

/// Links `space` to a mesh object at work.
pub(super) fn link(work: &mut Work, mut space: SpaceRecord, by: Match) {
    let Match { mesh, rule, mode, matched, score } = by;
    space.link = Some(Link { mesh, rule, mode, score });
    let change = LinkChange::Add { space: space.id, rule, mode, matched, score };
    work.link(space, change);
}
