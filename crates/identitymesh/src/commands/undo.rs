//! `undo`: what would lead back, and queueing it.

use identitymesh_model::plan::{Edit, ItemAction};
use identitymesh_model::{ContentHash, RunId};
use identitymesh_runner::{InForce, UndoForeseen, UndoPlan, UndoScope, plan_undo, preview_undo, undo};
use serde_json::{Value as Json, json};

use super::lookup::{mesh_object, shown};
use super::preview::{holds_data, summary};
use super::{Done, Shell};
use crate::arguments::{UndoArguments, UndoCommand};
use crate::open::{Opened, scratch};
use crate::output::counted;

/// Most entries that an answer for people spells out; all are counted.
const ENTRIES_SHOWN: usize = 200;

pub(super) fn run(shell: &Shell, command: UndoCommand) -> anyhow::Result<Done> {
    let arguments = command.arguments();
    let applies = arguments.apply && !arguments.preview;
    let opened = if applies { shell.write()? } else { shell.read()? };
    let scope = scope(&opened, &command)?;
    if applies {
        apply(shell, &opened, &scope, arguments)?;
    } else {
        preview(shell, &opened, &scope)?;
    }
    Ok(Done::Well)
}

fn scope(opened: &Opened, command: &UndoCommand) -> anyhow::Result<UndoScope> {
    Ok(match command {
        UndoCommand::Run { run, .. } => UndoScope::Run(RunId(*run)),
        UndoCommand::Object { object, to, .. } => {
            let view = mesh_object(opened.mesh.store.read()?.as_mut(), object)?;
            UndoScope::Object { mesh: view.record.id, to: *to }
        }
        UndoCommand::Changes { rows, .. } => UndoScope::Changes(rows.clone()),
    })
}

fn preview(shell: &Shell, opened: &Opened, scope: &UndoScope) -> anyhow::Result<()> {
    let in_force = opened.mesh.in_force()?;
    let scratch = scratch(opened, shell.cancel.clone())?;
    let UndoForeseen { plan, flows, holds } = preview_undo(&scratch.sandbox, scope)?;
    let hash = plan.content_hash();
    let entries: Vec<Json> = plan
        .entries
        .iter()
        .map(|entry| {
            json!({ "uid": entry.uid, "anchor": entry.anchor, "connector": in_force.name_of(entry.connector),
                "type": entry.object_type, "operation": entry.operation, "action": entry.action,
                "stays_undone": entry.next.map(|(operation, _)| operation) })
        })
        .collect();
    let stays: Vec<Json> = plan
        .stays
        .iter()
        .map(|stays| {
            json!({ "uid": stays.uid, "connector": in_force.name_of(stays.connector),
                "attribute": stays.attribute, "why": stays.why })
        })
        .collect();
    let data = json!({ "scope": plan.scope, "hash": hash, "entries": entries, "stays": stays, "flows": flows,
        "holds": holds_data(&holds, &in_force)? });
    shell.output.answer(&data, || text(&in_force, &plan, &summary(&data), hash))
}

fn text(in_force: &InForce, plan: &UndoPlan, summary: &str, hash: ContentHash) -> String {
    let mut out = String::new();
    for entry in plan.entries.iter().take(ENTRIES_SHOWN) {
        let target = in_force.name_of(entry.connector);
        out.push_str(&format!(
            "{} {} in {target}{}\n",
            entry.operation,
            entry.anchor,
            changes(&entry.action)
        ));
        if let Some((operation, _)) = entry.next {
            out.push_str(&format!(
                "  the rules would {operation} it again; that stays undone until it is another change\n"
            ));
        }
    }
    if plan.entries.len() > ENTRIES_SHOWN {
        let more = plan.entries.len() - ENTRIES_SHOWN;
        out.push_str(&format!("… and {}\n", counted(more as u64, "more change", "more changes")));
    }
    for stays in plan.stays.iter().take(ENTRIES_SHOWN) {
        let what = stays.attribute.map_or_else(|| "it".to_owned(), |name| name.to_string());
        let target = in_force.name_of(stays.connector);
        out.push_str(&format!("{} in {target}: {what} stays as it is, because {}\n", stays.uid, stays.why));
    }
    out.push_str(summary);
    let changes = counted(plan.entries.len() as u64, "change leads", "changes lead");
    out.push_str(&format!("{changes} back from {}, {} stay; plan {hash}", plan.scope, plan.stays.len()));
    out
}

/// What an action changes, in words that follow a name.
pub(super) fn changes(action: &ItemAction) -> String {
    match action {
        ItemAction::Create { attributes, .. } => {
            let values = attributes.iter().map(|(name, values)| format!("{name} {}", shown(values)));
            format!(": {}", values.collect::<Vec<_>>().join(", "))
        }
        ItemAction::Delete { .. } => String::new(),
        ItemAction::Update { address, changes, .. } => {
            let absent = || "(absent)".to_owned();
            let told = changes.iter().map(|change| match &change.edit {
                Edit::Replace { old, new } => format!(
                    "{} {} → {}",
                    change.name,
                    old.as_ref().map_or_else(absent, shown),
                    new.as_ref().map_or_else(absent, shown)
                ),
                Edit::Set { add, remove, .. } => {
                    let signed = |sign: char, list: &[identitymesh_model::Value]| {
                        list.iter().map(|value| format!("{sign}{value}")).collect::<Vec<_>>()
                    };
                    format!("{} {}", change.name, [signed('+', add), signed('-', remove)].concat().join(" "))
                }
            });
            let moved = address.as_ref().map(|address| format!("to {address}"));
            format!(": {}", told.chain(moved).collect::<Vec<_>>().join(", "))
        }
    }
}

fn apply(shell: &Shell, opened: &Opened, scope: &UndoScope, arguments: &UndoArguments) -> anyhow::Result<()> {
    let reason = arguments.reason.as_deref().unwrap_or_default();
    let expected = match &arguments.hash {
        Some(text) => {
            let plan = plan_undo(&opened.mesh, scope)?;
            anyhow::ensure!(
                plan.content_hash().to_string() == *text,
                "the plan is {} by now; look at it again: nothing was done",
                plan.content_hash()
            );
            Some(plan.content_hash())
        }
        None => None,
    };
    let report = undo(&opened.mesh, scope, expected, reason)?;
    shell.output.answer(&report, || {
        format!(
            "run {}: {} queued, {} left as they are, {} moved since\nthe next exports send them, after the guard has seen them",
            report.run,
            counted(report.count("queued"), "change is", "changes are"),
            report.count("stays"),
            report.count("moved")
        )
    })
}
