//! `mesh`: unified records, what they hold and what became of them.

use identitymesh_model::{MeshId, MeshState, MeshView, Name};
use identitymesh_store::{ChangeRecord, MeshFilter};
use serde_json::{Value as Json, json};

use super::lookup::{connector_name, mesh_object, shown};
use super::{Done, Shell, why};
use crate::arguments::MeshCommand;
use crate::output::table;

/// Most changes that one answer shows.
const CHANGES_SHOWN: usize = 500;

pub(super) fn run(shell: &Shell, command: MeshCommand) -> anyhow::Result<Done> {
    match command {
        MeshCommand::List { mesh_type, contains, page } => {
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
        MeshCommand::Show { object } => show(shell, &object)?,
        MeshCommand::History { object } => history(shell, &object)?,
        MeshCommand::Why { object, attribute } => why::run(shell, &object, attribute.as_deref())?,
    }
    Ok(Done::Well)
}

fn state(state: MeshState) -> String {
    match state {
        MeshState::Active => "active".to_owned(),
        MeshState::Leaving { since } => format!("leaving since {since}"),
        MeshState::Deleted { since } => format!("deleted, left {since}"),
    }
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
    let data = json!({ "type": record.mesh_type, "anchor": record.anchor, "uid": record.uid, "version": record.version,
        "state": record.state, "attributes": record.doc, "links": links, "queue": queue, "leaving": leaves });
    shell.output.answer(&data, || {
        let mut out =
            format!("{} {} ({}), {}", record.mesh_type, record.anchor, record.uid, state(record.state));
        let rows: Vec<Vec<String>> =
            record.doc.iter().map(|(name, values)| vec![format!("  {name}"), shown(values)]).collect();
        out.push('\n');
        out.push_str(&table(&["  attribute", "value"], &rows));
        out.push_str("\nlinks:");
        for space in linked {
            let rule = space.link.map_or_else(String::new, |link| in_force.rules.rule_name(link.rule));
            out.push_str(&format!(
                "\n  {} {} {} by {rule}",
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

fn history(shell: &Shell, called: &str) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let mut reader = opened.mesh.store.read()?;
    let view = mesh_object(reader.as_mut(), called)?;
    let changes = reader.history(view.record.id, None, CHANGES_SHOWN)?;
    let configuration = reader.configuration()?;
    let name = |change: &ChangeRecord| {
        change.connector.map_or_else(|| "mesh".to_owned(), |id| connector_name(configuration.as_ref(), id))
    };
    let mut data = Vec::with_capacity(changes.len());
    for change in &changes {
        let before: Json =
            if change.before.is_empty() { Json::Null } else { serde_json::from_str(&change.before)? };
        data.push(json!({ "seq": change.seq, "at": change.at, "run": change.run, "actor": change.actor,
            "kind": change.kind.as_str(), "where": name(change), "before": before, "after": change.after }));
    }
    shell.output.answer(&data, || {
        let rows: Vec<Vec<String>> = changes
            .iter()
            .zip(&data)
            .map(|(change, data)| {
                vec![
                    change.seq.to_string(),
                    change.at.to_string(),
                    change.run.to_string(),
                    change.actor.clone(),
                    name(change),
                    change.kind.as_str().to_owned(),
                    was(&data["before"]),
                ]
            })
            .collect();
        table(&["row", "at", "run", "actor", "where", "change", "was before"], &rows)
    })
}

/// The values before a change, on one line; of sets what was added and taken out.
fn was(before: &Json) -> String {
    if before["op"] == "password" {
        return match before["file"].as_str() {
            Some(file) => format!("password set and delivered as {file}"),
            None => "password set by a person".to_owned(),
        };
    }
    let attributes = before["a"].as_object().into_iter().flatten().map(|(name, value)| match value {
        Json::Null => format!("{name} absent"),
        Json::String(text) => format!("{name} {text:?}"),
        other => format!("{name} {other}"),
    });
    let sets = before["v"].as_object().into_iter().flatten().map(|(name, change)| {
        let sides = ["+", "-"].into_iter().filter(|sign| !change[*sign].is_null());
        let sides: Vec<String> = sides.map(|sign| format!("{sign}{}", change[sign])).collect();
        format!("{name} {}", sides.join(" "))
    });
    attributes.chain(sets).collect::<Vec<_>>().join(", ")
}
