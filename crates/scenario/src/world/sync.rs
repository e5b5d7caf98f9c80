//! Syncs: pending objects of each connector, then the to-do list until nothing is due.

use std::collections::BTreeMap;

use identitymesh_engine::{Outcome, PlanContext, Planner, Seeds};
use identitymesh_model::{ConnectorId, CountingIds, MeshId, RunId, SpaceId};

use super::neighbours::View;
use super::state::Todo;
use super::{State, World};

/// How often one entry of the to-do list may come back within one sync.
const TODO_ROUNDS_MAX: u8 = 8;
/// Public ids between one part and the next, so that a part planned twice hands out the same.
const IDS_PER_PART: u64 = 1 << 20;

impl World {
    /// Plans one part without carrying it out.
    ///
    /// # Panics
    /// When planning twice gives two plans.
    #[must_use]
    pub fn preview(&self, seeds: &(Vec<SpaceId>, Vec<MeshId>)) -> Outcome {
        let (first, again) = (self.plan(&self.state, seeds), self.plan(&self.state, seeds));
        assert_eq!(first.plan, again.plan, "planning twice gives the same plan");
        first
    }

    fn plan(&self, state: &State, (spaces, mesh): &(Vec<SpaceId>, Vec<MeshId>)) -> Outcome {
        let spaces = spaces.iter().filter_map(|id| state.spaces.get(id));
        let seeds = Seeds { spaces: spaces.map(|space| space.record.clone()).collect(), mesh: mesh.clone() };
        let ids = CountingIds::starting_at(self.part * IDS_PER_PART);
        let context = PlanContext { now: self.now, run: RunId(self.run), ids: &ids };
        match Planner::new(&self.rules).plan(seeds, &context, &mut View::new(state)) {
            Ok(outcome) => outcome,
            Err(never) => match never {},
        }
    }

    /// Plans one part, shows it while the state is still the old one and when it is the new one, carries it out.
    fn part(&mut self, seeds: &(Vec<SpaceId>, Vec<MeshId>), told: &mut impl FnMut(&Self, &Outcome, Moment)) {
        if seeds.0.is_empty() && seeds.1.is_empty() {
            return;
        }
        let outcome = self.preview(seeds);
        self.part += 1;
        told(self, &outcome, Moment::Before);
        self.apply(&outcome.plan);
        told(self, &outcome, Moment::After);
    }

    /// Syncs what imports touched, connector by connector in this order, and then what that woke.
    pub fn sync(&mut self, connectors: &[ConnectorId], mut told: impl FnMut(&Self, &Outcome, Moment)) {
        self.run += 1;
        for connector in connectors {
            let touched = |space: &&mut super::Space| space.touched && space.record.connector == *connector;
            let mut seeds = Vec::new();
            for space in self.state.spaces.values_mut().filter(touched) {
                space.touched = false;
                seeds.push(space.record.id);
            }
            self.part(&(seeds, Vec::new()), &mut told);
        }
        self.work_off(&mut told);
    }

    /// Looks at every mesh object and every object without one, as after a change of rules.
    pub fn sync_everything(&mut self, mut told: impl FnMut(&Self, &Outcome, Moment)) {
        self.run += 1;
        self.state.spaces.values_mut().for_each(|space| space.touched = false);
        let all = self.everything();
        self.part(&(Vec::new(), all.1), &mut told);
        let unlinked = self.everything().0;
        self.part(&(unlinked, Vec::new()), &mut told);
        self.work_off(&mut told);
    }

    /// What is left to do although everything has been done; empty unless the engine flaps.
    #[must_use]
    pub fn what_is_left(&self) -> Outcome {
        let unlinked = self.state.spaces.values().filter(|space| space.record.link.is_none());
        let unlinked = unlinked.map(|space| space.record.id).collect();
        self.preview(&(unlinked, self.state.mesh.keys().copied().collect()))
    }

    fn everything(&self) -> (Vec<SpaceId>, Vec<MeshId>) {
        let unlinked = self.state.spaces.values().filter(|space| space.record.link.is_none());
        (unlinked.map(|space| space.record.id).collect(), self.state.mesh.keys().copied().collect())
    }

    fn work_off(&mut self, told: &mut impl FnMut(&Self, &Outcome, Moment)) {
        let mut rounds: BTreeMap<Todo, u8> = BTreeMap::new();
        loop {
            let is_due = |(todo, at): &(&Todo, &Option<_>)| {
                at.is_none_or(|at| at <= self.now)
                    && rounds.get(todo).is_none_or(|count| *count < TODO_ROUNDS_MAX)
            };
            let due: Vec<Todo> = self.state.todo.iter().filter(is_due).map(|(todo, _)| *todo).collect();
            if due.is_empty() {
                return;
            }
            let mut seeds = (Vec::new(), Vec::new());
            for todo in due {
                self.state.todo.remove(&todo);
                *rounds.entry(todo).or_insert(0) += 1;
                match todo {
                    Todo::Space(id) => seeds.0.push(id),
                    Todo::Mesh(id) => seeds.1.push(id),
                }
            }
            self.part(&seeds, told);
        }
    }
}

/// When a part of a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The state is as it was, so that what goes still has a name.
    Before,
    /// The state is as planned, so that what is new has a name.
    After,
}
