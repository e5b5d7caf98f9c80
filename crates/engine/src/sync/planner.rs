//! The stages of a sync, one after the other.

use identitymesh_expr::Evaluator;
use identitymesh_model::plan::{IndexKey, Note, NoteKind, Plan, Reason, SpacePlan, Wake};
use identitymesh_model::{
    ConnectorId, Finding, IdSource, LinkMode, MeshId, MeshRecord, MeshState, MeshView, Object, Provenance,
    RuleId, RunId, SpaceRecord, Text, Timestamp, Value, ValueType,
};

use super::emit::{Emitted, emit};
use super::join::{Decision, Index, Joiner, Probe, link};
use super::lifecycle;
use super::neighbours::Neighbours;
use super::project::{Projected, Projector};
use super::resolve::{ObjectFailed, References, Resolved, Resolver};
use super::target::Claims;
use super::work::{Work, Works};
use crate::key::match_key;
use crate::rules::{JoinIndex, MeshTypeRules, ObjectTypeRules, RuleSet};

/// What a part of a plan starts from.
#[derive(Debug, Default)]
pub struct Seeds {
    /// Management-space objects to look at, in the order of their ids.
    pub spaces: Vec<SpaceRecord>,
    /// Mesh objects to look at.
    pub mesh: Vec<MeshId>,
}

/// The moment, run and ids of a plan.
pub struct PlanContext<'a> {
    /// Now, for rules that ask.
    pub now: Timestamp,
    /// The run that values are said to come from.
    pub run: RunId,
    /// Gives public ids to new mesh objects.
    pub ids: &'a dyn IdSource,
}

/// A part of a plan, and what was wrong with single objects.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What to change.
    pub plan: Plan,
    /// What a person should know.
    pub findings: Vec<Finding>,
}

/// Plans parts of a sync, one after the other, on one thread.
pub struct Planner<'r> {
    rules: &'r RuleSet,
    evaluator: Evaluator,
}

impl<'r> Planner<'r> {
    /// A planner for these rules.
    #[must_use]
    pub fn new(rules: &'r RuleSet) -> Self {
        Self { rules, evaluator: Evaluator::new() }
    }

    /// Plans what becomes of the seeds.
    ///
    /// # Errors
    /// Only those of `neighbours`; whatever is wrong with an object is a finding.
    pub fn plan<N: Neighbours>(
        &mut self,
        mut seeds: Seeds,
        context: &PlanContext<'_>,
        neighbours: &mut N,
    ) -> Result<Outcome, N::Error> {
        seeds.spaces.sort_by_key(|space| space.id);
        let mut part = Part {
            rules: self.rules,
            evaluator: &mut self.evaluator,
            context,
            neighbours,
            works: Works::default(),
            index: Index::default(),
            spaces: Vec::new(),
            wakes: Vec::new(),
            findings: Vec::new(),
            references: References::new(),
        };
        part.load(&seeds)?;
        let unlinked = part.sort_out(seeds.spaces);
        part.join(unlinked)?;
        part.settle();
        part.follow_references()?;
        part.resolve();
        part.finish()
    }
}

pub(super) struct Part<'a, 'c, N: Neighbours> {
    pub(super) rules: &'a RuleSet,
    pub(super) evaluator: &'a mut Evaluator,
    pub(super) context: &'a PlanContext<'c>,
    pub(super) neighbours: &'a mut N,
    pub(super) works: Works,
    pub(super) index: Index,
    pub(super) spaces: Vec<SpacePlan>,
    pub(super) wakes: Vec<Wake>,
    pub(super) findings: Vec<Finding>,
    pub(super) references: References,
}

