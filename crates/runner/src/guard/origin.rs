//! Where held changes come from: the run that planned or found them, the rules that were new to it, what was read before.

use std::collections::BTreeSet;

use identitymesh_engine::rules::changed_rules;
use identitymesh_model::RunId;
use identitymesh_store::{Reader, RunRow};

use crate::force::configuration_of;
use crate::run::Steps;
use crate::{InForce, RunError};

/// Earlier runs among which the last one of the same kind, and the imports since, are looked for.
const RUNS_READ: usize = 100;
/// Rules and files that are named; more are counted.
const NAMED_MAX: usize = 5;

/// One run, in words for a person who has to judge what came of it.
pub(super) struct Origin {
    /// Its number, what it was, and which rules were new to it.
    pub(super) run: String,
    /// What it, or the imports before it, read from. Empty where no connector says.
    pub(super) source: String,
}

impl Origin {
    /// Looks a run up.
    pub(super) fn of(reader: &mut dyn Reader, in_force: &InForce, id: RunId) -> Result<Self, RunError> {
        let Some(run) = reader.run(id)? else {
            return Ok(Self { run: format!("run {id}"), source: String::new() });
        };
        // What people decide does not come from what was read.
        if let (true, Some(message)) = (is_decision(&run.step), &run.message) {
            return Ok(Self { run: format!("run {id} ({message})"), source: String::new() });
        }
        let earlier = reader.run_list(Some(id), RUNS_READ)?;
        let is_same = |known: &&RunRow| (&known.step, known.connector) == (&run.step, run.connector);
        let same = earlier.iter().position(|known| is_same(&known));
        let of = run.connector.map_or_else(|| "all".to_owned(), |connector| in_force.name_of(connector));
        let news = match same.map(|at| earlier[at].configuration) {
            Some(before) if before < run.configuration => news(reader, before, run.configuration)?,
            _ => String::new(),
        };
        let words = format!("run {id} ({} of {of}{news})", run.step);
        let since = &earlier[..same.unwrap_or(earlier.len())];
        Ok(Self { run: words, source: sources(&run, since) })
    }
}

/// Whether a run carried out what somebody decided about joins; its message says what.
fn is_decision(step: &str) -> bool {
    [Steps::JoinDecision, Steps::JoinReevaluation].iter().any(|decision| decision.as_str() == step)
}

/// What the runs under a configuration have to do with that none before them had.
fn news(reader: &mut dyn Reader, before: i64, version: i64) -> Result<String, RunError> {
    let first = format!(", the first under configuration {version}");
    let (Some(old), Some(new)) = (configuration_of(reader, before)?, configuration_of(reader, version)?)
    else {
        return Ok(first);
    };
    let changed = changed_rules(&old, &new);
    Ok(if changed.is_empty() { first } else { format!("{first}, which changed {}", listed(&changed)) })
}

/// What a run read; for one that read nothing itself, what the imports since the last of its kind read.
fn sources(run: &RunRow, since: &[RunRow]) -> String {
    if let Some(source) = &run.source {
        return source.clone();
    }
    // A sync takes in what the imports of its connector brought, a full one those of all.
    let is_read = |known: &&RunRow| run.connector.is_none() || known.connector == run.connector;
    let files: BTreeSet<&String> =
        since.iter().filter(is_read).filter_map(|known| known.source.as_ref()).collect();
    listed(&files.into_iter().cloned().collect::<Vec<_>>())
}

fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED_MAX);
    let mut text = names[..names.len().min(NAMED_MAX)].join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
