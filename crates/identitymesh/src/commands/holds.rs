//! `holds`: what the mass-change guard holds, with its objects, and deciding on it.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use identitymesh_model::{HoldId, MeshId, RunId, SpaceId};
use identitymesh_store::{
    Cause, Decided, HoldClass, HoldDecision, HoldFilter, HoldItemRow, HoldRow, HoldStanding, Reader,
    StoredConfiguration,
};
use serde_json::{Value as Json, json};

use super::lookup::{connector_id, connector_name};
use super::{Done, Shell};
use crate::arguments::{DecisionArguments, HoldsCommand, PageArguments};
use crate::output::{counted, table, thousands};

/// Rows read at once while objects are looked up by name.
const ROWS_READ: usize = 10_000;

pub(super) fn run(shell: &Shell, command: HoldsCommand) -> anyhow::Result<Done> {
    match command {
        HoldsCommand::List { connector, all, limit } => {
            list(shell, connector.as_deref(), all, limit as usize)?
        }
        HoldsCommand::Show { hold, page } => show(shell, HoldId(hold), &page)?,
        HoldsCommand::Approve(arguments) => decide(shell, &arguments, true)?,
        HoldsCommand::Reject(arguments) => decide(shell, &arguments, false)?,
    }
    Ok(Done::Well)
}

fn list(shell: &Shell, connector: Option<&str>, all: bool, limit: usize) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let connector = match connector {
        Some(name) => Some(connector_id(opened.mesh.in_force()?.as_ref(), name)?.1),
        None => None,
    };
    let mut reader = opened.mesh.store.read()?;
    let configuration = reader.configuration()?;
    let standing = if all { HoldStanding::Any } else { HoldStanding::Open };
    let holds = reader.hold_list(&HoldFilter { connector, side: None, standing }, None, limit)?;
    let data: Vec<Json> =
        holds.iter().map(|hold| data(hold, configuration.as_ref())).collect::<Result<_, _>>()?;
    shell.output.answer(&json!({ "items": data }), || {
        if holds.is_empty() {
            return "nothing is held".to_owned();
        }
        let rows: Vec<Vec<String>> = holds.iter().map(|hold| row(hold, configuration.as_ref())).collect();
        table(
            &[
                "hold",
                "connector",
                "type",
                "change",
                "state",
                "waiting",
                "of",
                "limit",
                "population",
                "since",
            ],
            &rows,
        )
    })
}

fn data(hold: &HoldRow, configuration: Option<&StoredConfiguration>) -> serde_json::Result<Json> {
    let mut data = serde_json::to_value(hold)?;
    data["connector"] = connector_name(configuration, hold.connector).into();
    Ok(data)
}

fn row(hold: &HoldRow, configuration: Option<&StoredConfiguration>) -> Vec<String> {
    vec![
        hold.id.to_string(),
        connector_name(configuration, hold.connector),
        hold.object_type.to_string(),
        match &hold.within {
            Some(part) => format!("{} ({part})", hold.class.as_str()),
            None => hold.class.as_str().to_owned(),
        },
        hold.state.as_str().to_owned(),
        thousands(hold.waiting),
        thousands(hold.count),
        match hold.again {
            Some(again) => format!("as in {again}"),
            None => thousands(hold.allowed),
        },
        thousands(hold.population),
        hold.at.to_string(),
    ]
}

