//! The audit rows of a plan.

use identitymesh_model::plan::{MeshChange, Plan};
use identitymesh_store::Cause;
use identitymesh_store::audit::{ChangeKind, ChangeRow};

/// One row for each object of the plan whose mesh object changes, in the plan's order.
pub(crate) fn rows(plan: &Plan, cause: &Cause) -> Vec<ChangeRow> {
    plan.objects
        .iter()
        .filter_map(|object| {
            let (kind, before) = match object.change.as_ref()? {
                MeshChange::Create { .. } => (ChangeKind::Create, String::new()),
                MeshChange::Update { before, .. } => (ChangeKind::Update, before.to_text()),
                MeshChange::Purge { before, .. } => (ChangeKind::Purge, before.to_text()),
            };
            let hash = object.content_hash();
            Some(ChangeRow::new(
                object.id,
                object.uid,
                cause.run,
                cause.at,
                &cause.actor,
                kind,
                None,
                before,
                hash,
            ))
        })
        .collect()
}
