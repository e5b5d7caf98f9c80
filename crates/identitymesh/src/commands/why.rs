//! `mesh why`: why a value is as it is, and what lost against it.

use anyhow::Context as _;
use identitymesh_engine::explain::{Contribution, explain};
use identitymesh_model::Name;
use serde_json::{Value as Json, json};

use super::Shell;
use super::lookup::{mesh_object, shown};
use crate::output::table;

pub(super) fn run(shell: &Shell, called: &str, attribute: Option<&str>) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let mut reader = opened.mesh.store.read()?;
    let view = mesh_object(reader.as_mut(), called)?;
    let wanted = attribute.map(Name::new).transpose()?;
    if let Some(name) = wanted {
        let mesh_type =
            in_force.rules.mesh_type(view.record.mesh_type).context("its type is not registered any more")?;
        anyhow::ensure!(
            mesh_type.schema.attribute(name).is_some(),
            "the type {} has no attribute {name}",
            view.record.mesh_type
        );
    }
    let mut contributions = explain(&in_force.rules, &view, opened.mesh.clock.now());
    contributions.retain(|contribution| wanted.is_none_or(|name| contribution.attribute == name));
    let mut runs = std::collections::BTreeMap::new();
    for contribution in &contributions {
        if let Some(id) = contribution.since {
            runs.insert(id, reader.run(id)?);
        }
    }
    let source = |contribution: &Contribution| match &contribution.space {
        Some((connector, external_id)) => format!("{}/{external_id}", in_force.name_of(*connector)),
        None => "computed".to_owned(),
    };
    let since = |contribution: &Contribution| {
        let run = contribution.since.and_then(|id| runs.get(&id).cloned().flatten());
        run.map_or_else(String::new, |run| format!("run {} ({})", run.id, run.started))
    };
    let data: Vec<Json> = contributions
        .iter()
        .map(|contribution| {
            json!({ "attribute": contribution.attribute, "value": contribution.values, "wins": contribution.wins,
                "source": source(contribution), "rule": contribution.rule, "confidence": contribution.confidence,
                "since_run": contribution.since, "why": contribution.verdict })
        })
        .collect();
    let answer =
        json!({ "type": view.record.mesh_type, "anchor": view.record.anchor, "contributions": data });
    shell.output.answer(&answer, || {
        let rows: Vec<Vec<String>> = contributions
            .iter()
            .map(|contribution| {
                vec![
                    contribution.attribute.to_string(),
                    if contribution.wins { "▸".to_owned() } else { String::new() },
                    contribution.values.as_ref().map_or_else(String::new, shown),
                    source(contribution),
                    contribution.confidence.to_string(),
                    contribution.rule.clone(),
                    contribution.verdict.clone(),
                    since(contribution),
                ]
            })
            .collect();
        let head = format!("{} {}", view.record.mesh_type, view.record.anchor);
        if rows.is_empty() {
            return format!("{head}: no rule contributes anything to this");
        }
        let columns = ["attribute", "", "value", "source", "confidence", "rule", "why", "since"];
        format!("{head}\n{}", table(&columns, &rows))
    })
}
