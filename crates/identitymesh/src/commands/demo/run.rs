//! The demo from its arguments to its last word.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Context as _, bail};
use identitymesh_runner::apply_configuration;
use serde_json::json;

use super::acts::{ACTS, Act, Days, play};
use super::files::Places;
use super::memory::Memory;
use super::{ldap, story};
use crate::arguments::DemoArguments;
use crate::commands::configuration::load;
use crate::commands::directory::Directory;
use crate::commands::{Done, Shell};
use crate::open::Opened;

pub(crate) fn run(shell: &Shell, arguments: &DemoArguments) -> anyhow::Result<Done> {
    let days = Days::of(arguments.people, arguments.seed)?;
    let directory = ldap::named(arguments)?;
    let opened = shell.write()?;
    let mut memory = remembered(&opened, arguments, directory.as_ref())?;
    let places = Places::below(&opened.data)?;
    if let Some(directory) = &directory {
        ldap::keep_password(directory, &opened)?;
    }
    places.write_configuration(directory.as_ref())?;
    places.make_accounts()?;
    let loaded = load(&places.configuration)?;
    // The schema of a source is read from the source, so it has to be there first.
    let first = ACTS.into_iter().find(|act| !memory.done.contains_key(act.name())).unwrap_or(Act::Again);
    places.write_sources(days.company(first))?;
    let applied = shell.block_on(async {
        Ok(apply_configuration(&opened.mesh, loaded.configuration, loaded.bases).await?)
    })?;
    if let Some((name, why)) = applied.unasked.first() {
        bail!("{name} could not be reached: {why}");
    }
    for act in ACTS {
        tell(shell, arguments, act, &opened, &places, &days, &mut memory)?;
    }
    finish(shell, &opened, &days, &memory)
}

fn remembered(
    opened: &Opened,
    arguments: &DemoArguments,
    directory: Option<&Directory>,
) -> anyhow::Result<Memory> {
    let store = opened.mesh.store.as_ref();
    let ldap = directory.map(|directory| directory.url().to_owned());
    let Some(memory) = Memory::read(store)? else {
        if store.read()?.configuration()?.is_some() {
            bail!(
                "{} holds a mesh that is no demo; name another directory with --data",
                opened.data.display()
            );
        }
        let memory = Memory {
            people: arguments.people,
            seed: arguments.seed,
            ldap,
            began: std::collections::BTreeMap::new(),
            done: std::collections::BTreeMap::new(),
        };
        memory.write(store)?;
        return Ok(memory);
    };
    if (memory.people, memory.seed, &memory.ldap) != (arguments.people, arguments.seed, &ldap) {
        let ldap = memory.ldap.as_ref().map_or_else(String::new, |url| format!(" --ldap {url}"));
        bail!(
            "{} holds the demo --people {} --seed {}{ldap}; start it with the same arguments, or name another directory \
             with --data",
            opened.data.display(),
            memory.people,
            memory.seed
        );
    }
    Ok(memory)
}

/// Plays one act with its words around it; an act that was played before is only told.
fn tell(
    shell: &Shell,
    arguments: &DemoArguments,
    act: Act,
    opened: &Opened,
    places: &Places,
    days: &Days,
    memory: &mut Memory,
) -> anyhow::Result<()> {
    let played = memory.done.get(act.name()).cloned();
    shell.output.say(&story::before(act, days, places))?;
    let summary = match played {
        Some(summary) => {
            shell.output.say("(played before; this is what it did)")?;
            summary
        }
        None => {
            pause(shell, arguments)?;
            shell.block_on(play(act, &opened.mesh, places, days, memory))?
        }
    };
    shell.output.say(&story::after(act, &summary, places))
}

/// Waits for the person who watches, if there is one.
fn pause(shell: &Shell, arguments: &DemoArguments) -> anyhow::Result<()> {
    if arguments.once
        || shell.output.json
        || !std::io::stdin().is_terminal()
        || !std::io::stderr().is_terminal()
    {
        return Ok(());
    }
    let mut prompt = std::io::stderr().lock();
    write!(prompt, "[Enter] ")?;
    prompt.flush()?;
    std::io::stdin().read_line(&mut String::new()).context("the terminal was closed")?;
    Ok(())
}

fn finish(shell: &Shell, opened: &Opened, days: &Days, memory: &Memory) -> anyhow::Result<Done> {
    let why = story::why(opened, days)?;
    let mut answer = serde_json::Map::new();
    for act in ACTS {
        answer.insert(act.name().to_owned(), serde_json::to_value(memory.done.get(act.name()))?);
    }
    answer.insert("why".to_owned(), why.as_ref().map_or_else(|| json!(null), |(data, _)| data.clone()));
    shell.output.answer(&answer, || {
        let mut out = why.map_or_else(String::new, |(_, text)| text);
        out.push_str(&format!(
            "\n\nGo on from here, with --data {}:\n  identitymesh mesh list\n  identitymesh runs list\n  identitymesh audit verify",
            opened.data.display()
        ));
        out
    })?;
    Ok(Done::Well)
}
