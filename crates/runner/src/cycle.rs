//! A whole cycle: import, sync, export to all targets, confirming imports, until nothing is left to do.

use identitymesh_model::Name;
use identitymesh_store::RunState;
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

impl CycleReport {
    /// Whether nothing was done and nothing went wrong. What still waits in a hold was said when it was held.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let is_quiet = |run: &RunReport| {
            run.counters.is_empty() && (run.message.is_none() || run.state == RunState::Held)
        };
        self.failed.is_empty() && self.runs.iter().all(is_quiet)
    }
}

/// Which targets are read after something was exported to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirm {
    /// All.
    Everywhere,
    /// Those that can say what changed.
    WhereCheap,
}

/// Rounds of sync and export.
pub(crate) struct Rounds {
    pub(crate) confirm: Confirm,
    /// A system whose changes come by themselves needs no confirming import.
    pub(crate) followed: Option<Name>,
}

/// Imports from `sources`, then syncs what is new in them and what other imports left to do, and exports until quiet.
///
/// # Errors
/// When the store or a source fails, or the cycle is cancelled. A target that fails does not stop the others.
pub async fn cycle(mesh: &Mesh, sources: &[Name], kind: ImportKind) -> Result<CycleReport, RunError> {
    let mut report = CycleReport::default();
    report.runs.extend(catch_up(mesh).await?);
    for source in sources {
        report.runs.push(import(mesh, *source, kind).await?);
    }
    let rounds = Rounds { confirm: Confirm::Everywhere, followed: None };
    rounds.run(mesh, [sources, &left_over(mesh, sources)?].concat(), &mut report).await?;
    Ok(report)
}

/// Other systems that were imported and not synced since.
pub(crate) fn left_over(mesh: &Mesh, sources: &[Name]) -> Result<Vec<Name>, RunError> {
    let in_force = mesh.in_force()?;
    let mut reader = mesh.store.read()?;
    let mut names = Vec::new();
    for head in in_force.configuration.connectors.iter().map(|known| &known.connector) {
        if !head.enabled || sources.contains(&head.name) {
            continue;
        }
        let id = in_force.id(head.name)?;
        let cursor = reader.cursor(id)?;
        if !reader.pending(id, cursor, 1, None)?.is_empty() {
            names.push(head.name);
        }
    }
    Ok(names)
}

impl Rounds {
    /// Syncs what is pending of `touched` and exports, until nothing is left to do.
    pub(crate) async fn run(
        &self,
        mesh: &Mesh,
        mut touched: Vec<Name>,
        report: &mut CycleReport,
    ) -> Result<(), RunError> {
        for _ in 0..ROUNDS_MAX {
            for name in std::mem::take(&mut touched) {
                report.runs.push(sync(mesh, SyncScope::Pending(name)).await?);
            }
            for target in mesh.in_force()?.targets() {
                if report.failed.iter().any(|(failed, _)| *failed == target) {
                    continue;
                }
                match self.write(mesh, target, report).await {
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
        Ok(())
    }

    /// Exports to a target and confirms what was exported; says whether anything was.
    async fn write(&self, mesh: &Mesh, target: Name, report: &mut CycleReport) -> Result<bool, RunError> {
        let exported = export(mesh, target).await?;
        // What is held was not sent: there is nothing to confirm.
        let did = exported.counters.keys().any(|name| !matches!(name.as_str(), "held" | "rejected"));
        report.runs.push(exported);
        if did && self.confirms(mesh, target)? {
            report.runs.push(import(mesh, target, ImportKind::Confirming).await?);
        }
        Ok(did)
    }

    fn confirms(&self, mesh: &Mesh, target: Name) -> Result<bool, RunError> {
        if self.followed == Some(target) {
            return Ok(false);
        }
        if self.confirm == Confirm::Everywhere {
            return Ok(true);
        }
        let (in_force, id) = mesh.runnable(target)?;
        let kind = mesh.registry.get(&in_force.connector(target)?.connector.kind);
        let can_delta = kind.is_some_and(|kind| kind.descriptor().capabilities.delta_import);
        Ok(can_delta && mesh.store.read()?.watermark(id)?.is_some())
    }
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
