//! What mesh objects at work become: whether they live, what their attributes are, what their anchor is.

use identitymesh_model::{Finding, LinkMode, MeshState, Object};

use super::lifecycle;
use super::neighbours::Neighbours;
use super::part::Part;
use super::probe::{Prober, anchor_key};
use super::resolve::{ObjectFailed, Resolved, Resolver};
use crate::rules::MeshTypeRules;

impl<N: Neighbours> Part<'_, '_, N> {
    pub(super) fn settle(&mut self) {
        let rules = self.rules;
        for work in self.works.list.iter_mut().filter(|work| work.is_dirty) {
            if let Some(mesh_type) = rules.mesh_type(work.view.record.mesh_type) {
                lifecycle::settle(work, rules, mesh_type, self.context.now, &mut self.wakes);
            }
        }
    }

    pub(super) fn resolve(&mut self) -> Result<(), N::Error> {
        let mut wide = Vec::new();
        for at in 0..self.works.list.len() {
            if self.works.list[at].is_dirty && self.works.list[at].resolved.is_none() {
                let told = self.findings.len();
                self.resolve_one(at);
                if !self.stays_narrow(at) {
                    self.findings.truncate(told);
                    wide.push(at);
                }
            }
        }
        if wide.is_empty() {
            return Ok(());
        }
        self.widen(&wide)?;
        self.follow_references()?;
        for at in wide {
            self.resolve_one(at);
            self.stays_narrow(at);
        }
        Ok(())
    }

    pub(super) fn resolve_one(&mut self, at: usize) {
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

    /// What a mesh object is found by, before its references are followed.
    pub(super) fn resolve_keys(&mut self, at: usize, mesh_type: &MeshTypeRules) -> Object {
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
        match resolver.resolve_keys(&work.view, mesh_type) {
            Ok(resolved) => resolved.doc,
            Err(ObjectFailed) => Object::new(),
        }
    }

    /// A mesh object follows its source's anchor where the new one is free.
    pub(super) fn move_anchor(&mut self, at: usize) -> Result<(), N::Error> {
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
        let mut prober =
            Prober { now: self.context.now, evaluator: self.evaluator, findings: &mut self.findings };
        let Some(anchor) = prober.anchor(create, space).filter(|anchor| *anchor != work.anchor) else {
            return Ok(());
        };
        let Some(key) = anchor_key(rules, work.view.record.mesh_type, &anchor) else { return Ok(()) };
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
}
