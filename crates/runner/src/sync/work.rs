//! The work of a sync, part by part.

use std::collections::HashMap;
use std::sync::Arc;

use identitymesh_engine::{PlanContext, Planner, Seeds, SetTrace};
use identitymesh_model::plan::Plan;
use identitymesh_model::{ConnectorId, MeshId, Name, SpaceId, SpaceRecord};
use identitymesh_store::{Cursor, Reader, StoreError, SyncBatch, Todo, TraceWrite};

use super::count::count;
use super::in_flight::{InFlight, PlanTouch};
use super::neighbours::{MeshIds, StoreNeighbours};
use super::rows::rows;
use crate::force::InForce;
use crate::run::{Run, RunReport, Steps};
use crate::{Mesh, RunError, Stage};

/// Objects in one part of a plan.
const PART_OBJECTS: usize = 5_000;
/// How often one entry of the to-do list may come back within one sync before it is left for the next.
const TODO_ROUNDS_MAX: u8 = 8;

/// What a sync looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncScope {
    /// What a connector's imports touched.
    Pending(Name),
    /// All objects of a connector.
    All(Name),
    /// Every mesh object, and every object without one: after rules changed.
    Everything,
}

/// Runs a sync to its end.
///
/// # Errors
/// When the store fails or the run is cancelled; what was planned and written before is kept.
pub async fn sync(mesh: &Mesh, scope: SyncScope) -> Result<RunReport, RunError> {
    let (in_force, connector) = match scope {
        SyncScope::Pending(name) | SyncScope::All(name) => {
            let (in_force, id) = mesh.runnable(name)?;
            (in_force, Some((name, id)))
        }
        SyncScope::Everything => (mesh.in_force()?, None),
    };
    let step = if matches!(scope, SyncScope::Pending(_)) { Steps::Sync } else { Steps::FullSync };
    let run = Run::begin(mesh, step, connector)?;
    carry_out(in_force, run, move |work| work.parts(scope, connector.map(|(_, id)| id))).await
}

/// Looks at these mesh objects alone, and at nothing that they wake.
///
/// # Errors
/// When the store fails or the run is cancelled; what was planned and written before is kept.
pub(crate) async fn sync_objects(mesh: &Mesh, ids: Vec<MeshId>) -> Result<RunReport, RunError> {
    let run = Run::begin(mesh, Steps::Sync, None)?;
    carry_out(mesh.in_force()?, run, move |work| work.objects(&ids)).await
}

async fn carry_out(
    in_force: Arc<InForce>,
    run: Run,
    parts: impl FnOnce(&mut Work<'_>) -> Result<(), RunError> + Send + 'static,
) -> Result<RunReport, RunError> {
    let work = move || {
        let mut work = Work::new(&in_force, run);
        // Whoever asks for single objects wants them looked at as a whole.
        work.narrows = work.run.step == Steps::Sync && work.run.connector.is_some();
        let result = work.run(parts);
        work.run.end(result)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| RunError::Worker)?
}

pub(super) struct Work<'a> {
    pub(super) in_force: &'a InForce,
    pub(super) planner: Planner<'a>,
    pub(super) in_flight: InFlight,
    pub(super) ids: MeshIds,
    pub(super) run: Run,
    done: u64,
    /// How many objects were pending at the beginning, where that is known.
    total: Option<u64>,
    /// Whether large sets of references may be looked at member by member; a full sync looks at everything.
    narrows: bool,
    /// Every mesh object is looked at, as after a change of rules.
    looks_at_all: bool,
}

impl<'a> Work<'a> {
    pub(super) fn new(in_force: &'a InForce, run: Run) -> Self {
        let planner =
            Planner::new(&in_force.rules).on_threads(run.mesh.threads).tracing_from(run.mesh.large_set);
        Self {
            in_force,
            planner,
            in_flight: InFlight::default(),
            ids: MeshIds::default(),
            run,
            done: 0,
            total: None,
            narrows: false,
            looks_at_all: false,
        }
    }