impl<N: Neighbours> Part<'_, '_, N> {
    fn load(&mut self, seeds: &Seeds) -> Result<(), N::Error> {
        let mut ids = seeds.mesh.clone();
        ids.extend(seeds.spaces.iter().filter_map(|space| space.link.map(|link| link.mesh)));
        ids.sort_unstable();
        ids.dedup();
        self.load_works(&ids)?;
        let mut gone = Vec::new();
        for id in ids {
            if let Some(work) = self.works.get_mut(id) {
                work.is_dirty = true;
                gone.extend(work.view.linked.iter().filter(|space| space.deleted).cloned());
            }
        }
        // An object may be gone without being a seed itself: whoever looks at its mesh object first takes it out.
        for space in gone {
            if let Some(link) = space.link {
                self.unlink(&space, link.mesh);
            }
        }
        Ok(())
    }

    fn load_works(&mut self, ids: &[MeshId]) -> Result<(), N::Error> {
        if ids.is_empty() {
            return Ok(());
        }
        for view in self.neighbours.views(ids)?.into_iter().flatten() {
            self.works.add(Work::of(view));
        }
        Ok(())
    }

    /// Ends links of objects that are gone or out of scope, and returns the objects that look for a mesh object.
    fn sort_out(&mut self, spaces: Vec<SpaceRecord>) -> Vec<SpaceRecord> {
        let mut unlinked = Vec::new();
        for space in spaces {
            let object_type = self.rules.object_type(space.connector, space.object_type);
            let in_scope = object_type.is_some_and(|object_type| self.is_in_scope(&space, object_type));
            let is_manual = space.link.is_some_and(|link| link.mode == LinkMode::Manual);
            match space.link {
                Some(link) if space.deleted || !(in_scope || is_manual) => self.unlink(&space, link.mesh),
                Some(link) => {
                    let name = self.connector_name(space.connector);
                    if let Some(work) = self.works.get_mut(link.mesh) {
                        work.touch(|| format!("changed in {name}"), link.rule);
                    }
                }
                None if space.deleted => {
                    self.spaces.push(SpacePlan {
                        space: space.id,
                        note: None,
                        waits: Vec::new(),
                        purge: true,
                    });
                }
                None if in_scope => unlinked.push(space),
                None => self.note_out_of_scope(&space),
            }
        }
        unlinked
    }

    fn connector_name(&self, id: ConnectorId) -> String {
        self.rules.connector(id).map_or_else(|| id.to_string(), |connector| connector.name.to_string())
    }

    fn is_in_scope(&mut self, space: &SpaceRecord, object_type: &ObjectTypeRules) -> bool {
        let Some(scope) = &object_type.scope else { return true };
        let seen = identitymesh_expr::Scope::at(self.context.now).with_source(&space.doc);
        self.evaluator.test(scope, &seen).unwrap_or_else(|error| {
            let message = format!("the scope failed, so the object stays as it is: {error}");
            self.findings.push(Finding::new("JOI-006", message).about(
                space.connector,
                space.id,
                &space.external_id,
            ));
            space.link.is_some()
        })
    }

    fn unlink(&mut self, space: &SpaceRecord, mesh: MeshId) {
        let name = self.connector_name(space.connector);
        let Some(work) = self.works.get_mut(mesh) else { return };
        if work.unlink(space.id, space.deleted).is_none() {
            return;
        }
        work.touch(|| format!("lost {name}/{}", space.external_id), RuleId(0));
        work.lost.push((space.connector, space.object_type));
        if self.rules.references {
            self.wakes.push(Wake::Referrers { space: space.id });
        }
        if !space.deleted {
            self.note_out_of_scope(space);
        }
    }

    fn note_out_of_scope(&mut self, space: &SpaceRecord) {
        let note = Note {
            kind: NoteKind::OutOfScope,
            text: "the connector's scope leaves it out".to_owned(),
            candidates: Vec::new(),
        };
        self.spaces.push(SpacePlan { space: space.id, note: Some(note), waits: Vec::new(), purge: false });
    }

    // ----- join -----

