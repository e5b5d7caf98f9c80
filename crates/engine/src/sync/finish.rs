//! The last stage: every mesh object at work is projected, and what differs becomes its part of the plan.

use identitymesh_model::plan::Plan;

use super::emit::{Emitted, emit};
use super::narrow::{complete, traced};
use super::neighbours::Neighbours;
use super::part::Part;
use super::planner::Outcome;
use super::project::{Projected, Projector};
use super::target::Claims;

impl<N: Neighbours> Part<'_, '_, N> {
    pub(super) fn finish(mut self) -> Result<Outcome, N::Error> {
        for at in 0..self.works.list.len() {
            if self.works.list[at].is_dirty && !self.works.list[at].has_failed {
                self.move_anchor(at)?;
            }
        }
        self.note_failed();
        let addresses = self.addresses()?;
        let gaps = self.gaps()?;
        let mut claims = Claims::new();
        let mut traces = Vec::new();
        let mut plan = Plan { objects: Vec::with_capacity(self.works.list.len()), ..Plan::default() };
        let works = std::mem::take(&mut self.works);
        let rules = self.rules;
        for work in works.list.into_iter().filter(|work| work.is_dirty && !(work.is_new && work.has_failed)) {
            let Some(mesh_type) = rules.mesh_type(work.view.record.mesh_type) else { continue };
            let Some(resolved) = &work.resolved else { continue };
            let is_narrow = work.view.trace.as_ref().is_some_and(|trace| trace.shown.is_some());
            traces.extend(traced(&work, mesh_type, self.large_set));
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
            let Emitted { mut object, mut wakes, spaces } = emit(work, projected, rules, mesh_type);
            if is_narrow {
                complete(&mut object, self.neighbours)?;
            }
            gaps.fill(&mut object, &mut wakes);
            self.wakes.extend(wakes);
            self.spaces.extend(spaces);
            if !object.is_empty() {
                plan.objects.push(object);
            }
        }
        (plan.spaces, plan.wakes) = (self.spaces, self.wakes);
        Ok(Outcome { plan, findings: self.findings, traces })
    }
}
