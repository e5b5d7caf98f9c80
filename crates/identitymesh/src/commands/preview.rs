//! `preview`: what a sync would change and what the next exports would send or hold.

use identitymesh_config::Loaded;
use identitymesh_model::plan::Plan;
use identitymesh_model::{MeshId, Name};
use identitymesh_runner::{
    Foreseen, InForce, PartSink, PlanDirectory, PlanHead, PlanWriter, PlannedRun, Question, SyncScope,
    apply_configuration, preview,
};
use identitymesh_store::{HoldRow, MeshFilter};
use serde_json::{Value as Json, json};

use super::configuration::load;
use super::lookup::mesh_object;
use super::plan_text::{Names, Spelled, Text};
use super::preview_queue::queue;
use super::run::planned;
use super::{Done, Shell};
use crate::arguments::PreviewArguments;
use crate::open::{Opened, scratch};
use crate::output::{counted, thousands};

/// Mesh objects read at once while a set is gathered.
const OBJECTS_READ: usize = 10_000;

/// How much of a plan is spelled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The first objects.
    First,
    /// Everything.
    All,
}

/// What is asked of a copy.
pub(crate) struct Ask<'a> {
    /// What to look at; everything when nothing is said.
    pub(crate) question: Option<Question>,
    /// A configuration to put in force in the copy first.
    pub(crate) loaded: Option<&'a Loaded>,
    pub(crate) shown: Shown,
    /// Where the plan is to be kept.
    pub(crate) keep: Option<PlanDirectory>,
}

/// What was foreseen, in words and as data.
pub(crate) struct Preview {
    data: Json,
    spelled: Spelled,
    /// The plan that was kept.
    pub(crate) kept: Option<PlanHead>,
}

impl Preview {
    /// For machines.
    pub(crate) fn data(&self) -> Json {
        let mut data = self.data.clone();
        data["plan"] = self.spelled.text.clone().into();
        data["objects_left_out"] = self.spelled.left_out.into();
        if let Some(kept) = &self.kept {
            data["hash"] = kept.hash.clone().into();
        }
        data
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let is_quiet = ["counts", "flows", "holds", "findings", "imports"].iter().all(|key| {
            self.data[*key].as_array().is_none_or(Vec::is_empty)
                && self.data[*key].as_object().is_none_or(|map| map.is_empty())
        });
        let mut out = if is_quiet && self.spelled.text.is_empty() && !self.spelled.is_written {
            "nothing would change".to_owned()
        } else {
            self.changes()
        };
        out.push_str(&self.notes());
        out
    }

    /// What would change.
    fn changes(&self) -> String {
        let mut out = self.spelled.text.clone();
        if self.spelled.left_out > 0 {
            let more = counted(self.spelled.left_out, "more object", "more objects");
            out.push_str(&format!("… and {more}; --all spells out every one\n"));
        }
        if !out.is_empty() || self.spelled.is_written {
            out.push('\n');
        }
        out.push_str(&summary(&self.data));
        out
    }

    /// What else there is to know.
    fn notes(&self) -> String {
        let mut out = String::new();
        for row in self.data["unasked"].as_array().into_iter().flatten() {
            let word = |key: &str| row[key].as_str().unwrap_or_default();
            out.push_str(&format!(
                "\nnote: {} could not be asked for its schema, so its rules are checked without it: {}",
                word("connector"),
                word("reason")
            ));
        }
        if let Some(kept) = &self.kept {
            let brings = match kept.base {
                Some(_) => ", with the configuration, which it puts in force first",
                None => "",
            };
            out.push_str(&format!(
                "\nkept as plan {}{brings}; carry out exactly this with `identitymesh plans apply {} --reason …`",
                kept.hash,
                &kept.hash[..kept.hash.len().min(12)]
            ));
        }
        out
    }
}

