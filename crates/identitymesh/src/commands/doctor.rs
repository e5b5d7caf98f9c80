//! `doctor`: everything that the data directory needs, checked one by one.

use identitymesh_model::{LinkMode, Name, RuleId};
use identitymesh_runner::InForce;
use identitymesh_store::CoverageRow;
use serde::Serialize;

use super::{Done, Shell, coverage};
use crate::open::Opened;

#[derive(Serialize)]
struct Check {
    what: String,
    good: bool,
    detail: String,
}

pub(super) fn run(shell: &Shell) -> anyhow::Result<Done> {
    let mut checks = Vec::new();
    match shell.read() {
        Err(error) => {
            checks.push(Check { what: "data directory".into(), good: false, detail: format!("{error:#}") })
        }
        Ok(opened) => {
            let at = opened.data.display().to_string();
            checks.push(Check { what: "data directory".into(), good: true, detail: at });
            checks.push(secrets(&opened));
            match opened.mesh.in_force() {
                Err(error) => {
                    checks.push(Check {
                        what: "configuration".into(),
                        good: false,
                        detail: error.to_string(),
                    });
                }
                Ok(in_force) => {
                    let detail = format!(
                        "version {}, {} connectors",
                        in_force.version,
                        in_force.configuration.connectors.len()
                    );
                    checks.push(Check { what: "configuration".into(), good: true, detail });
                    checks.extend(links_of_former_rules(&opened, &in_force)?);
                    for connector in
                        in_force.configuration.connectors.iter().filter(|known| known.connector.enabled)
                    {
                        let name = connector.connector.name;
                        let tested = shell.block_on(async {
                            Ok(opened.mesh.connect(&in_force, name).await?.test().await?)
                        });
                        checks.push(match tested {
                            Ok(report) if report.warnings.is_empty() => {
                                Check { what: format!("connector {name}"), good: true, detail: report.server }
                            }
                            Ok(report) => Check {
                                what: format!("connector {name}"),
                                good: true,
                                detail: format!("{}; {}", report.server, report.warnings.join("; ")),
                            },
                            Err(error) => Check {
                                what: format!("connector {name}"),
                                good: false,
                                detail: format!("{error:#}"),
                            },
                        });
                        checks.extend(deletes_unseen(&opened, &in_force, name)?);
                    }
                }
            }
        }
    }
    let bad = checks.iter().filter(|check| !check.good).count();
    shell.output.answer(&checks, || {
        let lines: Vec<String> = checks
            .iter()
            .map(|check| {
                format!("{} {:<24} {}", if check.good { "✓" } else { "✗" }, check.what, check.detail)
            })
            .collect();
        lines.join("\n")
    })?;
    anyhow::ensure!(bad == 0, "{bad} of {} checks failed", checks.len());
    Ok(Done::Well)
}

/// How many links were made by rules that are not in force any more: nothing is wrong with them, and nobody asked again.
fn links_of_former_rules(opened: &Opened, in_force: &InForce) -> anyhow::Result<Option<Check>> {
    let is_former = |(rule, mode, _): &(RuleId, LinkMode, u64)| {
        matches!(mode, LinkMode::Joined | LinkMode::Created) && !in_force.rules.has_rule(*rule)
    };
    let counted = opened.mesh.store.read()?.links_by_rule()?;
    let links: u64 = counted.iter().filter(|row| is_former(row)).map(|(_, _, count)| count).sum();
    let detail = format!(
        "{links} made by rules that are not in force any more; `identitymesh joins reevaluate --preview` shows what they \
         would be today"
    );
    Ok((links > 0).then(|| Check { what: "links".to_owned(), good: true, detail }))
}

/// One line for each object type whose deletes are unseen. It fails where something is missing, for it may be gone.
fn deletes_unseen(opened: &Opened, in_force: &InForce, name: Name) -> anyhow::Result<Vec<Check>> {
    let rows = opened.mesh.store.read()?.coverage_list()?;
    let check = |row: &CoverageRow| {
        let unseen = row.unseen.as_ref()?;
        Some(Check {
            what: format!("deletes of {name} {}", row.object_type),
            good: unseen.gap.missing == 0,
            detail: coverage::sentence(unseen),
        })
    };
    Ok(coverage::of(in_force, &rows, in_force.id(name)?).into_iter().filter_map(check).collect())
}

fn secrets(opened: &Opened) -> Check {
    let what = "secrets".to_owned();
    match opened.secrets.check() {
        Ok(report) if report.damaged.is_empty() => {
            let detail =
                format!("{} can be opened ({})", report.readable, opened.secrets.describe_protector());
            Check { what, good: true, detail }
        }
        Ok(report) => {
            let names: Vec<&str> = report.damaged.iter().map(|name| name.as_str()).collect();
            Check { what, good: false, detail: format!("these cannot be opened: {}", names.join(", ")) }
        }
        Err(error) => Check { what, good: false, detail: error.to_string() },
    }
}
