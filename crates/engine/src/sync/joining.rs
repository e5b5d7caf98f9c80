//! The joining of a whole part: everything is looked up in bulk, then decided object by object.
//!
//! [`super::join`] decides; what it decides becomes links and new mesh objects here. A new mesh object can be found by
//! the objects that follow it in the same part.

use identitymesh_model::plan::{IndexKey, Note, NoteKind, Reason, SpacePlan, Wake};
use identitymesh_model::{LinkMode, MeshId, Object, RuleId, Ruling, SpaceId, SpaceRecord, Text, ValueType};

use super::index::keys_of;
use super::join::{Decider, Decision, Match, link};
use super::neighbours::Neighbours;
use super::part::Part;
use super::probe::{Probe, Prober};
use super::work::Work;
use crate::export::shows_create;
use crate::rules::{Create, ObjectTypeRules, RuleSet};

impl<N: Neighbours> Part<'_, '_, N> {
    /// Decides what becomes of the objects without a mesh object, in this order.
    pub(super) fn join(&mut self, unlinked: Vec<SpaceRecord>) -> Result<(), N::Error> {
        self.read_rulings(&unlinked)?;
        let probes = self.probe(&unlinked)?;
        self.read_former(&unlinked, &probes)?;
        let rules = self.rules;
        for (space, probe) in unlinked.into_iter().zip(probes) {
            let Some(object_type) = rules.object_type(space.connector, space.object_type) else { continue };
            match self.decide(&space, &probe, object_type) {
                Decision::Link(by) => self.link(space, by),
                Decision::Create { rule, anchor } => {
                    self.create(space, object_type, &object_type.creates[rule], anchor)?;
                }
                Decision::None(note) => {
                    let waits = probe.waits(rules, object_type);
                    self.spaces.push(SpacePlan { space: space.id, note: Some(note), waits, purge: false });
                }
            }
        }
        Ok(())
    }

    pub(super) fn decide(
        &mut self,
        space: &SpaceRecord,
        probe: &Probe,
        object_type: &ObjectTypeRules,
    ) -> Decision {
        self.decider(space.id).decide(space, probe, object_type)
    }

