//! From the arguments of `joins` to what carries them out.

use crate::arguments::JoinsCommand;
use crate::commands::{Done, Shell};

use super::decide::{Wanted, decide};
use super::reevaluate::reevaluate;
use super::{list, measure, show};

pub(in crate::commands) fn run(shell: &Shell, command: JoinsCommand) -> anyhow::Result<Done> {
    match command {
        JoinsCommand::List { connector, page } => list::conflicts(shell, connector.as_deref(), &page)?,
        JoinsCommand::Show { object } => show::show(shell, &object)?,
        JoinsCommand::Decisions { limit } => list::decisions(shell, limit as usize)?,
        JoinsCommand::Measure { rule, pairs } => measure::measure(shell, &rule, &pairs)?,
        JoinsCommand::Link { object, mesh, arguments } => {
            decide(shell, &Wanted::Link(object, mesh), &arguments)?
        }
        JoinsCommand::Unlink { object, arguments } => decide(shell, &Wanted::Unlink(object), &arguments)?,
        JoinsCommand::Never { object, mesh, arguments } => {
            decide(shell, &Wanted::Never(object, mesh), &arguments)?
        }
        JoinsCommand::Split { mesh, objects, anchor, arguments } => {
            decide(shell, &Wanted::Split(mesh, objects, anchor), &arguments)?;
        }
        JoinsCommand::Merge { survivor, other, arguments } => {
            decide(shell, &Wanted::Merge(survivor, other), &arguments)?;
        }
        JoinsCommand::Reevaluate { links, all, act } => reevaluate(shell, &links, all, &act)?,
        JoinsCommand::Revert { decision, arguments } => decide(shell, &Wanted::Revert(decision), &arguments)?,
    }
    Ok(Done::Well)
}
