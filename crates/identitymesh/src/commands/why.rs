//! `why value`: why a value is as it is or was, and what lost against it.

use std::collections::BTreeMap;

use anyhow::Context as _;
use identitymesh_engine::explain::{Contribution, explain};
use identitymesh_model::{Name, RunId};
use identitymesh_runner::{Again, Agreement, InForce, Moment, again};
use identitymesh_store::{Reader, RunRow};
use serde_json::{Value as Json, json};

use super::Shell;
use super::lookup::{STALE, is_disabled, mesh_ever, mesh_object, shown};
use crate::arguments::WhyArguments;
use crate::output::table;

pub(super) fn run(shell: &Shell, arguments: &WhyArguments) -> anyhow::Result<()> {
    let wanted = arguments.attribute.as_deref().map(Name::new).transpose()?;
    match arguments.moment.moment() {
        Some(moment) => then(shell, &arguments.object, wanted, moment),
        None => now(shell, &arguments.object, wanted),
    }
}

fn now(shell: &Shell, called: &str, wanted: Option<Name>) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let mut reader = opened.mesh.store.read()?;
    let view = mesh_object(reader.as_mut(), called)?;
    if let Some(name) = wanted {
        let mesh_type =
            in_force.rules.mesh_type(view.record.mesh_type).context("its type is not registered any more")?;
        anyhow::ensure!(
            mesh_type.schema.attribute(name).is_some(),
            "the type {} has no attribute {name}",
            view.record.mesh_type
        );
    }
    let contributions = explain(&in_force.rules, &view, opened.mesh.clock.now());
    let told = Told::new(&in_force, reader.as_mut(), contributions, wanted)?;
    let answer =
        json!({ "type": view.record.mesh_type, "anchor": view.record.anchor, "contributions": told.data() });
    let head = format!("{} {}", view.record.mesh_type, view.record.anchor);
    shell.output.answer(&answer, || told.text(&head))
}

/// By the inputs and rules of an earlier moment.
fn then(shell: &Shell, called: &str, wanted: Option<Name>, moment: Moment) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let mut reader = opened.mesh.store.read()?;
    let mut found = None;
    for id in mesh_ever(reader.as_mut(), called)? {
        if found.is_none() {
            found = again(&opened.mesh, id, moment)?;
        }
    }
    let Some(again) = found else {
        anyhow::bail!("nothing changed {called} then; `identitymesh mesh history {called}` says what did");
    };
    let in_force = opened.mesh.in_force()?;
    let names = again.in_force.as_ref().unwrap_or(&in_force);
    let told = Told::new(names, reader.as_mut(), again.contributions.clone(), wanted)?;
    let answer = json!({ "row": again.row.seq, "at": again.row.at, "run": again.row.run,
        "configuration": { "version": again.version, "hash": again.configuration },
        "recorded": again.row.after, "agreement": again.agreement, "contributions": told.data() });
    shell.output.answer(&answer, || told.text(&head(called, &again)))
}

fn head(called: &str, again: &Again) -> String {
    format!(
        "{called} in run {} at {}, by version {} of the configuration; {}",
        again.row.run,
        again.row.at,
        again.version,
        agreed(&again.agreement)
    )
}

/// What the comparison with what was recorded says.
pub(super) fn agreed(agreement: &Agreement) -> String {
    match agreement {
        Agreement::Same => "made again from its inputs it is what was recorded, byte for byte".to_owned(),
        Agreement::Differs(why) => format!("made again it is not what was recorded: {why}"),
        Agreement::NotKept(why) => format!("it cannot be made again: {why}"),
    }
}

/// Contributions, with what is said beside them.
struct Told<'a> {
    in_force: &'a InForce,
    contributions: Vec<Contribution>,
    runs: BTreeMap<RunId, RunRow>,
}

impl<'a> Told<'a> {
    fn new(
        in_force: &'a InForce,
        reader: &mut dyn Reader,
        mut contributions: Vec<Contribution>,
        wanted: Option<Name>,
    ) -> anyhow::Result<Self> {
        contributions.retain(|contribution| wanted.is_none_or(|name| contribution.attribute == name));
        let mut runs = BTreeMap::new();
        for id in contributions.iter().filter_map(|contribution| contribution.since) {
            if let Some(run) = reader.run(id)? {
                runs.insert(id, run);
            }
        }
        Ok(Self { in_force, contributions, runs })
    }

    /// Whether the connector that it comes from is not run any more.
    fn is_stale(&self, contribution: &Contribution) -> bool {
        contribution.space.as_ref().is_some_and(|(connector, _)| is_disabled(self.in_force, *connector))
    }

    fn source_in_words(&self, contribution: &Contribution) -> String {
        let source = self.source(contribution);
        if self.is_stale(contribution) { format!("{source} ({STALE})") } else { source }
    }

    fn source(&self, contribution: &Contribution) -> String {
        match &contribution.space {
            Some((connector, external_id)) => format!("{}/{external_id}", self.in_force.name_of(*connector)),
            None => "computed".to_owned(),
        }
    }

    fn since(&self, contribution: &Contribution) -> String {
        let run = contribution.since.and_then(|id| self.runs.get(&id));
        run.map_or_else(String::new, |run| format!("run {} ({})", run.id, run.started))
    }

    fn data(&self) -> Vec<Json> {
        let one = |contribution: &Contribution| {
            json!({ "attribute": contribution.attribute, "value": contribution.values, "wins": contribution.wins,
                "source": self.source(contribution), "stale": self.is_stale(contribution), "rule": contribution.rule,
                "confidence": contribution.confidence, "priority": contribution.priority,
                "since_run": contribution.since, "why": contribution.verdict })
        };
        self.contributions.iter().map(one).collect()
    }

    fn text(&self, head: &str) -> String {
        let row = |contribution: &Contribution| {
            vec![
                contribution.attribute.to_string(),
                if contribution.wins { "▸".to_owned() } else { String::new() },
                contribution.values.as_ref().map_or_else(String::new, shown),
                self.source_in_words(contribution),
                contribution.confidence.to_string(),
                contribution.rule.clone(),
                contribution.verdict.clone(),
                self.since(contribution),
            ]
        };
        let rows: Vec<Vec<String>> = self.contributions.iter().map(row).collect();
        if rows.is_empty() {
            return format!("{head}: no rule contributes anything to this");
        }
        let columns = ["attribute", "", "value", "source", "confidence", "rule", "why", "since"];
        format!("{head}\n{}", table(&columns, &rows))
    }
}
