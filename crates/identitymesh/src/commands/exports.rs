//! `exports`: what waits to be sent, and sending again what was put aside.

use identitymesh_model::ItemId;
use identitymesh_model::plan::ItemAction;
use identitymesh_store::{Cause, ItemFilter, ItemRow, ItemState};
use serde_json::json;

use super::lookup::{connector_id, connector_name};
use super::{Done, Shell};
use crate::arguments::ExportsCommand;
use crate::output::{counted, table};

pub(super) fn run(shell: &Shell, command: ExportsCommand) -> anyhow::Result<Done> {
    match command {
        ExportsCommand::List { connector, dead, held, page } => {
            let opened = shell.read()?;
            let connector = match connector {
                Some(name) => Some(connector_id(opened.mesh.in_force()?.as_ref(), &name)?.1),
                None => None,
            };
            let mut reader = opened.mesh.store.read()?;
            let configuration = reader.configuration()?;
            let state = if held { Some(ItemState::Held) } else { dead.then_some(ItemState::Dead) };
            let filter = ItemFilter { connector, state, mesh: None };
            let list = reader.item_list(&filter, page.after.map(ItemId), page.limit as usize)?;
            let ids: Vec<_> = list.items.iter().map(|item| item.mesh).collect();
            let views = reader.views(&ids)?;
            let anchors: Vec<String> = views
                .iter()
                .map(|view| view.as_ref().map_or_else(String::new, |view| view.record.anchor.to_string()))
                .collect();
            let name = |item: &ItemRow| connector_name(configuration.as_ref(), item.connector);
            let data: Vec<_> = list
                .items
                .iter()
                .zip(&anchors)
                .map(|(item, anchor)| data(item, &name(item), anchor))
                .collect();
            let answer = json!({ "items": data, "next": list.next.map(|id| id.0) });
            shell.output.answer(&answer, || {
                if list.items.is_empty() {
                    return "nothing waits to be sent".to_owned();
                }
                let rows: Vec<Vec<String>> = list
                    .items
                    .iter()
                    .zip(&anchors)
                    .map(|(item, anchor)| row(item, name(item), anchor))
                    .collect();
                let mut out = table(
                    &["item", "target", "object", "operation", "state", "tries", "why", "answer"],
                    &rows,
                );
                if let Some(next) = list.next {
                    out.push_str(&format!("\nmore: --after {next}"));
                }
                out
            })?;
        }
        ExportsCommand::Retry { connector, items } => {
            let opened = shell.write()?;
            let connector = match connector {
                Some(name) => Some(connector_id(opened.mesh.in_force()?.as_ref(), &name)?.1),
                None => None,
            };
            let cause = Cause {
                run: identitymesh_model::RunId(0),
                actor: opened.mesh.actor.clone(),
                at: opened.mesh.clock.now(),
            };
            let items = items.into_iter().map(ItemId).collect();
            let count = opened.mesh.store.retry_items(cause, connector, items).wait()?;
            shell.output.answer(&json!({ "retried": count }), || {
                format!("{} will be sent at the next export", counted(count, "item", "items"))
            })?;
        }
    }
    Ok(Done::Well)
}

pub(super) fn data(item: &ItemRow, connector: &str, anchor: &str) -> serde_json::Value {
    json!({
        "id": item.id,
        "connector": connector,
        "object": anchor,
        "operation": item.operation,
        "state": item.state,
        "attempts": item.attempts,
        "not_before": item.not_before,
        "reason": item.reason,
        "answer": item.answer,
        "hold": item.hold,
        "rejected": item.rejected,
        "action": item.action,
    })
}

fn row(item: &ItemRow, connector: String, anchor: &str) -> Vec<String> {
    let what = match &item.action {
        ItemAction::Update { changes, .. } => {
            let names: Vec<&str> = changes.iter().map(|change| change.name.as_str()).collect();
            format!("{} {}", item.operation, names.join(","))
        }
        _ => item.operation.to_string(),
    };
    vec![
        item.id.to_string(),
        connector,
        anchor.to_owned(),
        what,
        match (item.state, item.hold) {
            (ItemState::Held, Some(hold)) if item.rejected => format!("rejected in hold {hold}"),
            (ItemState::Held, Some(hold)) => format!("held in hold {hold}"),
            (state, _) => state.as_str().to_owned(),
        },
        item.attempts.to_string(),
        item.reason.clone(),
        item.answer.clone().unwrap_or_default(),
    ]
}
