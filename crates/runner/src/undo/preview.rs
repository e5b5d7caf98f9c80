//! What an undo would do, and what the guard would hold of it, tried in a copy of the mesh.

use identitymesh_store::HoldRow;

use super::plan::{UndoPlan, plan_undo, undo};
use super::select::UndoScope;
use crate::guard::{Flow, foresee};
use crate::{RunError, Sandbox};

/// What an undo would do.
#[derive(Debug)]
pub struct UndoForeseen {
    /// What leads back, and what stays.
    pub plan: UndoPlan,
    /// What the next exports would do with the queues as they would be then.
    pub flows: Vec<Flow>,
    /// Every hold that would be open then, the newest first.
    pub holds: Vec<HoldRow>,
}

/// Says what an undo would do, by letting it be queued in the copy and the guard judge the queues there.
///
/// # Errors
/// When there is nothing that can be undone by this name, or the copy fails.
pub fn preview_undo(sandbox: &Sandbox, scope: &UndoScope) -> Result<UndoForeseen, RunError> {
    let plan = plan_undo(&sandbox.copy, scope)?;
    if !plan.entries.is_empty() {
        undo(&sandbox.copy, scope, Some(plan.content_hash()), "preview")?;
    }
    let (flows, holds) = foresee(&sandbox.copy)?;
    Ok(UndoForeseen { plan, flows, holds })
}
