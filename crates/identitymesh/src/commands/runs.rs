//! `runs`: what ran, how it ended, what it found.

use anyhow::Context as _;
use identitymesh_model::RunId;
use identitymesh_store::{FindingRow, RunRow};
use serde::Serialize;

use super::lookup::connector_name;
use super::{Done, Shell};
use crate::arguments::RunsCommand;
use crate::output::{table, thousands};

/// Most findings that one answer shows.
const FINDINGS_SHOWN: usize = 1_000;

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    run: RunRow,
    findings: Vec<FindingRow>,
}

pub(super) fn run(shell: &Shell, command: RunsCommand) -> anyhow::Result<Done> {
    let opened = shell.read()?;
    let mut reader = opened.mesh.store.read()?;
    let configuration = reader.configuration()?;
    let name = |run: &RunRow| {
        run.connector.map_or_else(|| "all".to_owned(), |id| connector_name(configuration.as_ref(), id))
    };
    match command {
        RunsCommand::List { limit } => {
            let runs = reader.run_list(None, limit as usize)?;
            shell.output.answer(&runs, || {
                let rows: Vec<Vec<String>> = runs
                    .iter()
                    .map(|run| {
                        let findings = run.counters.get("findings").copied().unwrap_or(0);
                        vec![
                            run.id.to_string(),
                            name(run),
                            run.step.clone(),
                            run.state.as_str().to_owned(),
                            run.started.to_string(),
                            run.actor.clone(),
                            thousands(findings),
                        ]
                    })
                    .collect();
                table(&["run", "connector", "step", "state", "started", "actor", "findings"], &rows)
            })?;
        }
        RunsCommand::Show { run } => {
            let id = RunId(run);
            let run = reader
                .run(id)?
                .with_context(|| format!("there is no run {id}; see `identitymesh runs list`"))?;
            let findings = reader.findings(id, 0, FINDINGS_SHOWN)?;
            let shown = Shown { run, findings };
            shell.output.answer(&shown, || text(&shown, &name(&shown.run)))?;
        }
    }
    Ok(Done::Well)
}

fn text(shown: &Shown, connector: &str) -> String {
    let run = &shown.run;
    let mut out = format!(
        "run {}: {} on {connector}, {}\nstarted {} by {}, last heard of {}",
        run.id,
        run.step,
        run.state.as_str(),
        run.started,
        run.actor,
        run.updated
    );
    if let Some(source) = &run.source {
        out.push_str(&format!("\nread from {source}"));
    }
    for (name, count) in &run.counters {
        out.push_str(&format!("\n  {name:<16} {}", thousands(*count)));
    }
    if let Some(message) = &run.message {
        out.push_str(&format!("\n\n{message}"));
    }
    if !shown.findings.is_empty() {
        let rows: Vec<Vec<String>> = shown
            .findings
            .iter()
            .map(|row| {
                vec![
                    row.finding.code.to_string(),
                    row.finding.subject.clone().unwrap_or_default(),
                    row.finding.attribute.map_or_else(String::new, |name| name.to_string()),
                    row.finding.message.clone(),
                ]
            })
            .collect();
        out.push_str("\n\n");
        out.push_str(&table(&["code", "object", "attribute", "finding"], &rows));
    }
    out
}