    fn join(&mut self, unlinked: Vec<SpaceRecord>) -> Result<(), N::Error> {
        let probes = self.probe(&unlinked)?;
        for (space, probe) in unlinked.into_iter().zip(probes) {
            let rules = self.rules;
            let Some(object_type) = rules.object_type(space.connector, space.object_type) else { continue };
            let decision = self.joiner().1.decide(&space, &probe, object_type);
            match decision {
                Decision::Link { mesh, rule, matched } => self.link(space, mesh, rule, matched),
                Decision::Create { rule, anchor } => self.create(space, object_type, rule, anchor)?,
                Decision::None(note) => {
                    let mut waits: Vec<IndexKey> = probe.keys().cloned().collect();
                    waits.extend(self.joiner().1.joiner.create_key(&probe, object_type));
                    self.spaces.push(SpacePlan { space: space.id, note: Some(note), waits, purge: false });
                }
            }
        }
        Ok(())
    }

    fn joiner(&mut self) -> ((), JoinerWith<'_>) {
        let joiner = Joiner {
            rules: self.rules,
            now: self.context.now,
            evaluator: self.evaluator,
            findings: &mut self.findings,
        };
        ((), JoinerWith { joiner, index: &self.index, works: &self.works })
    }

    fn probe(&mut self, unlinked: &[SpaceRecord]) -> Result<Vec<Probe>, N::Error> {
        let rules = self.rules;
        let mut joiner =
            Joiner { rules, now: self.context.now, evaluator: self.evaluator, findings: &mut self.findings };
        let mut keys: Vec<IndexKey> = Vec::with_capacity(unlinked.len() * 2);
        let mut probes = Vec::with_capacity(unlinked.len());
        for space in unlinked {
            let object_type = rules.object_type(space.connector, space.object_type);
            let object_type = object_type.expect("objects without rules are out of scope");
            let probe = joiner.probe(space, object_type);
            keys.extend(probe.keys().cloned());
            keys.extend(joiner.create_key(&probe, object_type));
            probes.push(probe);
        }
        if keys.is_empty() {
            return Ok(probes);
        }
        keys.sort_unstable();
        keys.dedup();
        let found = self.neighbours.candidates(&keys)?;
        self.index.store(keys, found);
        let mut missing: Vec<MeshId> =
            self.index.stored_ids().filter(|id| self.works.position(*id).is_none()).collect();
        missing.sort_unstable();
        missing.dedup();
        self.load_works(&missing)?;
        Ok(probes)
    }

    fn link(&mut self, space: SpaceRecord, mesh: MeshId, rule: RuleId, matched: String) {
        self.wake_referrers(&space);
        let name = self.connector_name(space.connector);
        let work = self.works.get_mut(mesh).expect("a candidate is at work");
        work.touch(|| format!("{matched} with {name}/{}", space.external_id), rule);
        work.gained.push(space.connector);
        link(work, space, rule, LinkMode::Joined, matched);
    }

    fn wake_referrers(&mut self, space: &SpaceRecord) {
        if self.rules.references {
            self.wakes.push(Wake::Referrers { space: space.id });
        }
    }

    fn create(
        &mut self,
        space: SpaceRecord,
        object_type: &ObjectTypeRules,
        rule: usize,
        anchor: Text,
    ) -> Result<(), N::Error> {
        self.wake_referrers(&space);
        let create = &object_type.creates[rule];
        let id = self.neighbours.new_mesh_id()?;
        let record = MeshRecord {
            id,
            uid: self.context.ids.next_uid(self.context.now),
            mesh_type: create.mesh_type,
            anchor: anchor.clone(),
            version: 0,
            doc: Object::new(),
            provenance: Provenance::default(),
            state: MeshState::Active,
        };
        let view = MeshView { record, linked: Vec::new(), items: Vec::new(), leaving: Vec::new() };
        let mut work = Work::of(view);
        work.is_new = true;
        work.is_dirty = true;
        work.reason = Reason {
            text: format!("new in {} as {}", self.connector_name(space.connector), space.external_id),
            rule: create.rule,
        };
        link(&mut work, space, create.rule, LinkMode::Created, "created from it".to_owned());
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
        let keys = if follows {
            // References are followed for all objects at once, later; until then what keys are made of is enough.
            self.resolve_keys(at, mesh_type)
        } else {
            self.resolve_one(at);
            let work = &self.works.list[at];
            let resolved = work.resolved.as_ref().map(|resolved| &resolved.doc);
            keys_of(mesh_type, resolved.unwrap_or(&Object::new()), &work.anchor)
        };
        let id = self.works.list[at].view.record.id;
        keys.into_iter().for_each(|key| self.index.add(key, id));
    }

