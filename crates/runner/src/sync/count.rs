//! What a plan does, in the counts of its run.

use std::collections::HashMap;

use identitymesh_model::plan::{LinkChange, MeshChange, NoteKind, Operation, Plan};

use crate::run::Run;

/// Adds what a part of a plan does to the counts of its run.
pub(crate) fn count(run: &mut Run, plan: &Plan) {
    let mut counts: HashMap<&'static str, u64> = HashMap::new();
    let mut add = |name: &'static str| *counts.entry(name).or_insert(0) += 1;
    for object in &plan.objects {
        match &object.change {
            Some(MeshChange::Create { .. }) => add("mesh_created"),
            Some(MeshChange::Update { .. }) => add("mesh_updated"),
            Some(MeshChange::Purge { .. }) => add("mesh_deleted"),
            None => {}
        }
        for link in &object.links {
            match link {
                LinkChange::Add { .. } => add("linked"),
                LinkChange::Remove { .. } => add("unlinked"),
            }
        }
        for item in &object.items {
            add(queued(item.operation));
        }
        object.cancelled.iter().for_each(|_| add("cancelled"));
    }
    for note in plan.spaces.iter().filter_map(|space| space.note.as_ref()) {
        add(match note.kind {
            NoteKind::Unjoined => "unjoined",
            NoteKind::Conflict => "conflicts",
            NoteKind::OutOfScope => "out_of_scope",
            NoteKind::Failed => "failed",
        });
    }
    for (name, by) in counts {
        run.count(name, by);
    }
}

const fn queued(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "queued_create",
        Operation::Update => "queued_update",
        Operation::Move => "queued_move",
        Operation::Disable => "queued_disable",
        Operation::Enable => "queued_enable",
        Operation::Delete => "queued_delete",
    }
}