/// What a preview found, without its objects: groups, counts, flows, holds, findings.
pub(super) fn summary(data: &Json) -> String {
    let mut out = String::new();
    let list = |key: &str| data[key].as_array().cloned().unwrap_or_default();
    let word = |row: &Json, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let number = |row: &Json, key: &str| row[key].as_u64().unwrap_or_default();
    for import in list("imports") {
        let (name, step, state) = (word(&import, "connector"), word(&import, "step"), word(&import, "state"));
        let counted = told(&import["counters"]);
        let message = import["message"].as_str().map_or_else(String::new, |text| format!("; {text}"));
        out.push_str(&format!("{step} of {name}: {state}, {counted}{message}\n"));
    }
    for group in list("groups") {
        let place = group["connector"].as_str().map_or_else(String::new, |name| format!("{name}: "));
        let names: Vec<String> = group["attributes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        out.push_str(&format!(
            "{place}{} {} {}{names}: {}\n",
            word(&group, "what"),
            thousands(number(&group, "count")),
            word(&group, "object_type"),
            word(&group, "reason")
        ));
    }
    for flow in list("flows") {
        let held = number(&flow, "held");
        let held = if held > 0 { format!(", {} held", thousands(held)) } else { String::new() };
        out.push_str(&format!(
            "next export to {}: {} {} {} sent{held}\n",
            word(&flow, "connector"),
            word(&flow, "operation"),
            thousands(number(&flow, "sent")),
            word(&flow, "object_type")
        ));
    }
    for hold in list("holds") {
        let part = hold["within"].as_str().map_or_else(String::new, |part| format!(" ({part})"));
        let why = match hold["again"].as_i64() {
            Some(again) => format!("they repeat what was not let go in hold {again}"),
            None => format!(
                "{} of {} are more than the limit of {}",
                thousands(number(&hold, "size")),
                thousands(number(&hold, "population")),
                thousands(number(&hold, "allowed"))
            ),
        };
        let common: Vec<String> = hold["common"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect();
        let common =
            if common.is_empty() { String::new() } else { format!("; in common: {}", common.join("; ")) };
        out.push_str(&format!(
            "held on {}: {} of {} {}{part}, because {why}{common}\n",
            word(&hold, "connector"),
            word(&hold, "class"),
            thousands(number(&hold, "waiting")),
            word(&hold, "object_type"),
        ));
    }
    for finding in list("findings") {
        let (code, subject) = (word(&finding, "code"), word(&finding, "subject"));
        out.push_str(&format!("finding {code} {subject}: {}\n", word(&finding, "message")));
    }
    out.push_str(&told(&data["counts"]));
    out
}

/// Counts by name, on one line.
fn told(counts: &Json) -> String {
    let counts = counts.as_object().into_iter().flatten();
    let told =
        counts.map(|(name, count)| format!("{name} {}", thousands(count.as_u64().unwrap_or_default())));
    told.collect::<Vec<_>>().join(", ")
}

pub(super) fn run(shell: &Shell, arguments: &PreviewArguments) -> anyhow::Result<Done> {
    // Keeping a plan gives numbers to nobody and changes nothing in the store; it only makes files beside it.
    let opened = shell.read()?;
    let loaded = arguments.config.as_deref().map(load).transpose()?;
    let ask = Ask {
        question: Some(question(&opened, arguments, loaded.is_some())?),
        loaded: loaded.as_ref(),
        shown: if arguments.all { Shown::All } else { Shown::First },
        keep: arguments.save.then(|| PlanDirectory::below(&opened.data)),
    };
    let preview = foresee(shell, &opened, ask)?;
    shell.output.answer(&preview.data(), || preview.text())?;
    Ok(Done::Well)
}

fn question(opened: &Opened, arguments: &PreviewArguments, is_changed: bool) -> anyhow::Result<Question> {
    if let Some(profile) = arguments.run {
        let run = planned(&opened.mesh, profile, arguments.connector.as_deref())?;
        anyhow::ensure!(
            !arguments.save || matches!(run, PlannedRun::Sync(_) | PlannedRun::FullSync(_)),
            "only a plan of --run sync or full-sync can be kept: import first, then keep what the sync would do"
        );
        return Ok(Question::Run(run));
    }
    if let Some(name) = &arguments.connector {
        return Ok(Question::Syncs(vec![SyncScope::Pending(Name::new(name)?)]));
    }
    let mut reader = opened.mesh.store.read()?;
    if let Some(called) = &arguments.object {
        return Ok(Question::Objects(vec![mesh_object(reader.as_mut(), called)?.record.id]));
    }
    if arguments.contains.is_some() || arguments.mesh_type.is_some() {
        let mesh_type = arguments.mesh_type.as_deref().map(Name::new).transpose()?;
        let filter = MeshFilter { mesh_type, contains: arguments.contains.clone() };
        let mut ids: Vec<MeshId> = Vec::new();
        let mut after = None;
        loop {
            let page = reader.mesh_list(&filter, after, OBJECTS_READ)?;
            ids.extend(page.items.iter().map(|row| row.id));
            after = page.next;
            if after.is_none() {
                return Ok(Question::Objects(ids));
            }
        }
    }
    if is_changed {
        return Ok(Question::Syncs(vec![SyncScope::Everything]));
    }
    let in_force = opened.mesh.in_force()?;
    let enabled = in_force.configuration.connectors.iter().filter(|known| known.connector.enabled);
    Ok(Question::Syncs(enabled.map(|known| SyncScope::Pending(known.connector.name)).collect()))
}

