//! What an act did, counted from its runs in the store, so that an act in two pieces counts as one.

use std::collections::BTreeMap;

use identitymesh_model::RunId;
use identitymesh_model::plan::Operation;
use identitymesh_runner::InForce;
use identitymesh_store::Store;
use serde::{Deserialize, Serialize};

/// Runs read at once.
const RUNS_READ: usize = 200;

/// What an act did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Summary {
    /// People in the HR file.
    pub(super) people: u64,
    /// Mesh objects by type.
    pub(super) mesh_objects: BTreeMap<String, u64>,
    /// What was written, by target and operation.
    pub(super) exports: BTreeMap<String, BTreeMap<String, u64>>,
    /// Findings of all runs.
    pub(super) findings: u64,
}

impl Summary {
    /// Of all runs after `since`.
    pub(super) fn of(
        store: &dyn Store,
        in_force: &InForce,
        since: RunId,
        people: u64,
    ) -> anyhow::Result<Self> {
        let mut reader = store.read()?;
        let totals = reader.totals()?;
        let mut summary = Self {
            people,
            mesh_objects: totals.mesh.iter().map(|(name, count)| (name.to_string(), *count)).collect(),
            ..Self::default()
        };
        for target in in_force.targets() {
            let zero = Operation::ALL.iter().map(|operation| (operation.to_string(), 0)).collect();
            summary.exports.insert(target.to_string(), zero);
        }
        let mut before = None;
        loop {
            let runs = reader.run_list(before, RUNS_READ)?;
            for run in runs.iter().filter(|run| run.id > since) {
                summary.findings += run.counters.get("findings").copied().unwrap_or(0);
                let Some(connector) = run.connector.filter(|_| run.step == "export") else { continue };
                let counts = summary.exports.entry(in_force.name_of(connector)).or_default();
                for operation in Operation::ALL {
                    let count = run.counters.get(operation.as_str()).copied().unwrap_or(0);
                    *counts.entry(operation.to_string()).or_insert(0) += count;
                }
            }
            match runs.last() {
                Some(last) if last.id > since => before = Some(last.id),
                _ => return Ok(summary),
            }
        }
    }

    /// How much was written in all.
    pub(super) fn written(&self) -> u64 {
        self.exports.values().flat_map(BTreeMap::values).sum()
    }
}
