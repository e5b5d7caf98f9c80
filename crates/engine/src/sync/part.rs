//! One part of a plan while it is being made: what every stage reads and adds to.
//!
//! The stages are methods of [`Part`], one file for each. They run in the order that [`super::Planner`] gives, and none
//! looks back.

use std::collections::HashMap;

use identitymesh_expr::Evaluator;
use identitymesh_model::plan::{SpacePlan, Wake};
use identitymesh_model::{ConnectorId, Finding, Link, MeshId, Ruling, SpaceId, SpaceRecord};

use super::apart::Apart;
use super::index::Index;
use super::join::Again;
use super::neighbours::Neighbours;
use super::planner::{Outcome, PlanContext, Seeds};
use super::resolve::References;
use super::work::{Work, Works};
use crate::rules::RuleSet;

/// A part of a plan at work.
pub(super) struct Part<'a, 'c, N: Neighbours> {
    pub(super) rules: &'a RuleSet,
    pub(super) evaluator: &'a mut Evaluator,
    /// Those of further threads.
    pub(super) helpers: &'a mut [Evaluator],
    pub(super) context: &'a PlanContext<'c>,
    pub(super) neighbours: &'a mut N,
    pub(super) works: Works,
    pub(super) index: Index,
    pub(super) spaces: Vec<SpacePlan>,
    pub(super) wakes: Vec<Wake>,
    pub(super) findings: Vec<Finding>,
    pub(super) references: References,
    /// From how many members on a mesh object is traced.
    pub(super) large_set: usize,
    /// What people decided about the objects that look for a mesh object; most have nothing.
    pub(super) rulings: HashMap<SpaceId, Vec<Ruling>>,
    /// Objects that leave a mesh object and are still there.
    pub(super) parted: Vec<SpaceRecord>,
    /// Where objects belonged that came back within their grace.
    pub(super) former: HashMap<SpaceId, Link>,
    /// What a decision in hand changes about rulings.
    pub(super) overruled: HashMap<SpaceId, Vec<(MeshId, Option<bool>)>>,
    /// What mesh objects are found by where links are asked for again together; nothing else in a sync.
    pub(super) apart: Apart,
    /// The same for objects that are asked for one by one, each as if it alone had no link.
    pub(super) alone: HashMap<SpaceId, Apart>,
    /// The links that are asked for again.
    pub(super) again: HashMap<SpaceId, Again>,
}

impl<'a, 'c, N: Neighbours> Part<'a, 'c, N> {
    pub(super) fn new(
        rules: &'a RuleSet,
        evaluator: &'a mut Evaluator,
        context: &'a PlanContext<'c>,
        neighbours: &'a mut N,
    ) -> Self {
        Self {
            rules,
            evaluator,
            helpers: &mut [],
            context,
            neighbours,
            works: Works::default(),
            index: Index::default(),
            spaces: Vec::new(),
            wakes: Vec::new(),
            findings: Vec::new(),
            references: References::new(),
            large_set: usize::MAX,
            rulings: HashMap::new(),
            parted: Vec::new(),
            former: HashMap::new(),
            overruled: HashMap::new(),
            apart: Apart::default(),
            alone: HashMap::new(),
            again: HashMap::new(),
        }
    }

    /// The stages after links ended: `unlinked` are the objects that look for a mesh object.
    pub(super) fn complete(mut self, mut unlinked: Vec<SpaceRecord>) -> Result<Outcome, N::Error> {
        unlinked.sort_by_key(|space| space.id);
        unlinked.retain(|space| self.rules.object_type(space.connector, space.object_type).is_some());
        self.join(unlinked)?;
        self.settle();
        self.follow_references()?;
        self.resolve()?;
        self.finish()
    }

    /// Brings the mesh objects of the seeds to work.
    pub(super) fn load(&mut self, seeds: &Seeds) -> Result<(), N::Error> {
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

    /// Brings mesh objects to work that are not yet.
    pub(super) fn load_missing(&mut self, mut ids: Vec<MeshId>) -> Result<(), N::Error> {
        ids.retain(|id| self.works.position(*id).is_none());
        ids.sort_unstable();
        ids.dedup();
        self.load_works(&ids)
    }

    pub(super) fn load_works(&mut self, ids: &[MeshId]) -> Result<(), N::Error> {
        if ids.is_empty() {
            return Ok(());
        }
        for view in self.neighbours.views(ids)?.into_iter().flatten() {
            self.works.add(Work::of(view));
        }
        Ok(())
    }

    pub(super) fn connector_name(&self, id: ConnectorId) -> String {
        self.rules.connector(id).map_or_else(|| id.to_string(), |connector| connector.name.to_string())
    }
}
