//! `joins measure`: precision and recall of a rule on labelled pairs, before it links anybody.

use std::path::Path;

use anyhow::{Context as _, bail};
use identitymesh_engine::joins::{
    Labelled, Measured, PairOutcome, PairScore, join_rules, measure as measured,
};
use identitymesh_model::{ConnectorId, Name};
use identitymesh_store::Reader;
use serde_json::{Value as Json, json};

use crate::commands::Shell;
use crate::commands::lookup::mesh_object;
use crate::output::{table, thousands};

/// Most pairs in one file.
const PAIRS_MAX: usize = 1_000_000;
/// Most wrong or missed pairs that are spelled out for people; JSON has all.
const PAIRS_SHOWN: usize = 50;
/// The steps of the table of thresholds.
const THRESHOLD_STEP: u8 = 5;
/// The lowest threshold in the table.
const THRESHOLD_SHOWN_MIN: u8 = 50;

/// A pair as written.
struct Row {
    source: String,
    mesh: String,
    same: bool,
}

pub(super) fn measure(shell: &Shell, rule: &str, file: &Path) -> anyhow::Result<()> {
    let rows = read(file)?;
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let known = join_rules(&in_force.rules);
    let called = |name: &str| name == rule || name.split_once(':').is_some_and(|(_, short)| short == rule);
    let found: Vec<&(String, ConnectorId, Name)> = known.iter().filter(|(name, ..)| called(name)).collect();
    let (name, connector, object_type) = match found.as_slice() {
        [one] => one,
        [] => {
            let names: Vec<&str> = known.iter().map(|(name, ..)| name.as_str()).collect();
            bail!("there is no join rule {rule:?}; there are {}", names.join(", "));
        }
        several => {
            let names: Vec<&str> = several.iter().map(|(name, ..)| name.as_str()).collect();
            bail!("{rule:?} means more than one join rule; use one of {}", names.join(", "));
        }
    };
    let mut reader = opened.mesh.store.read()?;
    let mut pairs = Vec::with_capacity(rows.len());
    for row in &rows {
        pairs.push(labelled(reader.as_mut(), row, *connector, *object_type)?);
    }
    let (scores, thresholds) = measured(&in_force.rules, name, &pairs, opened.mesh.clock.now())
        .context("the file holds no pair that the rule can be asked about")?;
    let (own, rest) = thresholds.split_first().context("a rule has a threshold")?;
    let told = |wanted: &dyn Fn(bool, PairOutcome) -> bool| -> Vec<(&Row, &PairScore)> {
        let pairs = rows.iter().zip(&scores);
        pairs.filter(|(row, score)| wanted(row.same, score.outcome)).collect()
    };
    let wrong = told(&|same, outcome| !same && outcome == PairOutcome::Linked);
    let missed = told(&|same, outcome| same && outcome != PairOutcome::Linked);
    let data = json!({ "rule": name, "pairs": rows.len(), "at_threshold": figures(own),
        "thresholds": rest.iter().map(figures).collect::<Vec<_>>(),
        "false_positives": wrong.iter().map(pair_data).collect::<Vec<_>>(),
        "false_negatives": missed.iter().map(pair_data).collect::<Vec<_>>() });
    shell.output.answer(&data, || {
        let steps = rest
            .iter()
            .filter(|at| at.threshold >= THRESHOLD_SHOWN_MIN && at.threshold.is_multiple_of(THRESHOLD_STEP));
        let rows: Vec<Vec<String>> = std::iter::once(own).chain(steps).map(cells).collect();
        let head = ["threshold", "precision", "recall", "F1", "right", "wrong", "missed", "for a person"];
        let mut out = format!(
            "{name} on {} pairs; the first line is the rule's own threshold\n{}",
            thousands(pairs.len() as u64),
            table(&head, &rows)
        );
        out.push_str(&listed("linked, and not the same", &wrong));
        out.push_str(&listed("the same, and not linked", &missed));
        out
    })
}

fn read(file: &Path) -> anyhow::Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(file)
        .with_context(|| format!("{} could not be read", file.display()))?;
    let head = reader.headers()?.clone();
    let column = |name: &str| {
        let at = head.iter().position(|cell| cell.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name));
        at.with_context(|| {
            format!("{} needs a first line `source,mesh,same`; it has no {name}", file.display())
        })
    };
    let (source, mesh, same) = (column("source")?, column("mesh")?, column("same")?);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("{} is no CSV", file.display()))?;
        let line = record.position().map_or(0, csv::Position::line);
        anyhow::ensure!(rows.len() < PAIRS_MAX, "{} has more than {PAIRS_MAX} pairs", file.display());
        let cell = |at: usize| record.get(at).unwrap_or_default().to_owned();
        let same = match cell(same).to_ascii_lowercase().as_str() {
            "yes" | "true" | "1" => true,
            "no" | "false" | "0" => false,
            other => bail!("line {line}: `same` is yes or no, not {other:?}"),
        };
        rows.push(Row { source: cell(source), mesh: cell(mesh), same });
    }
    anyhow::ensure!(!rows.is_empty(), "{} has no pairs", file.display());
    Ok(rows)
}

fn labelled(
    reader: &mut dyn Reader,
    row: &Row,
    connector: ConnectorId,
    object_type: Name,
) -> anyhow::Result<Labelled> {
    let ids = reader.space_find(connector, &row.source)?;
    let found = reader.spaces(&ids)?.into_iter().flatten();
    let space = found.filter(|space| space.object_type == object_type).last();
    let space = space.with_context(|| {
        format!("there is no {object_type} with the external id {:?}; import first", row.source)
    })?;
    Ok(Labelled { space, mesh: mesh_object(reader, &row.mesh)?.record, same: row.same })
}

fn share(thousandths: Option<u64>) -> Option<f64> {
    thousandths.map(|share| share as f64 / 1_000.0)
}

fn figures(at: &Measured) -> Json {
    json!({ "threshold": at.threshold, "precision": share(at.precision()), "recall": share(at.recall()),
        "f1": share(at.f1()), "true_positives": at.right, "false_positives": at.wrong,
        "false_negatives": at.missed, "conflicts": at.conflicts })
}

fn cells(at: &Measured) -> Vec<String> {
    let share = |of: Option<u64>| share(of).map_or_else(|| "–".to_owned(), |share| format!("{share:.3}"));
    vec![
        at.threshold.to_string(),
        share(at.precision()),
        share(at.recall()),
        share(at.f1()),
        at.right.to_string(),
        at.wrong.to_string(),
        at.missed.to_string(),
        at.conflicts.to_string(),
    ]
}

fn pair_data((row, score): &(&Row, &PairScore)) -> Json {
    json!({ "source": row.source, "mesh": row.mesh, "score": score.score,
        "conflict": score.outcome == PairOutcome::Conflict })
}

fn listed(head: &str, pairs: &[(&Row, &PairScore)]) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .take(PAIRS_SHOWN)
        .map(|(row, score)| {
            let why = match (score.score, score.outcome) {
                (None, _) => "no block in common".to_owned(),
                (Some(score), PairOutcome::Conflict) => format!("{score}, and another is about as alike"),
                (Some(score), _) => score.to_string(),
            };
            vec![row.source.clone(), row.mesh.clone(), why]
        })
        .collect();
    let mut out = format!("\n\n{head}:\n{}", table(&["source", "mesh", "score"], &rows));
    if pairs.len() > PAIRS_SHOWN {
        out.push_str(&format!("\n… and {} more; --json has all", pairs.len() - PAIRS_SHOWN));
    }
    out
}
