//! Deciding: tried on a copy first where asked, carried out else.

use identitymesh_model::DecisionId;
use identitymesh_runner::{InForce, JoinAsk, Question, decide_join};
use identitymesh_store::Reader;
use serde_json::json;

use super::named::{space_called, space_object, told};
use crate::arguments::{ReasonArguments, SpaceObject};
use crate::commands::Shell;
use crate::commands::lookup::mesh_object;
use crate::commands::preview::{Ask, Shown, foresee};
use crate::open::Opened;

/// What a person wants, in the words of the command line.
pub(super) enum Wanted {
    Link(SpaceObject, String),
    Unlink(SpaceObject),
    Never(SpaceObject, String),
    Split(String, Vec<String>, Option<String>),
    Merge(String, String),
    Revert(i64),
}

impl Wanted {
    fn ask(&self, reader: &mut dyn Reader, in_force: &InForce) -> anyhow::Result<JoinAsk> {
        Ok(match self {
            Self::Link(object, mesh) => {
                let space = space_object(reader, in_force, object)?.id;
                JoinAsk::Link(space, mesh_object(reader, mesh)?.record.id)
            }
            Self::Unlink(object) => JoinAsk::Unlink(space_object(reader, in_force, object)?.id),
            Self::Never(object, mesh) => {
                let space = space_object(reader, in_force, object)?.id;
                JoinAsk::Never(space, mesh_object(reader, mesh)?.record.id)
            }
            Self::Split(mesh, objects, anchor) => {
                let mesh = mesh_object(reader, mesh)?.record.id;
                let spaces = objects.iter().map(|called| Ok(space_called(reader, in_force, called)?.id));
                let spaces = spaces.collect::<anyhow::Result<Vec<_>>>()?;
                JoinAsk::Split(mesh, spaces, anchor.as_deref().map(Into::into))
            }
            Self::Merge(survivor, other) => {
                let survivor = mesh_object(reader, survivor)?.record.id;
                JoinAsk::Merge(survivor, mesh_object(reader, other)?.record.id)
            }
            Self::Revert(decision) => JoinAsk::Revert(DecisionId(*decision)),
        })
    }
}

pub(super) fn decide(shell: &Shell, wanted: &Wanted, arguments: &ReasonArguments) -> anyhow::Result<()> {
    let opened = if arguments.preview { shell.read()? } else { shell.write()? };
    let in_force = opened.mesh.in_force()?;
    let ask = wanted.ask(opened.mesh.store.read()?.as_mut(), &in_force)?;
    let reason = arguments.reason.trim().to_owned();
    if arguments.preview {
        preview(shell, &opened, ask, reason)
    } else {
        carry_out(shell, &opened, ask, reason)
    }
}

/// The same decision and everything that follows, on a copy that is thrown away.
fn preview(shell: &Shell, opened: &Opened, ask: JoinAsk, reason: String) -> anyhow::Result<()> {
    let question = Some(Question::Decision(ask, reason));
    let preview = foresee(shell, opened, Ask { question, loaded: None, shown: Shown::First, keep: None })?;
    shell.output.answer(&preview.data(), || preview.text())
}

fn carry_out(shell: &Shell, opened: &Opened, ask: JoinAsk, reason: String) -> anyhow::Result<()> {
    let decided = shell.block_on(async { Ok(decide_join(&opened.mesh, ask, reason).await?) })?;
    let in_force = opened.mesh.in_force()?;
    let what = told(&in_force, opened.mesh.store.read()?.as_mut(), &decided.decision);
    let data = json!({ "decision": decided.id, "kind": decided.decision.kind, "what": what,
        "run": decided.report.run, "counts": decided.report.counters });
    shell.output.answer(&data, || {
        let counts: Vec<String> =
            decided.report.counters.iter().map(|(name, count)| format!("{name} {count}")).collect();
        format!(
            "decision {}: {what}\nrun {}: {}\ntake it back with `identitymesh joins revert {} --reason …`",
            decided.id,
            decided.report.run,
            counts.join(", "),
            decided.id
        )
    })
}
