//! `run follow`: stays connected to one system, and says what each batch of changes came to.
//!
//! With `--json` each event is one line, so that a program can read along. Ctrl-C or SIGTERM ends it between two parts, with exit
//! code 0; what was committed until then is all there is to go on from.

use identitymesh_model::Name;
use identitymesh_runner::{CycleReport, FollowEvent, Mesh, follow};
use serde::Serialize;
use serde_json::json;

use super::run::counts;
use super::{Done, Shell};

pub(super) fn run(shell: &Shell, mesh: &Mesh, source: Name) -> anyhow::Result<Done> {
    let tell = |event: FollowEvent<'_>| {
        // Who reads along may go away; following goes on.
        let _told = match event {
            FollowEvent::Listening => {
                say(shell, &json!({"event": "listening"}), || format!("following {source}; Ctrl-C ends it"))
            }
            FollowEvent::Done(report) if report.is_quiet() => Ok(()),
            FollowEvent::Done(report) => {
                say(shell, &json!({"event": "done", "report": report}), || told(report))
            }
            FollowEvent::Lost(why) => say(shell, &json!({"event": "lost", "error": why}), || {
                format!("the connection to {source} is lost and will be made again: {why}")
            }),
            FollowEvent::Refused => say(shell, &json!({"event": "refused"}), || {
                format!("{source} does not go on from where the last import ended; everything will be read")
            }),
        };
    };
    shell.block_on(async { Ok(follow(mesh, source, &tell).await?) })?;
    say(shell, &json!({"event": "ended"}), || format!("{source} is not followed any more"))?;
    Ok(Done::Well)
}

fn say(shell: &Shell, data: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
    if shell.output.json {
        shell.output.line(&serde_json::to_string(data)?)
    } else {
        shell.output.say(&text())
    }
}

fn told(report: &CycleReport) -> String {
    let mut lines: Vec<String> = Vec::new();
    for run in report.runs.iter().filter(|run| !run.counters.is_empty() || run.message.is_some()) {
        let name = run.connector.map_or("all", Name::as_str);
        lines.push(format!("run {} {name} {} {}: {}", run.run, run.step, run.state.as_str(), counts(run)));
        lines.extend(run.message.iter().map(|message| format!("  {message}")));
    }
    lines.extend(report.failed.iter().map(|(name, reason)| format!("{name}: {reason}")));
    lines.join("\n")
}
