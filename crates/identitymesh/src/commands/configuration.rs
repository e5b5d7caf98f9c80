//! `plan`, `apply`, `export-config`: configuration as code.

use std::path::Path;

use anyhow::Context as _;
use identitymesh_config::{Difference, Loaded, check, difference, read_directory, to_files, write_files};
use identitymesh_model::rules::Configuration;
use identitymesh_runner::{RunError, apply_configuration, check_configuration};
use serde_json::{Value as Json, json};

use super::preview::{Ask, Preview, Shown, foresee};
use super::{Done, Shell};
use crate::open::{Opened, registry};

/// A directory whose files are all in order.
pub(super) fn load(directory: &Path) -> anyhow::Result<Loaded> {
    let mut loaded = read_directory(directory).map_err(|problems| refused(&problems))?;
    let registry = registry();
    let problems = check(&loaded, &registry);
    if !problems.is_empty() {
        return Err(refused(&problems));
    }
    for connector in &loaded.configuration.connectors {
        let head = &connector.connector;
        let warnings = registry.warnings(&head.kind, &head.settings, &loaded.bases[&head.name]);
        loaded.notes.extend(warnings.iter().map(|warning| format!("{}: {warning}", head.name)));
    }
    Ok(loaded)
}

fn refused(problems: &[identitymesh_config::ConfigProblem]) -> anyhow::Error {
    let lines: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    anyhow::anyhow!(
        "the configuration has {} problem(s), and nothing was changed:{}",
        problems.len(),
        lines.concat()
    )
}

/// What a directory would change: in the configuration, and for identities.
pub(super) fn plan(shell: &Shell, directory: &Path) -> anyhow::Result<Done> {
    let loaded = load(directory)?;
    check_configuration(&loaded.configuration, std::collections::BTreeMap::new(), &registry())
        .map_err(RunError::Rules)?;
    let (difference, preview) = match shell.read() {
        Ok(opened) => {
            let before = opened.mesh.in_force().map(|known| known.configuration.clone()).unwrap_or_default();
            let difference = difference(&before, &loaded.configuration);
            let preview = if difference.entries.is_empty() {
                None
            } else {
                Some(consequences(shell, &opened, &loaded)?)
            };
            (difference, preview)
        }
        // Without a data directory everything is new.
        Err(_) => (difference(&Configuration::default(), &loaded.configuration), None),
    };
    let data = json!({ "configuration": difference.entries, "identities": preview.as_ref().map(Preview::data), "notes": loaded.notes });
    shell.output.answer(&data, || text(&difference, preview.as_ref(), &loaded.notes))?;
    Ok(Done::Well)
}

/// What the new configuration would do to identities, tried on a copy.
fn consequences(shell: &Shell, opened: &Opened, loaded: &Loaded) -> anyhow::Result<Preview> {
    let ask = Ask { question: None, loaded: Some(loaded), shown: Shown::First, keep: None };
    foresee(shell, opened, ask)
}

fn text(difference: &Difference, preview: Option<&Preview>, notes: &[String]) -> String {
    let mut out = difference.to_string();
    for note in notes {
        out.push_str(&format!("\nnote: {note}"));
    }
    match preview {
        Some(preview) => out.push_str(&format!("\n\nwhat that does to identities:\n{}", preview.text())),
        None if difference.entries.is_empty() => {}
        None => out.push_str("\n\nthere is no mesh yet, so no identity changes before the first run"),
    }
    out
}

pub(super) fn apply(shell: &Shell, directory: &Path) -> anyhow::Result<Done> {
    let loaded = load(directory)?;
    let opened = shell.write()?;
    let before = opened.mesh.in_force().map(|known| known.configuration.clone()).unwrap_or_default();
    let changes = difference(&before, &loaded.configuration);
    let applied = shell.block_on(async {
        Ok(apply_configuration(&opened.mesh, loaded.configuration.clone(), loaded.bases.clone()).await?)
    })?;
    let unasked: Vec<Json> =
        applied.unasked.iter().map(|(name, why)| json!({ "connector": name, "reason": why })).collect();
    let data = json!({ "version": applied.version, "changed": applied.changed, "changes": changes.entries.len(), "unasked": unasked,
        "notes": loaded.notes });
    shell.output.answer(&data, || {
        let mut out = if applied.changed {
            format!("version {} is in force ({} changes)", applied.version, changes.entries.len())
        } else {
            format!("nothing changed; version {} stays in force", applied.version)
        };
        for (name, why) in &applied.unasked {
            out.push_str(&format!(
                "\nnote: {name} could not be asked for its schema, so its rules are checked without it, and nothing is \
                 written to a directory before `apply` could ask it once: {why}"
            ));
        }
        loaded.notes.iter().for_each(|note| out.push_str(&format!("\nnote: {note}")));
        out
    })?;
    Ok(Done::Well)
}

pub(super) fn export(shell: &Shell, directory: &Path) -> anyhow::Result<Done> {
    let opened = shell.read()?;
    let files = to_files(&opened.mesh.in_force()?.configuration)?;
    write_files(directory, &files)
        .with_context(|| format!("{} could not be written", directory.display()))?;
    let names: Vec<&String> = files.keys().collect();
    shell.output.answer(&json!({ "directory": directory, "files": names }), || {
        format!("{} files are in {}", files.len(), directory.display())
    })?;
    Ok(Done::Well)
}
