//! `plans`: stored plans, and carrying one out.

use identitymesh_runner::{PlanDirectory, apply_plan};
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
                        let (version, at) = (head.configuration.to_string(), head.at.to_string());
                        vec![head.hash.clone(), at, head.actor.clone(), version, thousands(head.objects)]
                    })
                    .collect();
                table(&["plan", "made", "by", "configuration", "objects"], &rows)
            })?;
            Ok(Done::Well)
        }
        PlansCommand::Show { hash } => {
            let head = plans.open(&hash)?.head;
            shell.output.answer(&head, || {
                let made = format!(
                    "plan {}, made {} by {} under configuration {}, of {}",
                    head.hash,
                    head.at,
                    head.actor,
                    head.configuration,
                    counted(head.objects, "object", "objects")
                );
                format!("{made}\n{}", summary(&head.preview))
            })?;
            Ok(Done::Well)
        }
        PlansCommand::Apply { hash, reason, strict } => apply(shell, &plans, &hash, &reason, strict),
    }
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
    let report = shell.block_on(async { Ok(apply_plan(&opened.mesh, plan, reason).await?) })?;
    let findings = opened.mesh.store.read()?.findings(report.run, 0, LEFT_OUT_SHOWN)?;
    let left_out = report.count("left_out");
    shell.output.answer(&json!({ "plan": name, "run": report, "left_out": findings }), || {
        let mut out = format!("run {}: plan {name}: {}", report.run, counts(&report));
        for row in &findings {
            let subject = row.finding.subject.as_deref().unwrap_or_default();
            out.push_str(&format!("\n{subject}: {}", row.finding.message));
        }
        if left_out > findings.len() as u64 {
            out.push_str(&format!("\nall of them: `identitymesh runs show {}`", report.run));
        }
        out.push_str("\nwhat was queued is sent at the next export, within the limits of the guard");
        out
    })?;
    Ok(if strict && left_out > 0 { Done::Held } else { Done::Well })
}
