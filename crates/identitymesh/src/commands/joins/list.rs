//! Lists: conflicts that wait for a person, and decisions.

use identitymesh_model::SpaceId;
use serde_json::{Value as Json, json};

use super::named::told;
use crate::arguments::PageArguments;
use crate::commands::Shell;
use crate::commands::lookup::connector_id;
use crate::output::table;

pub(super) fn conflicts(shell: &Shell, connector: Option<&str>, page: &PageArguments) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let connector = connector.map(|name| connector_id(&in_force, name)).transpose()?.map(|(_, id)| id);
    let mut reader = opened.mesh.store.read()?;
    let limit = page.limit as usize;
    let conflicts = reader.conflicts(connector, page.after.map(SpaceId), limit)?;
    let mut data: Vec<Json> = Vec::with_capacity(conflicts.len());
    let mut rows: Vec<Vec<String>> = Vec::with_capacity(conflicts.len());
    for row in &conflicts {
        let Some(note) = &row.note else { continue };
        let mut candidates = Vec::new();
        let mut names = Vec::new();
        for (at, view) in reader.views(&note.candidates)?.into_iter().enumerate() {
            let Some(view) = view else { continue };
            let score = note.scores.get(at);
            let record = &view.record;
            candidates.push(json!({ "type": record.mesh_type, "anchor": record.anchor, "uid": record.uid, "score": score }));
            let score = score.map_or_else(String::new, |score| format!(" at {score}"));
            names.push(format!("{} {}{score}", record.mesh_type, record.anchor));
        }
        let name = in_force.name_of(row.connector);
        data.push(json!({ "connector": name, "type": row.object_type, "external_id": row.external_id,
            "why": note.text, "candidates": candidates }));
        rows.push(vec![
            name,
            row.object_type.to_string(),
            row.external_id.to_string(),
            note.text.clone(),
            names.join(", "),
        ]);
    }
    let next = conflicts.last().filter(|_| conflicts.len() == limit).map(|row| row.id.0);
    shell.output.answer(&json!({ "items": data, "next": next }), || {
        if rows.is_empty() {
            return "no join waits for a person".to_owned();
        }
        let mut out = table(&["connector", "type", "external id", "why", "candidates"], &rows);
        if let Some(next) = next {
            out.push_str(&format!("\nmore: --after {next}"));
        }
        out
    })
}

pub(super) fn decisions(shell: &Shell, limit: usize) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let mut reader = opened.mesh.store.read()?;
    let decisions = reader.decision_list(None, limit)?;
    let mut data: Vec<Json> = Vec::with_capacity(decisions.len());
    let mut rows: Vec<Vec<String>> = Vec::with_capacity(decisions.len());
    for row in &decisions {
        let what = told(&in_force, reader.as_mut(), &row.decision);
        let mut json = serde_json::to_value(row)?;
        json["what"] = what.as_str().into();
        data.push(json);
        let back = match (row.reverts, row.reverted_by) {
            (_, Some(by)) => format!("taken back by {by}"),
            (Some(of), None) => format!("takes back {of}"),
            (None, None) => String::new(),
        };
        rows.push(vec![
            row.id.to_string(),
            row.at.to_string(),
            row.actor.clone(),
            row.decision.kind.as_str().to_owned(),
            what,
            row.reason.clone(),
            back,
        ]);
    }
    shell.output.answer(&json!({ "items": data }), || {
        if rows.is_empty() {
            return "nobody has decided about a join yet".to_owned();
        }
        table(&["decision", "at", "by", "kind", "what", "why", ""], &rows)
    })
}
