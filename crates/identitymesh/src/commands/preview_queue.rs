//! The queue as a previewed export would find it: each change in full, and whether it would be sent or held.

use identitymesh_model::ItemId;
use identitymesh_model::plan::ItemAction;
use identitymesh_runner::InForce;
use identitymesh_store::{ItemFilter, ItemRow, ItemState, Reader};
use serde_json::Value as Json;

use super::exports::data;
use super::lookup::connector_id;
use super::undo::changes;

/// Items that are read at once.
const ITEMS_READ: usize = 1_000;
/// Items that are spelled out where not all are asked for; the flows count all.
const ITEMS_SHOWN: usize = 200;

/// The queue of one target.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) items: Vec<Json>,
    pub(super) text: String,
}

/// Reads the queue of a copy in which the guard has judged it.
pub(super) fn queue(
    reader: &mut dyn Reader,
    in_force: &InForce,
    target: &str,
    is_whole: bool,
) -> anyhow::Result<Queue> {
    let (_, connector) = connector_id(in_force, target)?;
    let filter = ItemFilter { connector: Some(connector), state: None, mesh: None };
    let mut queue = Queue::default();
    let mut after: Option<ItemId> = None;
    loop {
        let page = reader.item_list(&filter, after, ITEMS_READ)?;
        let ids: Vec<_> = page.items.iter().map(|item| item.mesh).collect();
        for (item, view) in page.items.iter().zip(reader.views(&ids)?) {
            if !is_whole && queue.items.len() >= ITEMS_SHOWN {
                queue.text.push_str("… and more; --all spells out every one\n");
                return Ok(queue);
            }
            let anchor = view.map_or_else(String::new, |view| view.record.anchor.to_string());
            queue.items.push(data(item, target, &anchor));
            queue.text.push_str(&line(item, target, &anchor));
        }
        after = page.next;
        if after.is_none() {
            return Ok(queue);
        }
    }
}

fn line(item: &ItemRow, target: &str, anchor: &str) -> String {
    let fate = match item.state {
        ItemState::Held if item.rejected => "rejected".to_owned(),
        ItemState::Held => "held".to_owned(),
        ItemState::Pending => "sent".to_owned(),
        other => other.as_str().to_owned(),
    };
    let changes = match &item.action {
        ItemAction::Delete { .. } => String::new(),
        action => changes(action),
    };
    format!("{} {anchor} in {target}{changes}; {fate}; {}\n", item.operation, item.reason)
}
