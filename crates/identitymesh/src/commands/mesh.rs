//! `mesh`: unified records, what they hold and what became of them.

use std::collections::BTreeMap;

use identitymesh_engine::explain::{Contribution, explain};
use identitymesh_model::{MeshId, MeshState, MeshView, Name, Timestamp, Values};
use identitymesh_runner::InForce;
use identitymesh_store::MeshFilter;
use serde_json::{Value as Json, json};

use super::lookup::{STALE, is_disabled, mesh_object, shown};
use super::{Done, Shell, as_of, history, why};
use crate::arguments::MeshCommand;
use crate::output::table;

pub(super) fn run(shell: &Shell, command: MeshCommand) -> anyhow::Result<Done> {
    match command {
        MeshCommand::List { mesh_type, contains: _, page: _, at: Some(at) } => {
            as_of::whole_mesh(shell, mesh_type.as_deref().map(Name::new).transpose()?, at)?;
        }
        MeshCommand::List { mesh_type, contains, page, at: None } => {
            let opened = shell.read()?;
            let filter = MeshFilter { mesh_type: mesh_type.as_deref().map(Name::new).transpose()?, contains };
            let list =
                opened.mesh.store.read()?.mesh_list(&filter, page.after.map(MeshId), page.limit as usize)?;
            let mut items = Vec::with_capacity(list.items.len());
            for row in &list.items {
                let doc: Json = serde_json::from_str(&row.doc)?;
                items.push(json!({ "type": row.mesh_type, "anchor": row.anchor, "uid": row.uid,
                    "state": row.state, "attributes": doc }));
            }
            shell.output.answer(&json!({ "items": items, "next": list.next.map(|id| id.0) }), || {
                let rows: Vec<Vec<String>> = list
                    .items
                    .iter()
                    .zip(&items)
                    .map(|(row, item)| {
                        let name = ["displayName", "name", "cn", "mail"]
                            .iter()
                            .find_map(|key| item["attributes"][*key].as_str())
                            .unwrap_or_default();
                        vec![
                            row.mesh_type.to_string(),
                            row.anchor.to_string(),
                            name.to_owned(),
                            state(row.state),
                        ]
                    })
                    .collect();
                let mut out = table(&["type", "anchor", "name", "state"], &rows);
                if let Some(next) = list.next {
                    out.push_str(&format!("\nmore: --after {next}"));
                }
                out
            })?;
        }
        MeshCommand::Show { object, at: Some(at) } => as_of::mesh(shell, &object, at)?,
        MeshCommand::Show { object, at: None } => show(shell, &object)?,
        MeshCommand::History { object, attribute } => history::mesh(shell, &object, attribute.as_deref())?,
        MeshCommand::Why(arguments) => why::run(shell, &arguments)?,
    }
    Ok(Done::Well)
}

/// A state for people.
pub(super) fn state(state: MeshState) -> String {
    match state {
        MeshState::Active => "active".to_owned(),
        MeshState::Leaving { since } => format!("leaving since {since}"),
        MeshState::Deleted { since } => format!("deleted, left {since}"),
    }
}

/// Attributes whose value comes from a connector that is disabled, and from which.
fn stale_values(in_force: &InForce, view: &MeshView, now: Timestamp) -> BTreeMap<Name, String> {
    let stale = |contribution: Contribution| {
        let (connector, _) = contribution.space.filter(|_| contribution.wins)?;
        is_disabled(in_force, connector).then(|| (contribution.attribute, in_force.name_of(connector)))
    };
    explain(&in_force.rules, view, now).into_iter().filter_map(stale).collect()
}

fn show(shell: &Shell, called: &str) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let view = mesh_object(opened.mesh.store.read()?.as_mut(), called)?;
    let MeshView { record, linked, items, leaving, .. } = &view;
    let links: Vec<Json> = linked
        .iter()
        .map(|space| {
            json!({ "connector": in_force.name_of(space.connector), "type": space.object_type,
                "external_id": space.external_id, "unconfirmed": space.unconfirmed,
                "stale": is_disabled(&in_force, space.connector),
                "mode": space.link.map(|link| link.mode),
                "rule": space.link.map(|link| in_force.rules.rule_name(link.rule)) })
        })
        .collect();
    let queue: Vec<Json> = items
        .iter()
        .map(|item| json!({ "connector": in_force.name_of(item.connector), "action": item.action, "dead": item.dead }))
        .collect();
    let leaves: Vec<Json> = leaving
        .iter()
        .map(|leave| json!({ "connector": in_force.name_of(leave.connector), "since": leave.since, "steps": leave.steps }))
        .collect();
    let stale = stale_values(&in_force, &view, opened.mesh.clock.now());
    let data = json!({ "type": record.mesh_type, "anchor": record.anchor, "uid": record.uid, "version": record.version,
        "state": record.state, "attributes": record.doc,
        "stale_attributes": stale, "links": links, "queue": queue, "leaving": leaves });
    let told = |name: Name, values: &Values| {
        let value = shown(values);
        stale.get(&name).map_or_else(|| value.clone(), |from| format!("{value} (stale: {from} is disabled)"))
    };
    shell.output.answer(&data, || {
        let mut out =
            format!("{} {} ({}), {}", record.mesh_type, record.anchor, record.uid, state(record.state));
        let rows: Vec<Vec<String>> =
            record.doc.iter().map(|(name, values)| vec![format!("  {name}"), told(name, values)]).collect();
        out.push('\n');
        out.push_str(&table(&["  attribute", "value"], &rows));
        out.push_str("\nlinks:");
        for space in linked {
            let rule = space.link.map_or_else(String::new, |link| in_force.rules.rule_name(link.rule));
            let stale =
                if is_disabled(&in_force, space.connector) { format!(" ({STALE})") } else { String::new() };
            out.push_str(&format!(
                "\n  {} {} {} by {rule}{stale}",
                in_force.name_of(space.connector),
                space.object_type,
                space.external_id
            ));
        }
        for item in items {
            let dead = if item.dead { " (put aside)" } else { "" };
            out.push_str(&format!("\nwaits to be sent to {}{dead}", in_force.name_of(item.connector)));
        }
        for leave in leaving {
            out.push_str(&format!("\nleaving {} since {}", in_force.name_of(leave.connector), leave.since));
        }
        out
    })
}
