//! Planning: seeds and rules in, a part of a plan out, stage by stage.

use identitymesh_expr::Evaluator;
use identitymesh_model::plan::Plan;
use identitymesh_model::{ContentHash, Finding, IdSource, MeshId, RunId, SpaceRecord, Timestamp};

use super::neighbours::Neighbours;
use super::orders::Orders;
use super::part::Part;
use super::reconsider::Asking;
use crate::joins::Reconsidered;
use crate::rules::RuleSet;

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
    /// Rules may have changed since: keys that a mesh object should be found by and is not are made up for.
    pub reindex: bool,
}

/// A part of a plan, and what was wrong with single objects.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What to change.
    pub plan: Plan,
    /// What a person should know.
    pub findings: Vec<Finding>,
    /// What to remember of mesh objects with large sets of references.
    pub traces: Vec<SetTrace>,
}

/// What to remember of a mesh object with large sets of references, so that later only members in question are looked
/// at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetTrace {
    /// The mesh object.
    pub mesh: MeshId,
    /// The circumstances under which its sets were looked at; `None` when they have to be looked at as a whole again.
    pub shape: Option<ContentHash>,
    /// The newest entry of what happened that was taken in.
    pub upto: i64,
}

/// Plans parts of a sync, one after the other.
pub struct Planner<'r> {
    rules: &'r RuleSet,
    evaluator: Evaluator,
    /// Those of further threads.
    helpers: Vec<Evaluator>,
    large_set: usize,
}

impl<'r> Planner<'r> {
    /// A planner for these rules that traces no sets and works on one thread.
    #[must_use]
    pub fn new(rules: &'r RuleSet) -> Self {
        Self { rules, evaluator: Evaluator::new(), helpers: Vec::new(), large_set: usize::MAX }
    }

    /// Has so many threads work on each part, the caller's among them. Plans are the same on any number.
    #[must_use]
    pub fn on_threads(self, threads: usize) -> Self {
        let helpers = (1..threads).map(|_| Evaluator::new()).collect();
        Self { helpers, ..self }
    }

    /// Has mesh objects traced that refer to so many others.
    #[must_use]
    pub fn tracing_from(self, members: usize) -> Self {
        Self { large_set: members, ..self }
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
        let mut part = Part::new(self.rules, &mut self.evaluator, context, neighbours);
        part.helpers = &mut self.helpers;
        part.large_set = self.large_set;
        part.load(&seeds)?;
        let unlinked = part.sort_out(seeds.spaces);
        part.complete(unlinked)
    }

    /// Plans what follows from a decision about joins.
    ///
    /// # Errors
    /// Only those of `neighbours`.
    pub fn carry_out<N: Neighbours>(
        &mut self,
        orders: Orders,
        context: &PlanContext<'_>,
        neighbours: &mut N,
    ) -> Result<Outcome, N::Error> {
        let mut part = Part::new(self.rules, &mut self.evaluator, context, neighbours);
        part.large_set = self.large_set;
        let looking = part.obey(orders)?;
        part.complete(looking)
    }

    /// What the rules make of the links of these objects, which rules made before; findings are of those that lose
    /// theirs. Nothing is planned.
    ///
    /// # Errors
    /// Only those of `neighbours`.
    pub fn reconsider<N: Neighbours>(
        &mut self,
        mut linked: Vec<SpaceRecord>,
        asking: Asking,
        context: &PlanContext<'_>,
        neighbours: &mut N,
    ) -> Result<(Vec<Reconsidered>, Vec<Finding>), N::Error> {
        linked.sort_by_key(|space| space.id);
        Part::new(self.rules, &mut self.evaluator, context, neighbours).reconsider(linked, asking)
    }
}