    fn run(&mut self, parts: impl FnOnce(&mut Self) -> Result<(), RunError>) -> Result<(), RunError> {
        let result = parts(self);
        // Parts on their way are waited for even when something failed, so that the run's end comes after them.
        let drained = self.in_flight.drain();
        let kept = drained.map_err(RunError::from).and_then(|_| self.keep_place());
        result.and(kept)
    }

    /// Writes the place that the last parts came to, where it had to wait for them.
    fn keep_place(&mut self) -> Result<(), RunError> {
        let Some(place) = self.in_flight.place() else { return Ok(()) };
        let batch = SyncBatch {
            cause: self.run.cause(),
            plan: Plan::default(),
            rows: Vec::new(),
            approvals: Vec::new(),
            cursor: Some(place),
            done: Vec::new(),
            traces: Vec::new(),
            findings: Vec::new(),
            counters: self.run.counters.clone(),
        };
        self.run.mesh.store.apply(batch).wait()?;
        Ok(())
    }

    fn parts(&mut self, scope: SyncScope, connector: Option<ConnectorId>) -> Result<(), RunError> {
        match (scope, connector) {
            (SyncScope::Pending(_), Some(connector)) => self.pending(connector)?,
            (SyncScope::All(_), Some(connector)) => {
                self.each_of(|reader, after| reader.spaces_after(connector, after, PART_OBJECTS))?;
            }
            _ => {
                self.looks_at_all = true;
                self.everything()?;
            }
        }
        self.todos()
    }

    fn objects(&mut self, ids: &[MeshId]) -> Result<(), RunError> {
        for part in ids.chunks(PART_OBJECTS) {
            self.part(Seeds { spaces: Vec::new(), mesh: part.to_vec() }, None, Vec::new())?;
        }
        Ok(())
    }

    fn pending(&mut self, connector: ConnectorId) -> Result<(), RunError> {
        let store = self.run.mesh.store.clone();
        let mut reader = store.read()?;
        let mut cursor = reader.cursor(connector)?;
        self.total = Some(reader.pending_count(connector, cursor)?);
        drop(reader);
        loop {
            let part = store.read()?.pending(connector, cursor, PART_OBJECTS, Some(self.in_force.version))?;
            let Some((last, _)) = part.last() else { return Ok(()) };
            cursor = *last;
            let spaces = part.into_iter().map(|(_, space)| space).collect();
            let seeds = Seeds { spaces, mesh: Vec::new() };
            self.part(seeds, Some((connector, cursor)), Vec::new())?;
        }
    }

    /// Looks at what is read, page by page; `read` gets the last object of the page before.
    fn each_of(
        &mut self,
        read: impl Fn(&mut dyn Reader, SpaceId) -> Result<Vec<SpaceRecord>, StoreError>,
    ) -> Result<(), RunError> {
        let store = self.run.mesh.store.clone();
        let mut after = SpaceId(0);
        loop {
            let spaces = read(store.read()?.as_mut(), after)?;
            let Some(last) = spaces.last() else { return Ok(()) };
            after = last.id;
            self.part(Seeds { spaces, mesh: Vec::new() }, None, Vec::new())?;
        }
    }

    fn everything(&mut self) -> Result<(), RunError> {
        let store = self.run.mesh.store.clone();
        let mut after = MeshId(0);
        loop {
            let part = store.read()?.mesh_after(after, PART_OBJECTS)?;
            let Some(last) = part.last() else { break };
            after = *last;
            self.part(Seeds { spaces: Vec::new(), mesh: part }, None, Vec::new())?;
        }
        for connector in self.in_force.rules.connectors() {
            self.in_flight.drain()?;
            self.each_of(|reader, after| reader.unlinked_after(connector.id, after, PART_OBJECTS))?;
        }
        Ok(())
    }

