//! Previews of runs: what a run would import is staged in the copy, and the sync goes on from there.
//!
//! The connected system is read as the run would read it. Nothing is written to it, nor to the real store.

use identitymesh_model::Name;

use crate::cycle::left_over;
use crate::run::RunReport;
use crate::{ImportKind, Mesh, RunError, SyncScope, catch_up, import, sync};

/// A run as its profile says, up to what would be sent first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedRun {
    /// This import, and the sync of what it brings.
    Import(Name, ImportKind),
    /// The sync of what a connector's imports touched.
    Sync(Name),
    /// Everything, or all objects of one connector, looked at again.
    FullSync(Option<Name>),
    /// The queue of one target as it is.
    Export(Name),
    /// Imports from these, and syncs up to the first exports.
    Cycle(Vec<Name>),
}

/// What became of a run in the copy.
#[derive(Default)]
pub(super) struct Tried {
    pub(super) imports: Vec<RunReport>,
    pub(super) syncs: Vec<RunReport>,
}

pub(super) async fn carry_out(copy: &Mesh, run: PlannedRun) -> Result<Tried, RunError> {
    let mut tried = Tried::default();
    match run {
        PlannedRun::Export(_) => {}
        PlannedRun::FullSync(name) => {
            tried.syncs.push(sync(copy, name.map_or(SyncScope::Everything, SyncScope::All)).await?);
        }
        PlannedRun::Sync(name) => {
            tried.syncs.extend(catch_up(copy).await?);
            tried.syncs.push(sync(copy, SyncScope::Pending(name)).await?);
        }
        PlannedRun::Import(name, kind) => {
            tried.imports.push(import(copy, name, kind).await?);
            tried.syncs.extend(catch_up(copy).await?);
            tried.syncs.push(sync(copy, SyncScope::Pending(name)).await?);
        }
        PlannedRun::Cycle(sources) => {
            tried.syncs.extend(catch_up(copy).await?);
            for source in &sources {
                tried.imports.push(import(copy, *source, ImportKind::Delta).await?);
            }
            for name in [sources.as_slice(), &left_over(copy, &sources)?].concat() {
                tried.syncs.push(sync(copy, SyncScope::Pending(name)).await?);
            }
        }
    }
    Ok(tried)
}