fn show(shell: &Shell, id: HoldId, page: &PageArguments) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let mut reader = opened.mesh.store.read()?;
    let hold = found(reader.as_mut(), id)?;
    let configuration = reader.configuration()?;
    let items = reader.hold_items(id, page.after, page.limit as usize)?;
    let names = names(reader.as_mut(), &hold, &items)?;
    let next = items.last().filter(|_| items.len() == page.limit as usize).map(|item| item.subject);
    let objects: Vec<Json> = items
        .iter()
        .zip(&names)
        .map(|(item, name)| {
            json!({ "id": item.subject, "object": name, "uid": item.uid, "item": item.item,
                "state": item.state, "hash": item.hash })
        })
        .collect();
    let mut data = data(&hold, configuration.as_ref())?;
    data["objects"] = objects.into();
    data["next"] = next.into();
    shell.output.answer(&data, || {
        let mut out = told(&hold, configuration.as_ref());
        let rows: Vec<Vec<String>> = items
            .iter()
            .zip(&names)
            .map(|(item, name)| {
                vec![format!("#{}", item.subject), name.clone(), item.state.as_str().to_owned()]
            })
            .collect();
        out.push_str("\n\n");
        out.push_str(&table(&["id", "object", "state"], &rows));
        if let Some(next) = next {
            out.push_str(&format!("\nmore: --after {next}"));
        }
        out
    })
}

fn told(hold: &HoldRow, configuration: Option<&StoredConfiguration>) -> String {
    let mut out = format!(
        "hold {} on {}: {} of {} {}{}, {}; content {}\nmade by run {} at {}, {}\n{} waiting, {} approved, {} rejected, \
         {} withdrawn",
        hold.id,
        connector_name(configuration, hold.connector),
        hold.class.as_str(),
        thousands(hold.count),
        hold.object_type,
        hold.within.as_ref().map_or_else(String::new, |part| format!(" ({part})")),
        hold.state.as_str(),
        hold.hash,
        hold.run,
        hold.at,
        match hold.again {
            Some(again) => format!("because these changes repeat what was not let go in hold {again}"),
            None => format!(
                "when {} were to change and {} were allowed, of {}",
                thousands(hold.size),
                thousands(hold.allowed),
                thousands(hold.population)
            ),
        },
        thousands(hold.waiting),
        thousands(hold.approved),
        thousands(hold.rejected),
        thousands(hold.withdrawn)
    );
    for common in &hold.common {
        out.push_str(&format!("\n  {common}"));
    }
    for decision in &hold.decisions {
        out.push_str(&format!(
            "\n{} {} {} at {}: {}",
            decision.actor,
            decision.state.as_str(),
            thousands(decision.count),
            decision.at,
            decision.reason
        ));
    }
    out
}

fn found(reader: &mut dyn Reader, id: HoldId) -> anyhow::Result<HoldRow> {
    reader.hold(id)?.with_context(|| format!("there is no hold {id}; see `identitymesh holds list --all`"))
}

/// How people call the objects of a hold: the anchor, for an import the external id, else the public id.
fn names(reader: &mut dyn Reader, hold: &HoldRow, items: &[HoldItemRow]) -> anyhow::Result<Vec<String>> {
    let mut names: Vec<Option<String>> = Vec::with_capacity(items.len());
    if hold.class == HoldClass::ImportDelete {
        let ids: Vec<SpaceId> = items.iter().map(|item| SpaceId(item.subject)).collect();
        let spaces = reader.spaces(&ids)?;
        names.extend(spaces.into_iter().map(|space| Some(space?.external_id.to_string())));
    } else {
        let ids: Vec<MeshId> = items.iter().map(|item| MeshId(item.subject)).collect();
        let views = reader.views(&ids)?;
        names.extend(views.into_iter().map(|view| Some(view?.record.anchor.to_string())));
    }
    let uid = |item: &HoldItemRow| item.uid.map_or_else(|| "gone".to_owned(), |uid| uid.to_string());
    Ok(names.into_iter().zip(items).map(|(name, item)| name.unwrap_or_else(|| uid(item))).collect())
}

