//! What was foreseen, held against what then happens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use identitymesh_engine::Outcome;
use identitymesh_model::plan::{Operation, Plan, PlanNames, write_plan};
use identitymesh_model::{ConnectorId, Name, RuleId, SpaceId};
use identitymesh_runner::{Foreseen, Mesh, Observer, PartSink, RunReport, SyncScope, export, sync};
use identitymesh_store::{HoldFilter, HoldRow, MeshFilter};

/// Texts of parts as they are made; new objects have no name yet.
#[derive(Clone, Default)]
pub(super) struct Parts {
    texts: Arc<Mutex<Vec<String>>>,
    known: Arc<HashMap<String, String>>,
}

impl PlanNames for Parts {
    fn connector(&self, id: ConnectorId) -> String {
        id.to_string()
    }
    fn rule(&self, id: RuleId) -> String {
        id.to_string()
    }
    fn space(&self, id: SpaceId) -> String {
        id.to_string()
    }
    fn mesh(&self, uid: &str) -> String {
        self.known.get(uid).cloned().unwrap_or_else(|| "new".to_owned())
    }
}

impl PartSink for Parts {
    fn part(&mut self, plan: &Plan) {
        let mut text = String::new();
        write_plan(plan, self, &mut text);
        self.texts.lock().unwrap().push(text);
    }
}

impl Observer for Parts {
    fn planned(&self, outcome: &Outcome) {
        self.clone().part(&outcome.plan);
    }
}

impl Parts {
    /// Of a mesh whose objects have their anchors as names.
    pub(super) fn of(mesh: &Mesh) -> Self {
        let rows = mesh.store.read().unwrap().mesh_list(&MeshFilter::default(), None, 20_000).unwrap();
        let known = rows.items.into_iter().map(|row| (row.uid.to_string(), row.anchor.to_string())).collect();
        Self { texts: Arc::default(), known: Arc::new(known) }
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.texts.lock().unwrap().clone()
    }
}

pub(super) fn open_holds(mesh: &Mesh) -> Vec<HoldRow> {
    mesh.store
        .read()
        .unwrap()
        .hold_list(
            &HoldFilter { standing: identitymesh_store::HoldStanding::Open, ..HoldFilter::default() },
            None,
            100,
        )
        .unwrap()
}

/// What holds of a hold whatever its number, run and time.
pub(super) fn held(holds: &[HoldRow]) -> Vec<(String, u64, u64, u64, u64)> {
    let of = |hold: &HoldRow| {
        (hold.class.as_str().to_owned(), hold.waiting, hold.size, hold.population, hold.allowed)
    };
    let mut held: Vec<_> = holds.iter().map(of).collect();
    held.sort();
    held
}

/// Syncs and exports to the target; demands the parts, counts, flows and holds that were foreseen.
pub(super) async fn then(mesh: &Mesh, scope: SyncScope, target: Name, foreseen: &Foreseen<Parts>) {
    done(mesh, target, foreseen, async |mesh: Mesh| sync(&mesh, scope).await.unwrap()).await;
}

/// Does it and exports to the target; demands the parts, counts, flows and holds that were foreseen.
pub(super) async fn done(
    mesh: &Mesh,
    target: Name,
    foreseen: &Foreseen<Parts>,
    act: impl AsyncFnOnce(Mesh) -> RunReport,
) {
    let watched = Parts::of(mesh);
    let mut seen = mesh.clone();
    seen.observer = Arc::new(watched.clone());
    let run = act(seen).await;
    assert_eq!(foreseen.sink.texts(), watched.texts());
    assert_eq!(foreseen.counts, run.counters);
    let queued: u64 =
        run.counters.iter().filter(|(name, _)| name.starts_with("queued_")).map(|(_, count)| count).sum();
    let to_targets = foreseen.groups.iter().filter(|group| group.connector.is_some());
    assert_eq!(to_targets.map(|group| group.count).sum::<u64>(), queued);
    exported(mesh, target, foreseen).await;
}

/// Exports to the target; demands the flows and holds that were foreseen.
pub(super) async fn exported<S>(mesh: &Mesh, target: Name, foreseen: &Foreseen<S>) -> RunReport {
    let run = export(mesh, target).await.unwrap();
    assert_eq!(held(&foreseen.holds), held(&open_holds(mesh)));
    // What the target has already, because it moved a reference along, what it refuses, such as taking a key away, and
    // what meets a conflict, because somebody removed the object, was sent all the same.
    let mut missing = run.count("already_so") + run.count("refused") + run.count("conflict");
    for operation in Operation::ALL {
        let flows = foreseen.flows.iter().filter(|flow| flow.operation == operation);
        let sent: u64 = flows.map(|flow| flow.sent).sum();
        let rest = sent.checked_sub(run.count(operation.as_str())).filter(|rest| *rest <= missing);
        missing -= rest.unwrap_or_else(|| panic!("{operation:?}: {sent} foreseen, {run:?}"));
    }
    assert_eq!(missing, 0, "{run:?}");
    run
}
