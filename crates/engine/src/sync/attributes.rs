//! What mesh objects at work become: whether they live, what their attributes are, what their anchor is.

use identitymesh_model::{Finding, LinkMode, MeshState, Object};

use super::lifecycle;
use super::neighbours::Neighbours;
use super::part::Part;
use super::probe::{Prober, anchor_key};
use super::resolve::{ObjectFailed, Resolved, Resolver};
use super::spread::Crew;
use super::work::Work;
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
        for Told { at, findings } in self.resolve_all() {
            if self.stays_narrow(at) {
                self.findings.extend(findings);
            } else {
                wide.push(at);
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

    /// Resolves whatever is not resolved yet. Tells of objects of which there is something to tell: findings, or a
    /// trace.
    fn resolve_all(&mut self) -> Vec<Told> {
        let (rules, now, run, references) =
            (self.rules, self.context.now, self.context.run, &self.references);
        let crew = Crew { own: self.evaluator, helpers: self.helpers };
        let size = crew.part_size(self.works.list.len());
        let parts = self.works.list.chunks_mut(size).enumerate();
        let told = crew.spread(parts, |(part, works), evaluator| {
            let mut told = Vec::new();
            let unresolved = |work: &&mut Work| work.is_dirty && work.resolved.is_none();
            let places = (part * size..).zip(works.iter_mut());
            for (at, work) in places.filter(|(_, work)| unresolved(work)) {
                let mut findings = Vec::new();
                let resolver = Resolver { rules, now, run, evaluator, references, findings: &mut findings };
                resolve_work(work, resolver);
                if !findings.is_empty() || work.view.trace.is_some() {
                    told.push(Told { at, findings });
                }
            }
            told
        });
        told.into_iter().flatten().collect()
    }

    pub(super) fn resolve_one(&mut self, at: usize) {
        let resolver = Resolver {
            rules: self.rules,
            now: self.context.now,
            run: self.context.run,
            evaluator: self.evaluator,
            references: &self.references,
            findings: &mut self.findings,
        };
        resolve_work(&mut self.works.list[at], resolver);
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

/// What was found while one object was resolved.
struct Told {
    at: usize,
    findings: Vec<Finding>,
}

fn resolve_work(work: &mut Work, mut resolver: Resolver<'_>) {
    let Some(mesh_type) = resolver.rules.mesh_type(work.view.record.mesh_type) else {
        work.has_failed = true;
        return;
    };
    let as_it_was = |work: &Work| {
        let record = &work.view.record;
        Resolved { doc: record.doc.clone(), provenance: record.provenance.clone() }
    };
    work.resolved = Some(match work.state {
        MeshState::Active => resolver.resolve(&work.view, mesh_type).unwrap_or_else(|ObjectFailed| {
            work.has_failed = true;
            as_it_was(work)
        }),
        _ => as_it_was(work),
    });
}
