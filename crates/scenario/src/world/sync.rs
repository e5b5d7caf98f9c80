//! Syncs: pending objects of a connector in parts, then the to-do list until nothing is due.
//!
//! What a part looked at is done in the transaction of the part, so a sync that is stopped between two parts loses
//! nothing and the next one goes on where it stopped.

use std::collections::BTreeMap;

use identitymesh_engine::{Outcome, PlanContext, Planner, Seeds};
use identitymesh_model::{ConnectorId, CountingIds, MeshId, RunId, SpaceId};

use super::neighbours::{Asked, View};
use super::state::Todo;
use super::{State, World};

/// How often one entry of the to-do list may come back within one sync.
const TODO_ROUNDS_MAX: u8 = 8;
/// Public ids between one part and the next, so that a part planned twice hands out the same.
pub(super) const IDS_PER_PART: u64 = 1 << 20;

/// Somebody stopped the run; what came before is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl World {
    /// Plans one part without carrying it out.
    ///
    /// # Panics
    /// When planning twice gives two plans.
    #[must_use]
    pub fn preview(&self, seeds: &(Vec<SpaceId>, Vec<MeshId>)) -> Outcome {
        self.plan_twice(seeds).0
    }

    fn plan_twice(&self, seeds: &(Vec<SpaceId>, Vec<MeshId>)) -> (Outcome, Asked) {
        let (first, again) = (self.plan(&self.state, seeds), self.plan(&self.state, seeds));
        assert_eq!(first.0.plan, again.0.plan, "planning twice gives the same plan");
        first
    }

    fn plan(&self, state: &State, (spaces, mesh): &(Vec<SpaceId>, Vec<MeshId>)) -> (Outcome, Asked) {
        let spaces = spaces.iter().filter_map(|id| state.space(*id));
        let seeds = Seeds { spaces: spaces.map(|space| space.record.clone()).collect(), mesh: mesh.clone() };
        let ids = CountingIds::starting_at(self.part * IDS_PER_PART);
        let reindex = self.looks_at_all;
        let context = PlanContext { now: self.now, run: RunId(self.run), ids: &ids, reindex };
        let mut view = View::new(state);
        match Planner::new(&self.rules).plan(seeds, &context, &mut view) {
            Ok(outcome) => (outcome, view.asked),
            Err(never) => match never {},
        }
    }

    /// Plans one part, shows it while the state is still the old one and when it is the new one, carries it out.
    fn part(
        &mut self,
        seeds: &(Vec<SpaceId>, Vec<MeshId>),
        told: &mut impl FnMut(&Self, &Outcome, Moment),
    ) -> Result<(), Stopped> {
        if self.is_stopped() {
            return Err(Stopped);
        }
        if seeds.0.is_empty() && seeds.1.is_empty() {
            return Ok(());
        }
        let (outcome, asked) = self.plan_twice(seeds);
        self.asked += asked;
        self.part += 1;
        told(self, &outcome, Moment::Before);
        self.apply(&outcome.plan);
        told(self, &outcome, Moment::After);
        Ok(())
    }

    /// Counts down the steps after which a run is stopped.
    pub(super) const fn is_stopped(&mut self) -> bool {
        match &mut self.stop_after {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        }
    }

    /// Syncs what imports touched: a run for each connector in this order, each with what it wakes.
    ///
    /// # Errors
    /// When the run was stopped between two parts.
    pub fn sync(
        &mut self,
        connectors: &[ConnectorId],
        mut told: impl FnMut(&Self, &Outcome, Moment),
    ) -> Result<(), Stopped> {
        for connector in connectors {
            self.run += 1;
            loop {
                let part = self.state.pending(*connector, self.part_objects);
                let Some(last) = part.last().copied() else { break };
                let seeds = part.into_iter().map(|(_, space)| space).collect();
                self.part(&(seeds, Vec::new()), &mut told)?;
                self.state.cursors.insert(*connector, last);
            }
            self.work_off(&mut told)?;
        }
        Ok(())
    }

    /// Looks at every mesh object and every object without one, as after a change of rules.
    ///
    /// # Errors
    /// When the run was stopped between two parts.
    pub fn sync_everything(&mut self, mut told: impl FnMut(&Self, &Outcome, Moment)) -> Result<(), Stopped> {
        self.looks_at_all = true;
        let result = self.look_at_all(&mut told);
        self.looks_at_all = false;
        result
    }

    fn look_at_all(&mut self, mut told: &mut impl FnMut(&Self, &Outcome, Moment)) -> Result<(), Stopped> {
        self.run += 1;
        let all: Vec<MeshId> = self.state.mesh.keys().copied().collect();
        for part in all.chunks(self.part_objects) {
            self.part(&(Vec::new(), part.to_vec()), &mut told)?;
        }
        let connectors: Vec<ConnectorId> = self.rules.connectors().iter().map(|known| known.id).collect();
        for connector in connectors {
            let unlinked: Vec<SpaceId> = self.unlinked(Some(connector));
            for part in unlinked.chunks(self.part_objects) {
                self.part(&(part.to_vec(), Vec::new()), &mut told)?;
            }
        }
        self.work_off(&mut told)
    }

    /// What is left to do although everything has been done; empty unless the engine flaps.
    #[must_use]
    pub fn what_is_left(&self) -> Outcome {
        self.preview(&(self.unlinked(None), self.state.mesh.keys().copied().collect()))
    }

    /// Whether an import touched objects that no sync has looked at since.
    #[must_use]
    pub fn has_pending(&self) -> bool {
        self.rules.connectors().iter().any(|connector| !self.state.pending(connector.id, 1).is_empty())
    }

    fn unlinked(&self, of: Option<ConnectorId>) -> Vec<SpaceId> {
        let records = self.state.spaces().map(|space| &space.record);
        let unlinked = records.filter(|record| record.link.is_none());
        unlinked.filter(|record| of.is_none_or(|of| record.connector == of)).map(|record| record.id).collect()
    }

    pub(super) fn work_off(&mut self, told: &mut impl FnMut(&Self, &Outcome, Moment)) -> Result<(), Stopped> {
        let mut rounds: BTreeMap<Todo, u8> = BTreeMap::new();
        loop {
            let is_due = |(todo, at): &(&Todo, &Option<_>)| {
                at.is_none_or(|at| at <= self.now)
                    && rounds.get(todo).is_none_or(|count| *count < TODO_ROUNDS_MAX)
            };
            let due = self.state.todo.iter().filter(is_due).map(|(todo, _)| *todo);
            let due: Vec<Todo> = due.take(self.part_objects).collect();
            if due.is_empty() {
                return Ok(());
            }
            let mut seeds = (Vec::new(), Vec::new());
            for todo in &due {
                match todo {
                    Todo::Space(id) => seeds.0.push(*id),
                    Todo::Mesh(id) => seeds.1.push(*id),
                }
            }
            if self.is_stopped() {
                return Err(Stopped);
            }
            for todo in due {
                self.state.todo.remove(&todo);
                *rounds.entry(todo).or_insert(0) += 1;
            }
            self.part(&seeds, told)?;
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
