//! `plans`: stored plans, and carrying one out.

use identitymesh_config::difference;
use identitymesh_runner::{PlanDirectory, StoredPlan, apply_plan, configuration_of};
use serde_json::json;

use super::preview::summary;
use super::run::counts;
use super::{Done, Shell};
use crate::arguments::PlansCommand;
use crate::output::{counted, table, thousands};

/// Items that were left out and are named; all are findings of the run.
const LEFT_OUT_SHOWN: usize = 200;

pub(super) fn run(shell: &Shell, command: PlansCommand) -> anyhow::Result<Done> {
    let plans = PlanDirectory::below(&shell.data);
    match command {
        PlansCommand::List => {
            let heads = plans.list()?;
            shell.output.answer(&json!({ "items": heads }), || {
                if heads.is_empty() {
                    return "no plan is stored; `identitymesh preview --save` keeps one".to_owned();
                }
                let rows: Vec<Vec<String>> = heads
                    .iter()
                    .map(|head| {
                        let version = match head.base {
                            Some(base) => format!("{base} → {}", head.configuration),
                            None => head.configuration.to_string(),
                        };
                        let at = head.at.to_string();
                        vec![head.hash.clone(), at, head.actor.clone(), version, thousands(head.objects)]
                    })
                    .collect();
                table(&["plan", "made", "by", "configuration", "objects"], &rows)
            })?;
            Ok(Done::Well)
        }
        PlansCommand::Show { hash } => {
            show(shell, &plans.open(&hash)?)?;
            Ok(Done::Well)
        }
        PlansCommand::Apply { hash, reason, strict } => apply(shell, &plans, &hash, &reason, strict),
    }
}

/// What a plan would do, and what the configuration that it brings changes about the one with which it was compared.
fn show(shell: &Shell, plan: &StoredPlan) -> anyhow::Result<()> {
    let head = &plan.head;
    let changes = match (plan.configuration()?, head.base) {
        (Some(brings), Some(base)) => {
            let opened = shell.read()?;
            let mut reader = opened.mesh.store.read()?;
            let before = configuration_of(reader.as_mut(), base)?.unwrap_or_default();
            Some(difference(&before, &brings))
        }
        _ => None,
    };
    let mut data = serde_json::to_value(head)?;
    data["changes"] = json!(changes.as_ref().map(|changes| &changes.entries));
    shell.output.answer(&data, || {
        let objects = counted(head.objects, "object", "objects");
        let (hash, at, actor, version) = (&head.hash, head.at, &head.actor, head.configuration);
        let under = match (&changes, head.base) {
            (Some(changes), Some(base)) => format!(
                "it brings configuration {version}, compared with {base}, which has to be in force:\n{changes}\n"
            ),
            _ => format!("under configuration {version}\n"),
        };
        format!("plan {hash}, made {at} by {actor}, of {objects}\n{under}{}", summary(&head.preview))
    })
}

fn apply(
    shell: &Shell,
    plans: &PlanDirectory,
    hash: &str,
    reason: &str,
    strict: bool,
) -> anyhow::Result<Done> {
    let plan = plans.open(hash)?;
    let opened = shell.write()?;
    let name = plan.head.hash.clone();
    let brought = plan.head.base.map(|_| plan.head.configuration);
    let report = shell.block_on(async { Ok(apply_plan(&opened.mesh, plan, reason).await?) })?;
    let findings = opened.mesh.store.read()?.findings(report.run, 0, LEFT_OUT_SHOWN)?;
    let left_out = report.count("left_out");
    shell.output.answer(
        &json!({ "plan": name, "configuration": brought, "run": report, "left_out": findings }),
        || {
            let mut out = format!("run {}: plan {name}: {}", report.run, counts(&report));
            for row in &findings {
                let subject = row.finding.subject.as_deref().unwrap_or_default();
                out.push_str(&format!("\n{subject}: {}", row.finding.message));
            }
            if left_out > findings.len() as u64 {
                out.push_str(&format!("\nall of them: `identitymesh runs show {}`", report.run));
            }
            if let Some(version) = brought {
                out.push_str(&format!("\nversion {version} of the configuration is in force"));
            }
            out.push_str("\nwhat was queued is sent at the next export, within the limits of the guard");
            out
        },
    )?;
    Ok(if strict && left_out > 0 { Done::Held } else { Done::Well })
}