    /// A new mesh object that a rule wants left alone is not made; the objects that would be linked to it wait.
    fn note_failed(&mut self) {
        let rules = self.rules;
        let mut joiner =
            Joiner { rules, now: self.context.now, evaluator: self.evaluator, findings: &mut Vec::new() };
        let failed = self.works.list.iter().filter(|work| work.is_new && work.has_failed);
        for space in failed.flat_map(|work| &work.view.linked) {
            let object_type = rules.object_type(space.connector, space.object_type);
            let probe = object_type.map(|object_type| joiner.probe(space, object_type));
            let note = Note {
                kind: NoteKind::Failed,
                text: "a rule needs a value that is absent, so no mesh object is made".to_owned(),
                candidates: Vec::new(),
            };
            let waits = probe.iter().flat_map(Probe::keys).cloned().collect();
            self.spaces.push(SpacePlan { space: space.id, note: Some(note), waits, purge: false });
        }
    }

    fn resolve_keys(&mut self, at: usize, mesh_type: &MeshTypeRules) -> Vec<IndexKey> {
        let work = &self.works.list[at];
        let mut resolver = Resolver {
            rules: self.rules,
            now: self.context.now,
            run: self.context.run,
            evaluator: self.evaluator,
            references: &self.references,
            // What is wrong is said when everything is resolved.
            findings: &mut Vec::new(),
        };
        let doc = match resolver.resolve_keys(&work.view, mesh_type) {
            Ok(resolved) => resolved.doc,
            Err(ObjectFailed) => Object::new(),
        };
        keys_of(mesh_type, &doc, &work.anchor)
    }

    // ----- lives and attributes -----

    fn settle(&mut self) {
        let rules = self.rules;
        for work in self.works.list.iter_mut().filter(|work| work.is_dirty) {
            if let Some(mesh_type) = rules.mesh_type(work.view.record.mesh_type) {
                lifecycle::settle(work, rules, mesh_type, self.context.now, &mut self.wakes);
            }
        }
    }

    fn resolve(&mut self) {
        for at in 0..self.works.list.len() {
            if self.works.list[at].is_dirty && self.works.list[at].resolved.is_none() {
                self.resolve_one(at);
            }
        }
    }

    fn resolve_one(&mut self, at: usize) {
        let rules = self.rules;
        let work = &mut self.works.list[at];
        let Some(mesh_type) = rules.mesh_type(work.view.record.mesh_type) else {
            work.has_failed = true;
            return;
        };
        if work.state != MeshState::Active {
            let record = &work.view.record;
            work.resolved = Some(Resolved { doc: record.doc.clone(), provenance: record.provenance.clone() });
            return;
        }
        let mut resolver = Resolver {
            rules,
            now: self.context.now,
            run: self.context.run,
            evaluator: self.evaluator,
            references: &self.references,
            findings: &mut self.findings,
        };
        match resolver.resolve(&work.view, mesh_type) {
            Ok(resolved) => work.resolved = Some(resolved),
            Err(ObjectFailed) => {
                let record = &work.view.record;
                work.has_failed = true;
                work.resolved =
                    Some(Resolved { doc: record.doc.clone(), provenance: record.provenance.clone() });
            }
        }
    }