fn decide(shell: &Shell, arguments: &DecisionArguments, approve: bool) -> anyhow::Result<()> {
    let opened = shell.write()?;
    let (id, store) = (HoldId(arguments.hold), &opened.mesh.store);
    let mut reader = store.read()?;
    let hold = found(reader.as_mut(), id)?;
    if let Some(hash) = &arguments.hash
        && *hash != hold.hash.to_string()
    {
        bail!("hold {id} covers {}, not {hash}; nothing was decided", hold.hash);
    }
    let subjects = subjects(reader.as_mut(), &hold, &arguments.objects)?;
    drop(reader);
    let cause = Cause { run: RunId(0), actor: opened.mesh.actor.clone(), at: opened.mesh.clock.now() };
    let reason = arguments.reason.trim().to_owned();
    let decided = store.decide(HoldDecision { cause, hold: id, approve, subjects, reason }).wait()?;
    let word = if approve { "approved" } else { "rejected" };
    shell
        .output
        .answer(&json!({ "hold": id, "state": word, "result": decided }), || said(&hold, &decided, word))
}

fn said(hold: &HoldRow, decided: &Decided, word: &str) -> String {
    let mut out = format!("{} of hold {} {word}", counted(decided.decided, "change", "changes"), hold.id);
    if decided.changed > 0 {
        out.push_str(&format!(
            "\n{} not what was held any more, or not wanted: left out, and checked anew at the next run",
            counted(decided.changed, "change is", "changes are")
        ));
    }
    if decided.left > 0 {
        out.push_str(&format!("\n{} still waiting", counted(decided.left, "change is", "changes are")));
    }
    if word == "approved" {
        out.push_str(match hold.class {
            HoldClass::Export(_) | HoldClass::Change | HoldClass::Clear => "\nsent at the next export",
            HoldClass::ImportDelete => "\ntaken as gone at the next sync",
        });
    }
    out
}

/// The subjects that people name. A name is taken as it is written, and in another case where nobody has it as written;
/// one that several have is nobody's.
fn subjects(reader: &mut dyn Reader, hold: &HoldRow, wanted: &[String]) -> anyhow::Result<Vec<i64>> {
    let mut called: Vec<Called> = wanted.iter().map(|word| Called::by(word)).collect();
    let mut after = None;
    while !called.is_empty() {
        let items = reader.hold_items(hold.id, after, ROWS_READ)?;
        let Some(last) = items.last() else { break };
        after = Some(last.subject);
        let names = names(reader, hold, &items)?;
        for (item, name) in items.iter().zip(&names) {
            called.iter_mut().for_each(|called| called.look(item, name));
        }
    }
    let unknown: Vec<&str> =
        called.iter().filter(|called| called.meant().is_empty()).map(|called| called.word).collect();
    if !unknown.is_empty() {
        bail!("hold {} does not cover {}; nothing was decided", hold.id, unknown.join(", "));
    }
    if let Some(called) = called.iter().find(|called| called.meant().len() > 1) {
        let numbers: Vec<String> = called.meant().iter().map(|number| format!("#{number}")).collect();
        bail!(
            "{:?} is several objects of hold {}; nothing was decided; say which by number: {}",
            called.word,
            hold.id,
            numbers.join(", ")
        );
    }
    let subjects: BTreeSet<i64> = called.iter().flat_map(Called::meant).copied().collect();
    Ok(subjects.into_iter().collect())
}

/// A word for an object, and the objects that it may mean.
struct Called<'a> {
    word: &'a str,
    number: Option<i64>,
    exactly: Vec<i64>,
    nearly: Vec<i64>,
}

impl<'a> Called<'a> {
    fn by(word: &'a str) -> Self {
        let number = word.strip_prefix('#').and_then(|number| number.parse().ok());
        Self { word, number, exactly: Vec::new(), nearly: Vec::new() }
    }

    fn look(&mut self, item: &HoldItemRow, name: &str) {
        let is_number = self.number == Some(item.subject);
        let is_uid = || item.uid.is_some_and(|uid| uid.to_string() == self.word);
        if is_number || self.word == name || is_uid() {
            self.exactly.push(item.subject);
        } else if self.word.eq_ignore_ascii_case(name) {
            self.nearly.push(item.subject);
        }
    }

    fn meant(&self) -> &[i64] {
        if self.exactly.is_empty() { &self.nearly } else { &self.exactly }
    }
}
