//! The last stage: every mesh object at work is projected, and what differs becomes its part of the plan.
//!
//! Objects are independent of each other here, unless a rule asks for names that nobody else has: then one waits for
//! the other, in their order.

use std::collections::HashMap;

use identitymesh_expr::Evaluator;
use identitymesh_model::plan::{ObjectPlan, Plan, SpacePlan, Wake};
use identitymesh_model::{ConnectorId, Finding, Timestamp};

use super::active::Coverages;
use super::emit::{Emitted, emit};
use super::names::{Names, kept};
use super::narrow::{complete, traced};
use super::neighbours::Neighbours;
use super::part::Part;
use super::planner::{Outcome, SetTrace};
use super::project::{Projected, Projector};
use super::reindex::Gaps;
use super::spread::Crew;
use super::target::Addresses;
use super::work::Work;
use crate::rules::RuleSet;

impl<N: Neighbours> Part<'_, '_, N> {
    pub(super) fn finish(mut self) -> Result<Outcome, N::Error> {
        for at in 0..self.works.list.len() {
            if self.works.list[at].is_dirty && !self.works.list[at].has_failed {
                self.move_anchor(at)?;
            }
        }
        self.note_failed();
        let addresses = self.addresses()?;
        let (coverages, gaps) = (self.coverages()?, self.gaps()?);
        let rules = self.rules;
        let finishing =
            Finishing { rules, now: self.context.now, addresses, coverages, gaps, large_set: self.large_set };
        let list = std::mem::take(&mut self.works).list.into_iter();
        let works: Vec<Work> = list.filter(is_planned).collect();
        let asks = |work: &Work| {
            rules.mesh_type(work.view.record.mesh_type).is_some_and(|mesh_type| mesh_type.asks_for_names())
        };
        let finished = if works.iter().any(asks) {
            let mut claims = kept(rules, &self.parted, &works);
            let names = Names { neighbours: &mut *self.neighbours, claims: &mut claims };
            vec![finishing.finish(works, self.evaluator, Some(names))]
        } else {
            let crew = Crew { own: self.evaluator, helpers: self.helpers };
            let size = crew.part_size(works.len());
            crew.spread(cut(works, size), |works, evaluator| finishing.finish::<N>(works, evaluator, None))
        };
        let mut plan = Plan { spaces: self.spaces, wakes: self.wakes, ..Plan::default() };
        let (mut findings, mut traces) = (self.findings, Vec::new());
        for finished in finished {
            let finished = finished?;
            for (mut object, is_narrow) in finished.objects {
                if is_narrow {
                    complete(&mut object, self.neighbours)?;
                }
                if !object.is_empty() {
                    plan.objects.push(object);
                }
            }
            plan.spaces.extend(finished.spaces);
            plan.wakes.extend(finished.wakes);
            findings.extend(finished.findings);
            traces.extend(finished.traces);
        }
        Ok(Outcome { plan, findings, traces })
    }
}

const fn is_planned(work: &Work) -> bool {
    work.is_dirty && !(work.is_new && work.has_failed)
}

/// `items` in parts of `size`, in order.
fn cut<T>(items: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let (count, mut items) = (items.len().div_ceil(size), items.into_iter());
    (0..count).map(|_| items.by_ref().take(size).collect()).collect()
}

/// What finishing objects needs, whoever does it.
struct Finishing<'r> {
    rules: &'r RuleSet,
    now: Timestamp,
    addresses: HashMap<ConnectorId, Addresses>,
    coverages: Coverages,
    gaps: Gaps,
    large_set: usize,
}

/// What became of some objects.
#[derive(Default)]
struct Finished {
    /// Whether the object was seen narrow stands beside it.
    objects: Vec<(ObjectPlan, bool)>,
    spaces: Vec<SpacePlan>,
    wakes: Vec<Wake>,
    findings: Vec<Finding>,
    traces: Vec<SetTrace>,
}

impl Finishing<'_> {
    fn finish<N: Neighbours>(
        &self,
        works: Vec<Work>,
        evaluator: &mut Evaluator,
        names: Option<Names<'_, N>>,
    ) -> Result<Finished, N::Error> {
        let rules = self.rules;
        let mut finished = Finished { objects: Vec::with_capacity(works.len()), ..Finished::default() };
        let mut projector = Projector {
            rules,
            now: self.now,
            evaluator,
            names,
            findings: Vec::new(),
            addresses: &self.addresses,
            coverages: &self.coverages,
        };
        for work in works {
            let Some(mesh_type) = rules.mesh_type(work.view.record.mesh_type) else { continue };
            let Some(resolved) = &work.resolved else { continue };
            let is_narrow = work.view.trace.as_ref().is_some_and(|trace| trace.shown.is_some());
            finished.traces.extend(traced(&work, mesh_type, self.large_set));
            // What a rule wants left alone keeps its attributes and what targets hold; links begin and end all the same.
            let projected = match work.has_failed {
                true => Projected::default(),
                false => projector.project(&work, resolved, mesh_type)?,
            };
            let Emitted { mut object, mut wakes, spaces } = emit(work, projected, rules, mesh_type);
            self.gaps.fill(&mut object, &mut wakes);
            finished.wakes.extend(wakes);
            finished.spaces.extend(spaces);
            if is_narrow || !object.is_empty() {
                finished.objects.push((object, is_narrow));
            }
        }
        finished.findings = projector.findings;
        Ok(finished)
    }
}
