//! `run`: carries out a run profile.

use anyhow::Context as _;
use identitymesh_model::Name;
use identitymesh_runner::{
    ImportKind, Mesh, PlannedRun, RunReport, SyncScope, catch_up, cycle, export, import, sync,
};
use identitymesh_store::RunState;
use serde::Serialize;

use super::{Done, Shell, follow};
use crate::arguments::{Profile, RunArguments};
use crate::output::{table, thousands};

const NEEDS_NAME: &str = "this profile needs --connector NAME";

#[derive(Serialize)]
struct Answer {
    runs: Vec<RunReport>,
    /// Targets that could not be written to, and why.
    failed: Vec<(Name, String)>,
}

pub(super) fn run(shell: &Shell, arguments: &RunArguments) -> anyhow::Result<Done> {
    let opened = shell.write()?;
    warn(shell, &opened.mesh)?;
    if arguments.profile == Profile::Follow {
        let name = arguments.connector.as_deref().context(NEEDS_NAME)?;
        return follow::run(shell, &opened.mesh, Name::new(name)?);
    }
    let answer = shell.block_on(carry_out(&opened.mesh, arguments))?;
    shell.output.answer(&answer, || text(&answer))?;
    if !answer.failed.is_empty() {
        anyhow::bail!("{} could not be written to; the rest was done", answer.failed[0].0);
    }
    let is_held = answer.runs.iter().any(|run| run.state != RunState::Succeeded);
    Ok(if arguments.strict && is_held { Done::Held } else { Done::Well })
}

/// Says what is to be warned of in the connectors that a run may use.
fn warn(shell: &Shell, mesh: &Mesh) -> anyhow::Result<()> {
    let in_force = mesh.in_force()?;
    for connector in in_force.configuration.connectors.iter().filter(|known| known.connector.enabled) {
        for warning in mesh.warnings(&in_force, connector) {
            shell.output.warn(&format!("{}: {warning}", connector.connector.name));
        }
    }
    Ok(())
}

async fn carry_out(mesh: &Mesh, arguments: &RunArguments) -> anyhow::Result<Answer> {
    let name = arguments.connector.as_deref().map(Name::new).transpose()?;
    let needed = || name.context(NEEDS_NAME);
    let one = |run| Answer { runs: vec![run], failed: Vec::new() };
    Ok(match arguments.profile {
        Profile::FullImport => one(import(mesh, needed()?, ImportKind::Full).await?),
        Profile::DeltaImport => one(import(mesh, needed()?, ImportKind::Delta).await?),
        Profile::ConfirmingImport => one(import(mesh, needed()?, ImportKind::Confirming).await?),
        Profile::Sync => {
            let name = needed()?;
            let mut runs: Vec<RunReport> = catch_up(mesh).await?.into_iter().collect();
            runs.push(sync(mesh, SyncScope::Pending(name)).await?);
            Answer { runs, failed: Vec::new() }
        }
        Profile::FullSync => one(sync(mesh, name.map_or(SyncScope::Everything, SyncScope::All)).await?),
        Profile::Export => one(export(mesh, needed()?).await?),
        Profile::Cycle | Profile::Follow => {
            let sources = match name {
                Some(name) => vec![name],
                None => sources(mesh)?,
            };
            let report = cycle(mesh, &sources, ImportKind::Delta).await?;
            Answer { runs: report.runs, failed: report.failed }
        }
    })
}

/// A run as it would be carried out, to be previewed.
pub(super) fn planned(mesh: &Mesh, profile: Profile, connector: Option<&str>) -> anyhow::Result<PlannedRun> {
    let name = connector.map(Name::new).transpose()?;
    let needed = || name.context(NEEDS_NAME);
    Ok(match profile {
        Profile::FullImport => PlannedRun::Import(needed()?, ImportKind::Full),
        Profile::DeltaImport => PlannedRun::Import(needed()?, ImportKind::Delta),
        Profile::ConfirmingImport => PlannedRun::Import(needed()?, ImportKind::Confirming),
        Profile::Sync => PlannedRun::Sync(needed()?),
        Profile::FullSync => PlannedRun::FullSync(name),
        Profile::Export => PlannedRun::Export(needed()?),
        Profile::Cycle => PlannedRun::Cycle(match name {
            Some(name) => vec![name],
            None => sources(mesh)?,
        }),
        Profile::Follow => anyhow::bail!(
            "`run follow` never ends, so nobody can say what it would do; preview --run delta-import instead"
        ),
    })
}

/// Every enabled connector that something flows in from.
fn sources(mesh: &Mesh) -> anyhow::Result<Vec<Name>> {
    let in_force = mesh.in_force()?;
    let connectors = in_force.configuration.connectors.iter().filter(|known| known.connector.enabled);
    let inbound = connectors
        .filter(|known| !known.join.is_empty() || !known.create.is_empty() || !known.flow.is_empty());
    Ok(inbound.map(|known| known.connector.name).collect())
}

/// What a run counted, in one cell.
pub(super) fn counts(run: &RunReport) -> String {
    let counts: Vec<String> =
        run.counters.iter().map(|(name, count)| format!("{name} {}", thousands(*count))).collect();
    if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") }
}

fn text(answer: &Answer) -> String {
    let rows: Vec<Vec<String>> = answer
        .runs
        .iter()
        .map(|run| {
            vec![
                run.run.to_string(),
                run.connector.map_or_else(|| "all".to_owned(), |name| name.to_string()),
                run.step.to_owned(),
                run.state.as_str().to_owned(),
                counts(run),
            ]
        })
        .collect();
    let mut out = table(&["run", "connector", "step", "state", "counts"], &rows);
    for run in &answer.runs {
        if let Some(message) = &run.message {
            out.push_str(&format!("\n\nrun {}: {message}", run.run));
        }
    }
    for (name, reason) in &answer.failed {
        out.push_str(&format!("\n\n{name}: {reason}"));
    }
    out
}