    pub(super) fn decider(&mut self, space: SpaceId) -> Decider<'_> {
        Decider {
            apart: self.alone.get(&space).unwrap_or(&self.apart),
            again: self.again.get(&space).copied(),
            rules: self.rules,
            index: &self.index,
            works: &self.works,
            rulings: &self.rulings,
            former: &self.former,
            findings: &mut self.findings,
        }
    }

    /// What people decided about the objects; mesh objects that they belong to come to work.
    pub(super) fn read_rulings(&mut self, unlinked: &[SpaceRecord]) -> Result<(), N::Error> {
        if unlinked.is_empty() {
            return Ok(());
        }
        let found = self.neighbours.rulings(unlinked)?;
        for (space, rulings) in unlinked.iter().zip(found) {
            let rulings = self.overrule(space.id, rulings);
            if !rulings.is_empty() {
                self.rulings.insert(space.id, rulings);
            }
        }
        let belongs = self.rulings.values().flatten().filter(|ruling| ruling.belongs);
        let belongs = belongs.map(|ruling| ruling.mesh).collect();
        self.load_missing(belongs)
    }

    /// Whether a person said that an object belongs to some mesh object, whatever rules say.
    pub(super) fn belongs_by_hand(&self, space: SpaceId) -> Option<MeshId> {
        let mut rulings = self.rulings.get(&space).into_iter().flatten();
        rulings.find(|ruling| ruling.belongs).map(|ruling| ruling.mesh)
    }

    /// Whether a person said that no rule may link the two.
    pub(super) fn is_never(&self, space: SpaceId, mesh: MeshId) -> bool {
        let never = Ruling { mesh, belongs: false };
        self.rulings.get(&space).is_some_and(|rulings| rulings.contains(&never))
    }

    pub(super) fn probe(&mut self, unlinked: &[SpaceRecord]) -> Result<Vec<Probe>, N::Error> {
        let rules = self.rules;
        let mut prober =
            Prober { now: self.context.now, evaluator: self.evaluator, findings: &mut self.findings };
        let mut keys: Vec<IndexKey> = Vec::with_capacity(unlinked.len() * 2);
        let mut probes = Vec::with_capacity(unlinked.len());
        for space in unlinked {
            let object_type = rules.object_type(space.connector, space.object_type);
            let object_type = object_type.expect("objects without rules are out of scope");
            let probe = prober.probe(space, object_type);
            keys.extend(probe.exact_keys().cloned());
            keys.extend(probe.create_key(rules, object_type));
            probes.push(probe);
        }
        if !keys.is_empty() {
            keys.sort_unstable();
            keys.dedup();
            let found = self.neighbours.candidates(&keys)?;
            self.index.store(keys, found);
            let ids = self.index.stored_ids().collect();
            self.load_missing(ids)?;
        }
        self.look_for_alike(unlinked, &mut probes)?;
        Ok(probes)
    }

    pub(super) fn link(&mut self, space: SpaceRecord, by: Match) {
        self.wake_referrers(&space);
        let name = self.connector_name(space.connector);
        let rules = self.rules;
        let work = self.works.get_mut(by.mesh).expect("a candidate is at work");
        work.touch(|| format!("{} with {name}/{}", by.matched, space.external_id), by.rule);
        work.gained.push(space.connector);
        let made_by = if by.mode == LinkMode::Joined { made_by(&space, work, rules) } else { None };
        match made_by {
            Some(rule) => {
                let matched = format!("made by an export whose answer never came; {}", by.matched);
                link(work, space, Match { rule, mode: LinkMode::Projected, matched, ..by });
            }
            None => link(work, space, by),
        }
    }

    pub(super) fn wake_referrers(&mut self, space: &SpaceRecord) {
        if self.rules.references {
            self.wakes.push(Wake::Referrers { space: space.id });
        }
    }

    fn create(
        &mut self,
        space: SpaceRecord,
        object_type: &ObjectTypeRules,
        create: &Create,
        anchor: Text,
    ) -> Result<(), N::Error> {
        self.wake_referrers(&space);
        let id = self.neighbours.new_mesh_id()?;
        let uid = self.context.ids.next_uid(self.context.now);
        let text = format!("new in {} as {}", self.connector_name(space.connector), space.external_id);
        let reason = Reason { text, rule: create.rule };
        let mut work = Work::begin(id, uid, create.mesh_type, anchor.clone(), reason);
        let matched = "created from it".to_owned();
        let (mesh, rule, mode) = (id, create.rule, LinkMode::Created);
        link(&mut work, space, Match { mesh, rule, mode, matched, score: None });
        let at = self.works.add(work);
        self.index_new(at, object_type);
        Ok(())
    }

    /// Makes a new mesh object findable for the objects that follow in this part.
    fn index_new(&mut self, at: usize, object_type: &ObjectTypeRules) {
        let rules = self.rules;
        let Some(mesh_type) = rules.mesh_type(self.works.list[at].view.record.mesh_type) else { return };
        let follows = object_type.flows.iter().any(|flow| {
            mesh_type
                .attribute(flow.target)
                .is_some_and(|attribute| attribute.kind.value == ValueType::Reference)
        });
        let doc = if follows {
            // References are followed for all objects at once, later; until then what keys are made of is enough.
            Some(self.resolve_keys(at, mesh_type))
        } else {
            self.resolve_one(at);
            None
        };
        let (work, nothing) = (&self.works.list[at], Object::new());
        let resolved = work.resolved.as_ref().map(|resolved| &resolved.doc);
        let (doc, id) = (doc.as_ref().or(resolved).unwrap_or(&nothing), work.view.record.id);
        keys_of(mesh_type, doc, &work.anchor).into_iter().for_each(|key| self.index.add(key, id));
        if !mesh_type.compared.is_empty() {
            self.index.add_card(id, doc.clone());
        }
    }

    /// A new mesh object that a rule wants left alone is not made; the objects that would be linked to it wait.
    pub(super) fn note_failed(&mut self) {
        let rules = self.rules;
        let mut prober =
            Prober { now: self.context.now, evaluator: self.evaluator, findings: &mut Vec::new() };
        let failed = self.works.list.iter().filter(|work| work.is_new && work.has_failed);
        for space in failed.flat_map(|work| &work.view.linked) {
            let object_type = rules.object_type(space.connector, space.object_type);
            let probe = object_type.map(|object_type| prober.probe(space, object_type));
            let text = "a rule needs a value that is absent, so no mesh object is made";
            let note = Note::new(NoteKind::Failed, text);
            let waits = probe.iter().flat_map(Probe::keys).cloned().collect();
            self.spaces.push(SpacePlan { space: space.id, note: Some(note), waits, purge: false });
        }
    }
}

/// The projection rule for which an object was made, when an import shows it before the target could be asked about a
/// create without an answer. As for that question, everything that was sent has to be there: an object that differs may
/// be somebody else's, which a leave policy must not delete.
fn made_by(space: &SpaceRecord, work: &Work, rules: &RuleSet) -> Option<RuleId> {
    let item = work.view.items.iter().find(|item| item.connector == space.connector && item.in_flight)?;
    let mesh_type = rules.mesh_type(work.view.record.mesh_type)?;
    let (_, projections) = mesh_type.targets.iter().find(|(target, _)| *target == space.connector)?;
    let rule = projections.iter().find(|known| known.rule == item.rule)?;
    let address = rules.object_type(space.connector, space.object_type)?.address();
    let is_ours = rule.object_type == space.object_type && shows_create(&item.action, &space.doc, address);
    is_ours.then_some(item.rule)
}
