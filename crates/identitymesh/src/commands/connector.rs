//! `connector`: what types there are, which are configured, whether they can be reached, what they hold.

use identitymesh_model::Name;
use serde_json::{Value as Json, json};

use super::{Done, Shell, coverage};
use crate::arguments::ConnectorCommand;
use crate::open::registry;
use crate::output::{table, thousands};

pub(super) fn run(shell: &Shell, command: ConnectorCommand) -> anyhow::Result<Done> {
    match command {
        ConnectorCommand::Types => types(shell)?,
        ConnectorCommand::List => list(shell)?,
        ConnectorCommand::Test { name } => test(shell, &name)?,
        ConnectorCommand::Discover { name } => discover(shell, &name)?,
    }
    Ok(Done::Well)
}

fn types(shell: &Shell) -> anyhow::Result<()> {
    let registry = registry();
    let data: Vec<Json> = registry
        .iter()
        .map(|kind| {
            let kind = kind.descriptor();
            let can = kind.capabilities;
            let settings: Vec<Json> = kind
                .settings
                .settings
                .iter()
                .map(|setting| {
                    json!({ "name": setting.name, "required": setting.required, "default": setting.default,
                        "secret": setting.kind == identitymesh_connector::SettingKind::Secret, "help": setting.help })
                })
                .collect();
            json!({ "type": kind.kind, "title": kind.title, "summary": kind.summary, "settings": settings,
                "full_import": can.full_import, "delta_import": can.delta_import, "export": can.export,
                "discover": can.discover, "tree": can.hierarchical, "compare_and_set": can.compare_and_set })
        })
        .collect();
    shell.output.answer(&data, || {
        let mut out = String::new();
        for kind in registry.iter() {
            let kind = kind.descriptor();
            let can = kind.capabilities;
            let words = [
                (can.full_import, "full import"),
                (can.delta_import, "delta import"),
                (can.export, "export"),
                (can.discover, "discover"),
            ];
            let words: Vec<&str> = words.iter().filter(|(can, _)| *can).map(|(_, word)| *word).collect();
            out.push_str(&format!(
                "{} - {}\n  {}; {}\n",
                kind.kind,
                kind.title,
                kind.summary,
                words.join(", ")
            ));
            for setting in &kind.settings.settings {
                let required = if setting.required { " (required)" } else { "" };
                let default =
                    setting.default.as_ref().map_or_else(String::new, |default| format!(" [{default}]"));
                out.push_str(&format!("    {}{required}{default}: {}\n", setting.name, setting.help));
            }
            out.push('\n');
        }
        out
    })
}

fn list(shell: &Shell) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let mut reader = opened.mesh.store.read()?;
    let (totals, proved) = (reader.totals()?, reader.coverage_list()?);
    let mut rows = Vec::new();
    let mut data = Vec::new();
    let mut warned = String::new();
    for connector in &in_force.configuration.connectors {
        let head = &connector.connector;
        let id = in_force.id(head.name)?;
        let counts = totals.spaces.iter().filter(|count| count.connector == id);
        let (present, linked) =
            counts.fold((0, 0), |(present, linked), count| (present + count.present, linked + count.linked));
        let waiting: u64 =
            totals.items.iter().filter(|count| count.connector == id).map(|count| count.count).sum();
        let coverage = coverage::of(&in_force, &proved, id);
        let warnings = opened.mesh.warnings(&in_force, connector);
        warned.extend(warnings.iter().map(|warning| format!("\nwarning: {}: {warning}", head.name)));
        data.push(json!({ "name": head.name, "type": head.kind, "enabled": head.enabled, "objects": present,
            "linked": linked, "waiting": waiting, "coverage": coverage, "warnings": warnings }));
        rows.push(vec![
            head.name.to_string(),
            head.kind.clone(),
            if head.enabled { "enabled" } else { "disabled" }.to_owned(),
            thousands(present),
            thousands(linked),
            thousands(waiting),
            coverage::in_words(&coverage),
        ]);
    }
    shell.output.answer(&data, || {
        table(&["connector", "type", "state", "objects", "linked", "queue", "coverage"], &rows) + &warned
    })
}

fn test(shell: &Shell, name: &str) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let name = Name::new(name)?;
    let report = shell.block_on(async { Ok(opened.mesh.connect(&in_force, name).await?.test().await?) })?;
    let data = json!({ "server": report.server, "steps": report.steps, "warnings": report.warnings });
    shell.output.answer(&data, || {
        let mut out = format!("{name}: {}", report.server);
        report.steps.iter().for_each(|step| out.push_str(&format!("\n  ✓ {step}")));
        report.warnings.iter().for_each(|warning| out.push_str(&format!("\n  ! {warning}")));
        out
    })
}

fn discover(shell: &Shell, name: &str) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let name = Name::new(name)?;
    let schema = shell.block_on(async { Ok(opened.mesh.connect(&in_force, name).await?.schema().await?) })?;
    shell.output.answer(&schema, || {
        let mut parts = Vec::new();
        for object_type in &schema.object_types {
            let rows: Vec<Vec<String>> = object_type
                .attributes
                .iter()
                .map(|attribute| {
                    let mut notes = Vec::new();
                    notes.extend(attribute.read_only.then_some("read only"));
                    notes.extend(attribute.ignore_case.then_some("case does not count"));
                    notes.extend((object_type.address == Some(attribute.name)).then_some("address"));
                    vec![format!("  {}", attribute.name), attribute.kind.to_string(), notes.join(", ")]
                })
                .collect();
            parts.push(format!(
                "{}\n{}",
                object_type.object_type,
                table(&["  attribute", "type", ""], &rows)
            ));
        }
        parts.join("\n\n")
    })
}