    /// Works off the to-do list until nothing is due. Entries of parts on their way only ever join the list behind what
    /// is read here or wait for the next round, so reading on needs no answer; ending does.
    pub(super) fn todos(&mut self) -> Result<(), RunError> {
        let store = self.run.mesh.store.clone();
        let mut rounds: HashMap<Todo, u8> = HashMap::new();
        let mut after = None;
        let mut found_any = false;
        self.in_flight.drain()?;
        loop {
            let part = store.read()?.todos(self.run.mesh.clock.now(), after, PART_OBJECTS)?;
            let Some(last) = part.last().copied() else {
                if !found_any {
                    return Ok(());
                }
                self.in_flight.drain()?;
                (after, found_any) = (None, false);
                continue;
            };
            after = Some(last);
            let due: Vec<Todo> = part
                .into_iter()
                .filter(|todo| {
                    let rounds = rounds.entry(*todo).or_insert(0);
                    *rounds = rounds.saturating_add(1);
                    *rounds <= TODO_ROUNDS_MAX
                })
                .collect();
            if due.is_empty() {
                continue;
            }
            found_any = true;
            let ids: Vec<SpaceId> = due.iter().filter_map(|todo| space_of(*todo)).collect();
            let mesh = due.iter().filter_map(|todo| mesh_of(*todo)).collect();
            let spaces = self.spaces(&ids)?;
            self.part(Seeds { spaces, mesh }, None, due)?;
        }
    }

    /// Single objects as they are once everything on its way is written.
    fn spaces(&mut self, ids: &[SpaceId]) -> Result<Vec<SpaceRecord>, RunError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        if self.in_flight.touches_spaces(ids) {
            self.in_flight.drain()?;
        }
        Ok(self.run.mesh.store.read()?.spaces(ids)?.into_iter().flatten().collect())
    }

    /// Plans one part and hands it to the store.
    fn part(
        &mut self,
        seeds: Seeds,
        cursor: Option<(ConnectorId, Cursor)>,
        done: Vec<Todo>,
    ) -> Result<(), RunError> {
        self.run.mesh.check_cancelled()?;
        self.done += (seeds.spaces.len() + seeds.mesh.len()) as u64;
        let cause = self.run.cause();
        let store = self.run.mesh.store.clone();
        let mut neighbours =
            StoreNeighbours::new(store.as_ref(), self.in_force, &mut self.in_flight, &mut self.ids);
        neighbours.narrows = self.narrows;
        neighbours.threads = self.run.mesh.threads;
        let ids = self.run.mesh.ids.clone();
        let context =
            PlanContext { now: cause.at, run: cause.run, ids: ids.as_ref(), reindex: self.looks_at_all };
        let outcome = self.planner.plan(seeds, &context, &mut neighbours)?;
        drop(neighbours);
        self.run.mesh.observer.planned(&outcome);
        count(&mut self.run, &outcome.plan);
        let findings = self.run.findings(outcome.findings);
        let touched = PlanTouch::of(&outcome.plan);
        let rows = rows(&outcome.plan, &cause);
        let counters = self.run.counters.clone();
        let (cursor, waits) = self.in_flight.places(cursor);
        let version = self.in_force.version;
        let traces = outcome.traces.into_iter().map(|trace| trace_write(trace, version)).collect();
        let approvals = Vec::new();
        let batch = SyncBatch {
            cause,
            plan: outcome.plan,
            rows,
            approvals,
            cursor,
            done,
            traces,
            findings,
            counters,
        };
        self.in_flight.push(store.apply(batch), touched, waits)?;
        // What is looked at again on the way was not counted at the beginning.
        let total = self.total.filter(|total| *total >= self.done);
        self.run.mesh.observer.progressed(Stage::Sync, self.done, total);
        Ok(())
    }
}

pub(super) const fn trace_write(trace: SetTrace, rules: i64) -> TraceWrite {
    let SetTrace { mesh, shape, upto } = trace;
    TraceWrite { mesh, rules, shape, upto }
}

const fn space_of(todo: Todo) -> Option<SpaceId> {
    match todo {
        Todo::Space(id) => Some(id),
        Todo::Mesh(_) => None,
    }
}

const fn mesh_of(todo: Todo) -> Option<MeshId> {
    match todo {
        Todo::Mesh(id) => Some(id),
        Todo::Space(_) => None,
    }
}
