//! A whole cycle: import, sync, export to all targets, confirming imports, until nothing is left to do.

use identitymesh_model::Name;
use serde::Serialize;

use crate::import::ImportKind;
use crate::run::RunReport;
use crate::sync::SyncScope;
use crate::{Mesh, RunError, export, import, sync};

/// Most rounds of sync and export within one cycle; what is left then waits for the next.
const ROUNDS_MAX: usize = 6;

/// The runs of a cycle in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CycleReport {
    /// The runs.
    pub runs: Vec<RunReport>,
    /// Targets that could not be written to, and why; the cycle went on without them.
    pub failed: Vec<(Name, String)>,
}

/// Imports from `sources`, then syncs and exports until quiet.
///
/// # Errors
/// When the store or a source fails, or the cycle is cancelled. A target that fails does not stop the others.
pub async fn cycle(mesh: &Mesh, sources: &[Name], kind: ImportKind) -> Result<CycleReport, RunError> {
    let mut report = CycleReport::default();
    report.runs.extend(catch_up(mesh).await?);
    for source in sources {
        report.runs.push(import(mesh, *source, kind).await?);
    }
    let mut touched: Vec<Name> = sources.to_vec();
    for _ in 0..ROUNDS_MAX {
        for name in std::mem::take(&mut touched) {
            report.runs.push(sync(mesh, SyncScope::Pending(name)).await?);
        }
        for target in mesh.in_force()?.targets() {
            if report.failed.iter().any(|(failed, _)| *failed == target) {
                continue;
            }
            match write(mesh, target, &mut report).await {
                Ok(true) => touched.push(target),
                Ok(false) => {}
                Err(error) if error.is_cancelled() => return Err(error),
                Err(error) => report.failed.push((target, crate::force::in_full(&error))),
            }
        }
        if touched.is_empty() {
            break;
        }
    }
    Ok(report)
}

/// Looks at everything again when rules have changed since that was last done.
///
/// # Errors
/// As [`sync`].
pub async fn catch_up(mesh: &Mesh) -> Result<Option<RunReport>, RunError> {
    mesh.in_force()?;
    let is_due = mesh.store.read()?.configuration()?.is_some_and(|stored| stored.full_sync.is_none());
    if !is_due {
        return Ok(None);
    }
    let report = sync(mesh, SyncScope::Everything).await?;
    // Over an empty mesh there was nothing to see, and nothing to tell.
    Ok(Some(report).filter(|report| !report.counters.is_empty()))
}

/// Exports to a target and confirms what was exported; says whether anything was.
async fn write(mesh: &Mesh, target: Name, report: &mut CycleReport) -> Result<bool, RunError> {
    let exported = export(mesh, target).await?;
    // What is held was not sent: there is nothing to confirm.
    let did = exported.counters.keys().any(|name| !matches!(name.as_str(), "held" | "rejected"));
    report.runs.push(exported);
    if did {
        report.runs.push(import(mesh, target, ImportKind::Confirming).await?);
    }
    Ok(did)
}