    /// A mesh object follows its source's anchor where the new one is free.
    fn move_anchor(&mut self, at: usize) -> Result<(), N::Error> {
        let rules = self.rules;
        let work = &self.works.list[at];
        if work.is_new || work.state != MeshState::Active {
            return Ok(());
        }
        let Some((space, create)) = work.view.linked.iter().find_map(|space| {
            let link = space.link.filter(|link| link.mode == LinkMode::Created)?;
            let creates = &rules.object_type(space.connector, space.object_type)?.creates;
            Some((space, creates.iter().find(|create| create.rule == link.rule)?))
        }) else {
            return Ok(());
        };
        let mut joiner =
            Joiner { rules, now: self.context.now, evaluator: self.evaluator, findings: &mut self.findings };
        let Some(anchor) = joiner.anchor(create, space).filter(|anchor| *anchor != work.anchor) else {
            return Ok(());
        };
        let Some(key) = joiner.anchor_key(work.view.record.mesh_type, &anchor) else { return Ok(()) };
        let holders = self.neighbours.candidates(std::slice::from_ref(&key))?.concat();
        let id = work.view.record.id;
        if holders.iter().any(|holder| *holder != id) {
            let message =
                format!("the anchor {anchor} belongs to another mesh object, so {} stays", work.anchor);
            self.findings.push(Finding::new("JOI-004", message).about(
                space.connector,
                space.id,
                &space.external_id,
            ));
            return Ok(());
        }
        self.works.list[at].anchor = anchor;
        Ok(())
    }

    // ----- projection -----

    fn finish(mut self) -> Result<Outcome, N::Error> {
        for at in 0..self.works.list.len() {
            if self.works.list[at].is_dirty && !self.works.list[at].has_failed {
                self.move_anchor(at)?;
            }
        }
        self.note_failed();
        let addresses = self.addresses()?;
        let mut claims = Claims::new();
        let mut plan = Plan { objects: Vec::with_capacity(self.works.list.len()), ..Plan::default() };
        let works = std::mem::take(&mut self.works);
        let rules = self.rules;
        for work in works.list.into_iter().filter(|work| work.is_dirty && !(work.is_new && work.has_failed)) {
            let Some(mesh_type) = rules.mesh_type(work.view.record.mesh_type) else { continue };
            let Some(resolved) = &work.resolved else { continue };
            let mut projector = Projector {
                rules,
                now: self.context.now,
                evaluator: self.evaluator,
                neighbours: self.neighbours,
                claims: &mut claims,
                findings: &mut self.findings,
                addresses: &addresses,
            };
            // What a rule wants left alone keeps its attributes and what targets hold; links begin and end all the same.
            let projected = match work.has_failed {
                true => Projected::default(),
                false => projector.project(&work, resolved, mesh_type)?,
            };
            let Emitted { object, wakes, spaces } = emit(work, projected, rules, mesh_type);
            self.wakes.extend(wakes);
            self.spaces.extend(spaces);
            if !object.is_empty() {
                plan.objects.push(object);
            }
        }
        (plan.spaces, plan.wakes) = (self.spaces, self.wakes);
        Ok(Outcome { plan, findings: self.findings })
    }
}

/// A joiner together with what it looks things up in.
struct JoinerWith<'a> {
    joiner: Joiner<'a>,
    index: &'a Index,
    works: &'a Works,
}

impl JoinerWith<'_> {
    fn decide(mut self, space: &SpaceRecord, probe: &Probe, object_type: &ObjectTypeRules) -> Decision {
        self.joiner.decide(space, probe, object_type, self.index, self.works)
    }
}

/// The keys under which join rules find an object with these attributes.
pub(super) fn keys_of(mesh_type: &MeshTypeRules, doc: &Object, anchor: &Text) -> Vec<IndexKey> {
    let anchor_value = Value::Text(anchor.clone());
    let mut keys = Vec::with_capacity(mesh_type.join_indexes.len() + 1);
    let kind = identitymesh_model::rules::MatchKind::IgnoreCase;
    keys.extend(match_key(kind, &anchor_value).map(|key| IndexKey { index: mesh_type.anchor_index, key }));
    for JoinIndex { number, attribute, kind } in &mesh_type.join_indexes {
        let values = match attribute {
            Some(attribute) => doc.get(*attribute).map_or(&[][..], |values| values.as_slice()),
            None => std::slice::from_ref(&anchor_value),
        };
        keys.extend(
            values
                .iter()
                .filter_map(|value| match_key(*kind, value))
                .map(|key| IndexKey { index: *number, key }),
        );
    }
    keys
}
