//! `--at`: mesh objects, the whole mesh and management-space objects as they were at a moment.

use identitymesh_model::{MeshId, MeshState, Name, SpaceRecord, Timestamp};
use identitymesh_runner::InForce;
use identitymesh_store::Reader;
use identitymesh_store::past::{Cut, PastMesh, linked_at, mesh_at, space_at};
use serde_json::{Value as Json, json};

use super::Shell;
use super::lookup::{connector_id, mesh_ever, shown, spaces_ever};
use super::mesh::state;
use crate::output::table;

/// How many mesh objects are walked back at once.
const OBJECTS_READ: usize = 1_000;

fn links(in_force: &InForce, linked: &[SpaceRecord]) -> Vec<Json> {
    let link = |space: &SpaceRecord| {
        json!({ "connector": in_force.name_of(space.connector), "type": space.object_type,
            "external_id": space.external_id, "deleted": space.deleted,
            "mode": space.link.map(|link| link.mode),
            "rule": space.link.map(|link| in_force.rules.rule_name(link.rule)), "attributes": space.doc })
    };
    linked.iter().map(link).collect()
}

fn data(in_force: &InForce, at: Timestamp, mesh: &PastMesh, linked: &[SpaceRecord]) -> Json {
    let rules: serde_json::Map<String, Json> = mesh
        .doc
        .iter()
        .zip(&mesh.rules)
        .map(|((name, _), rules)| {
            let names: Vec<String> = rules.iter().map(|rule| in_force.rules.rule_name(*rule)).collect();
            (name.to_string(), json!(names))
        })
        .collect();
    json!({ "at": at, "type": mesh.mesh_type, "anchor": mesh.anchor, "uid": mesh.uid, "version": mesh.version,
        "state": mesh.state, "attributes": mesh.doc, "rules": rules, "links": links(in_force, linked) })
}

/// One mesh object with what was linked to it.
pub(super) fn mesh(shell: &Shell, called: &str, at: Timestamp) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let mut reader = opened.mesh.store.read()?;
    let mut found = None;
    for id in mesh_ever(reader.as_mut(), called)? {
        found = found.or(mesh_at(reader.as_mut(), id, Cut::At(at))?);
    }
    let Some(past) = found else {
        anyhow::bail!(
            "{called} was not in the mesh at {at}; `identitymesh mesh history {called}` says when it was"
        );
    };
    let linked = linked_at(reader.as_mut(), past.id, Cut::At(at))?;
    shell.output.answer(&data(&in_force, at, &past, &linked), || {
        let mut out =
            format!("{} {} ({}), {}, as at {at}", past.mesh_type, past.anchor, past.uid, state(past.state));
        let rows: Vec<Vec<String>> = past
            .doc
            .iter()
            .zip(&past.rules)
            .map(|((name, values), rules)| {
                let rules: Vec<String> = rules.iter().map(|rule| in_force.rules.rule_name(*rule)).collect();
                vec![format!("  {name}"), shown(values), rules.join(", ")]
            })
            .collect();
        out.push('\n');
        out.push_str(&table(&["  attribute", "value", "rule"], &rows));
        out.push_str("\nlinks:");
        for space in &linked {
            let rule = space.link.map_or_else(String::new, |link| in_force.rules.rule_name(link.rule));
            out.push_str(&format!(
                "\n  {} {} {} by {rule}",
                in_force.name_of(space.connector),
                space.object_type,
                space.external_id
            ));
        }
        out
    })
}

/// The whole mesh, one object as JSON to a line, those that are gone since at the end.
pub(super) fn whole_mesh(shell: &Shell, mesh_type: Option<Name>, at: Timestamp) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let mut after = MeshId(0);
    loop {
        // A reader of its own for each part, so that a long listing holds nothing back.
        let mut reader = opened.mesh.store.read()?;
        let ids = reader.mesh_after(after, OBJECTS_READ)?;
        let Some(last) = ids.last() else { break };
        after = *last;
        for id in ids {
            line(shell, &in_force, reader.as_mut(), id, mesh_type, at)?;
        }
    }
    let mut seq = 0;
    loop {
        let mut reader = opened.mesh.store.read()?;
        let rows = reader.purges(seq, OBJECTS_READ)?;
        let Some(last) = rows.last() else { return Ok(()) };
        seq = last.seq;
        for row in rows.iter().filter(|row| row.at > at) {
            line(shell, &in_force, reader.as_mut(), row.mesh, mesh_type, at)?;
        }
    }
}

fn line(
    shell: &Shell,
    in_force: &InForce,
    reader: &mut dyn Reader,
    id: MeshId,
    mesh_type: Option<Name>,
    at: Timestamp,
) -> anyhow::Result<()> {
    let Some(past) = mesh_at(reader, id, Cut::At(at))? else { return Ok(()) };
    if mesh_type.is_some_and(|wanted| wanted != past.mesh_type) {
        return Ok(());
    }
    debug_assert!(!matches!(past.state, MeshState::Deleted { since } if since > at), "{past:?}");
    let linked = linked_at(reader, id, Cut::At(at))?;
    shell.output.line(&data(in_force, at, &past, &linked).to_string())
}

/// Management-space objects with this external id.
pub(super) fn space(shell: &Shell, connector: &str, external_id: &str, at: Timestamp) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let (name, connector) = connector_id(&in_force, connector)?;
    let mut reader = opened.mesh.store.read()?;
    let mut answers = Vec::new();
    let mut texts = Vec::new();
    for id in spaces_ever(reader.as_mut(), connector, external_id)? {
        let Some(record) = space_at(reader.as_mut(), id, Cut::At(at))? else { continue };
        let mesh = match record.link {
            Some(link) => mesh_at(reader.as_mut(), link.mesh, Cut::At(at))?,
            None => None,
        };
        answers.push(json!({ "at": at, "connector": name, "type": record.object_type,
            "external_id": record.external_id, "deleted": record.deleted, "attributes": record.doc,
            "exported": record.exported.to_vec(),
            "link": mesh.as_ref().map(|mesh| json!({ "mesh_type": mesh.mesh_type, "anchor": mesh.anchor, "uid": mesh.uid })) }));
        let gone = if record.deleted { ", gone" } else { "" };
        let linked = mesh.map_or_else(
            || "no mesh object".to_owned(),
            |mesh| format!("linked to {} {}", mesh.mesh_type, mesh.anchor),
        );
        let rows: Vec<Vec<String>> =
            record.doc.iter().map(|(name, values)| vec![format!("  {name}"), shown(values)]).collect();
        texts.push(format!(
            "{name} {} {}{gone}, as at {at}\n{linked}\n{}",
            record.object_type,
            record.external_id,
            table(&["  attribute", "value"], &rows)
        ));
    }
    anyhow::ensure!(
        !answers.is_empty(),
        "{name} had no object {external_id:?} at {at}; `identitymesh space history {name} {external_id}` says what is known"
    );
    shell.output.answer(&answers, || texts.join("\n\n"))
}
