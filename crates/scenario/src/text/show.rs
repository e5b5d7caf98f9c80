//! What happened, as lines of text.

use std::collections::BTreeMap;

use identitymesh_engine::Outcome;
use identitymesh_model::plan::{PlanNames as _, write_plan};
use identitymesh_model::{Finding, MeshState, Name, Object, Value, Values};

use crate::{Moment, World, WorldNames};

/// Shows parts of a plan, each with its findings.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) lines: Vec<String>,
    purged: Vec<String>,
}

impl Shown {
    /// Takes in a part: objects that go are named before, everything else after.
    pub(super) fn part(&mut self, world: &World, outcome: &Outcome, moment: Moment) {
        let names = WorldNames(world);
        let mut text = String::new();
        if moment == Moment::Before {
            write_plan(&outcome.plan, &names, &mut text);
            self.purged = text.lines().map(str::to_owned).collect();
            return;
        }
        write_plan(&outcome.plan, &names, &mut text);
        let before = std::mem::take(&mut self.purged);
        let after: Vec<&str> = text.lines().collect();
        // The same plan written twice: a line that names something that is gone is better in the first.
        let is_same = before.len() == after.len();
        for (at, line) in after.into_iter().enumerate() {
            let nameless = line.contains("a former object") || line.contains("a former mesh object");
            self.lines.push(if nameless && is_same { before[at].clone() } else { line.to_owned() });
        }
        let mut findings: Vec<String> =
            outcome.findings.iter().map(|finding| finding_line(world, finding)).collect();
        findings.sort_unstable();
        findings.dedup();
        self.lines.extend(findings);
    }
}

fn finding_line(world: &World, finding: &Finding) -> String {
    let mut line = format!("! {}", finding.code);
    if let Some(connector) = finding.connector {
        line.push_str(&format!(" {}", world.connector_name(connector)));
    }
    if let Some(subject) = &finding.subject {
        line.push_str(&format!(" {subject}"));
    }
    if let Some(attribute) = finding.attribute {
        line.push_str(&format!(" ({attribute})"));
    }
    line.push_str(&format!(": {}", finding.message));
    line
}

/// All mesh objects, or those of a type, a line for each.
#[must_use]
pub fn mesh(world: &World, only: Option<Name>) -> Vec<String> {
    let names = WorldNames(world);
    let records = world.state.mesh.values().filter(|record| only.is_none_or(|only| record.mesh_type == only));
    let mut lines: Vec<String> = records
        .map(|record| {
            let state = match record.state {
                MeshState::Active => "",
                MeshState::Leaving { .. } => " (leaving)",
                MeshState::Deleted { .. } => " (deleted)",
            };
            let links: Vec<String> =
                world.state.linked(record.id).map(|space| names.space(space.record.id)).collect();
            let attributes = attributes(&record.doc, &|key| names.mesh(key));
            format!("{} {}{state}: {attributes} [{}]", record.mesh_type, record.anchor, links.join(", "))
        })
        .collect();
    lines.sort_unstable();
    lines
}

/// What a simulated system holds.
pub(super) fn system(world: &World, connector: Name) -> Vec<String> {
    let system = world.connector(connector).and_then(|id| world.systems.get(&id));
    let objects = system.into_iter().flat_map(|system| system.iter());
    let lines = objects.map(|(object_type, id, object)| {
        format!("{object_type} {id}: {}", attributes(object, &|key| format!("{key:?}")))
    });
    lines.collect()
}

/// How many mesh objects, links and queue items there are, by kind: for worlds too large to be shown.
pub(super) fn counts(world: &World) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: String| *counts.entry(what).or_insert(0) += 1;
    for record in world.state.mesh.values() {
        let state = match record.state {
            MeshState::Active => "active",
            MeshState::Leaving { .. } => "leaving",
            MeshState::Deleted { .. } => "deleted",
        };
        count(format!("mesh {} {state}", record.mesh_type));
    }
    let names = WorldNames(world);
    for space in world.state.spaces() {
        let linked = if space.record.link.is_some() { "linked" } else { "without a mesh object" };
        count(format!("{} {} {linked}", names.connector(space.record.connector), space.record.object_type));
    }
    for item in world.state.items.values() {
        count(format!("queued {} {}", names.connector(item.connector), item.operation));
    }
    counts.into_iter().map(|(what, count)| format!("{what}: {count}")).collect()
}

/// The queue.
pub(super) fn queue(world: &World) -> Vec<String> {
    let names = WorldNames(world);
    let lines = world.state.items.values().map(|item| {
        let state = match (&item.dead, item.in_flight, item.not_before) {
            (Some(reason), ..) => format!("put aside: {reason}"),
            (None, true, _) => "sent, without an answer".to_owned(),
            (None, false, Some(at)) => format!("waits until {at}"),
            (None, false, None) => "waits".to_owned(),
        };
        let target = names.connector(item.connector);
        format!("{target} {} for {}: {state}", item.operation, names.mesh_called(item.mesh))
    });
    lines.collect()
}

fn attributes(object: &Object, called: &dyn Fn(&str) -> String) -> String {
    let one = |value: &Value| match value {
        Value::Reference(key) => format!("→{}", called(key)),
        other => format!("{other:?}"),
    };
    let shown = object.iter().map(|(name, values)| {
        let list: Vec<String> = values.as_slice().iter().map(one).collect();
        match values {
            Values::One(_) => format!("{name} = {}", list.concat()),
            Values::Set(_) => format!("{name} = [{}]", list.join(", ")),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}
