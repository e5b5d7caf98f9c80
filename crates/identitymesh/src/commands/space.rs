//! `space`: objects as connectors last saw them.

use anyhow::Context as _;
use identitymesh_model::SpaceId;
use identitymesh_store::{SpaceFilter, SpaceRow};
use serde_json::{Value as Json, json};

use super::lookup::{connector_id, connector_name, shown};
use super::{Done, Shell, as_of, history};
use crate::arguments::{PageArguments, SpaceCommand};
use crate::output::table;

pub(super) fn run(shell: &Shell, command: SpaceCommand) -> anyhow::Result<Done> {
    match command {
        SpaceCommand::List { connector, unjoined, unconfirmed, page } => {
            let linked = unjoined.then_some(false);
            let unconfirmed = unconfirmed.then_some(true);
            list(shell, connector, SpaceFilter { linked, unconfirmed, ..SpaceFilter::default() }, &page)?;
        }
        SpaceCommand::Show { connector, id, at: Some(at) } => as_of::space(shell, &connector, &id, at)?,
        SpaceCommand::Show { connector, id, at: None } => show(shell, &connector, &id)?,
        SpaceCommand::History { connector, id } => history::space(shell, &connector, &id)?,
    }
    Ok(Done::Well)
}

fn list(
    shell: &Shell,
    connector: Option<String>,
    filter: SpaceFilter,
    page: &PageArguments,
) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let mut reader = opened.mesh.store.read()?;
    let configuration = reader.configuration()?;
    let connector = connector.map(|name| connector_id(&in_force, &name)).transpose()?.map(|(_, id)| id);
    let filter = SpaceFilter { connector, ..filter };
    let list = reader.space_list(&filter, page.after.map(SpaceId), page.limit as usize)?;
    let name = |row: &SpaceRow| connector_name(configuration.as_ref(), row.connector);
    let items: Vec<Json> = list.items.iter().map(|row| data(row, &name(row))).collect();
    shell.output.answer(&json!({ "items": items, "next": list.next.map(|id| id.0) }), || {
        let rows: Vec<Vec<String>> = list
            .items
            .iter()
            .map(|row| vec![name(row), row.object_type.to_string(), row.external_id.to_string(), state(row)])
            .collect();
        let mut out = table(&["connector", "type", "external id", "state"], &rows);
        if let Some(next) = list.next {
            out.push_str(&format!("\nmore: --after {next}"));
        }
        out
    })
}

fn show(shell: &Shell, connector: &str, id: &str) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let mut reader = opened.mesh.store.read()?;
    let (name, connector) = connector_id(&in_force, connector)?;
    let ids = reader.space_find(connector, id)?;
    let records: Vec<_> = reader.spaces(&ids)?.into_iter().flatten().collect();
    if records.is_empty() {
        anyhow::bail!(
            "{name} has no object with the external id {id:?}; see `identitymesh space list --connector {name}`"
        );
    }
    let mut answers = Vec::new();
    let mut texts = Vec::new();
    for record in records {
        let mesh = match record.link {
            Some(link) => reader.views(&[link.mesh])?.pop().flatten().map(|view| (view.record, link)),
            None => None,
        };
        let link = mesh.as_ref().map(|(mesh, link)| {
            json!({ "mesh_type": mesh.mesh_type, "anchor": mesh.anchor, "uid": mesh.uid,
                    "mode": link.mode, "rule": in_force.rules.rule_name(link.rule) })
        });
        let doc = serde_json::to_value(&record.doc).context("a document is JSON")?;
        answers.push(
            json!({ "connector": name, "type": record.object_type, "external_id": record.external_id,
            "deleted": record.deleted, "unconfirmed": record.unconfirmed, "attributes": doc, "link": link,
            "exported": record.exported.to_vec() }),
        );
        let mut text = format!("{name} {} {}", record.object_type, record.external_id);
        match &mesh {
            Some((mesh, link)) => text.push_str(&format!(
                "\nlinked to {} {} by {}",
                mesh.mesh_type,
                mesh.anchor,
                in_force.rules.rule_name(link.rule)
            )),
            None => text.push_str("\nno mesh object"),
        }
        let rows: Vec<Vec<String>> =
            record.doc.iter().map(|(name, values)| vec![format!("  {name}"), shown(values)]).collect();
        text.push('\n');
        text.push_str(&table(&["  attribute", "value"], &rows));
        texts.push(text);
    }
    shell.output.answer(&answers, || texts.join("\n\n"))
}

fn data(row: &SpaceRow, connector: &str) -> Json {
    json!({ "connector": connector, "type": row.object_type, "external_id": row.external_id, "uid": row.uid,
        "linked": row.mesh.is_some(), "deleted": row.deleted, "unconfirmed": row.unconfirmed, "note": row.note })
}

fn state(row: &SpaceRow) -> String {
    let mut words = Vec::new();
    if row.deleted {
        words.push("gone".to_owned());
    }
    words.push(match (&row.note, row.mesh) {
        (_, Some(_)) => "linked".to_owned(),
        (Some(note), None) => note.text.clone(),
        (None, None) => "not synchronized yet".to_owned(),
    });
    if row.unconfirmed {
        words.push("unconfirmed".to_owned());
    }
    words.join(", ")
}