/// Tries it on a copy of the store.
pub(crate) fn foresee(shell: &Shell, opened: &Opened, ask: Ask<'_>) -> anyhow::Result<Preview> {
    let scratch = scratch(opened, shell.cancel.clone())?;
    let sandbox = &scratch.sandbox;
    let question = ask.question.unwrap_or_else(|| Question::Syncs(vec![SyncScope::Everything]));
    let words = format!("{question:?}");
    let target = match &question {
        Question::Run(PlannedRun::Export(name)) => Some(name.to_string()),
        _ => None,
    };
    let mut keeping = ask.keep.map(|directory| directory.begin(sandbox.real.clone())).transpose()?;
    let mut unasked = Vec::new();
    let foreseen = shell.block_on(async {
        if let Some(Loaded { configuration, bases, .. }) = ask.loaded.cloned() {
            let base = opened.mesh.in_force().map_or(0, |in_force| in_force.version);
            unasked = apply_configuration(&sandbox.copy, configuration, bases).await?.unasked;
            keeping.iter_mut().try_for_each(|writer| writer.bring(&sandbox.copy, base))?;
        }
        let in_force = sandbox.copy.in_force()?;
        let names = Names { in_force, store: sandbox.copy.store.clone() };
        let text = Text::new(ask.shown == Shown::All, names, shell.output);
        let sink = Sink { text, keeping };
        Ok(preview(sandbox, question, sink).await?)
    })?;
    let in_force = sandbox.copy.in_force()?;
    let mut data = data(&foreseen, &in_force)?;
    data["unasked"] = unasked.iter().map(|(name, why)| json!({ "connector": name, "reason": why })).collect();
    let queue = match &target {
        Some(target) => {
            let mut reader = sandbox.copy.store.read()?;
            let queue = queue(reader.as_mut(), &in_force, target, ask.shown == Shown::All)?;
            data["queue"] = queue.items.into();
            queue.text
        }
        None => String::new(),
    };
    let Sink { text, keeping } = foreseen.sink;
    let kept = keeping.map(|writer| {
        writer.finish(PlanHead {
            hash: String::new(),
            configuration: in_force.version,
            base: None,
            question: words,
            at: opened.mesh.clock.now(),
            actor: opened.mesh.actor.clone(),
            objects: 0,
            preview: data.clone(),
        })
    });
    let mut spelled = text.into_spelled()?;
    spelled.text.push_str(&queue);
    Ok(Preview { data, spelled, kept: kept.transpose()? })
}

fn data(foreseen: &Foreseen<Sink>, in_force: &InForce) -> anyhow::Result<Json> {
    let holds = holds_data(&foreseen.holds, in_force)?;
    Ok(json!({ "counts": foreseen.counts, "groups": foreseen.groups, "flows": foreseen.flows, "holds": holds,
        "findings": foreseen.findings, "imports": foreseen.imports }))
}

/// Holds with the names of their connectors.
pub(super) fn holds_data(holds: &[HoldRow], in_force: &InForce) -> anyhow::Result<Json> {
    let mut data = serde_json::to_value(holds)?;
    for (row, hold) in data.as_array_mut().into_iter().flatten().zip(holds) {
        row["connector"] = in_force.name_of(hold.connector).into();
    }
    Ok(data)
}

/// Spells parts out, and keeps them where that was asked for.
struct Sink {
    text: Text,
    keeping: Option<PlanWriter>,
}

impl PartSink for Sink {
    fn part(&mut self, plan: &Plan) {
        self.text.part(plan);
        self.keeping.iter_mut().for_each(|writer| writer.part(plan));
    }
}
