//! `preview`: what a sync would change, tried on a copy of the store that is thrown away.
//!
//! The copy makes the preview exact over any population: the same engine runs on the same state to its end, parts see
//! what earlier parts did, and nothing of it can reach the mesh or a target.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use identitymesh_engine::Outcome;
use identitymesh_model::plan::{Plan, PlanNames, write_plan};
use identitymesh_model::{ConnectorId, Finding, MeshId, Name, RuleId, SpaceId};
use identitymesh_runner::{InForce, Mesh, Observer, RunReport, SyncScope, sync};
use serde_json::{Value as Json, json};

use super::lookup::mesh_object;
use super::{Done, Shell};
use crate::open::{Opened, open, registry};
use crate::output::{counted, thousands};

/// Most objects that a preview spells out; all are counted.
const OBJECTS_SHOWN: usize = 200;

/// A preview's plan.
pub(crate) struct Preview {
    counters: BTreeMap<String, u64>,
    text: String,
    left_out: usize,
    findings: Vec<Finding>,
}

impl Preview {
    /// For machines.
    pub(crate) fn data(&self) -> Json {
        json!({ "counts": self.counters, "plan": self.text, "objects_left_out": self.left_out, "findings": self.findings })
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        if self.counters.is_empty() && self.text.is_empty() {
            return "nothing would change".to_owned();
        }
        let mut out = self.text.clone();
        if self.left_out > 0 {
            let more = counted(self.left_out as u64, "more object", "more objects");
            out.push_str(&format!("… and {more}\n"));
        }
        for finding in &self.findings {
            let subject = finding.subject.as_deref().unwrap_or_default();
            out.push_str(&format!("finding {} {subject}: {}\n", finding.code, finding.message));
        }
        out.push('\n');
        let counts: Vec<String> =
            self.counters.iter().map(|(name, count)| format!("{name} {}", thousands(*count))).collect();
        out.push_str(&counts.join(", "));
        out
    }
}

pub(super) fn run(shell: &Shell, connector: Option<&str>, object: Option<&str>) -> anyhow::Result<Done> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let wanted = match object {
        Some(called) => Some(mesh_object(opened.mesh.store.read()?.as_mut(), called)?.record.id),
        None => None,
    };
    let scopes = match (connector, object) {
        (Some(name), _) => vec![SyncScope::Pending(Name::new(name)?)],
        (None, Some(_)) => vec![SyncScope::Everything],
        (None, None) => in_force
            .configuration
            .connectors
            .iter()
            .map(|known| SyncScope::Pending(known.connector.name))
            .collect(),
    };
    let preview = preview(shell, &opened, scopes, wanted, |_| Box::pin(async { Ok(()) }))?;
    shell.output.answer(&preview.data(), || preview.text())?;
    Ok(Done::Well)
}

type Prepared<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>>;

/// What looking at everything would change after `prepare` has been at the copy.
pub(crate) fn preview_all(
    shell: &Shell,
    opened: &Opened,
    prepare: impl FnOnce(Mesh) -> Prepared<'static>,
) -> anyhow::Result<Preview> {
    preview(shell, opened, vec![SyncScope::Everything], None, prepare)
}

fn preview(
    shell: &Shell,
    opened: &Opened,
    scopes: Vec<SyncScope>,
    wanted: Option<MeshId>,
    prepare: impl FnOnce(Mesh) -> Prepared<'static>,
) -> anyhow::Result<Preview> {
    let scratch = tempfile::Builder::new()
        .prefix("preview-")
        .tempdir_in(&opened.data)
        .context("a directory for the copy could not be made below the data directory")?;
    opened.store.copy_to(&scratch.path().join(crate::open::STORE_FILE))?;
    let collector = Arc::new(Collector { wanted, ..Collector::default() });
    let copy = open(scratch.path(), true, registry(), collector.clone(), shell.cancel.clone())?;
    let reports = shell.block_on(async {
        prepare(copy.mesh.clone()).await?;
        let mut reports: Vec<RunReport> = Vec::new();
        for scope in scopes {
            reports.push(sync(&copy.mesh, scope).await?);
        }
        Ok(reports)
    })?;
    let mut counters = BTreeMap::new();
    for (name, count) in reports.iter().flat_map(|report| &report.counters) {
        *counters.entry(name.clone()).or_insert(0) += count;
    }
    let in_force = copy.mesh.in_force()?;
    let collected = std::mem::take(&mut *collector.lock());
    let names = Names { in_force: &in_force, copy: &copy };
    let mut text = String::new();
    write_plan(&collected.plan, &names, &mut text);
    if wanted.is_some() {
        counters.clear();
    }
    Ok(Preview { counters, text, left_out: collected.left_out, findings: collected.findings })
}

#[derive(Default)]
struct Collector {
    wanted: Option<MeshId>,
    collected: Mutex<Collected>,
}

#[derive(Default)]
struct Collected {
    plan: Plan,
    left_out: usize,
    findings: Vec<Finding>,
}

impl Collector {
    fn lock(&self) -> std::sync::MutexGuard<'_, Collected> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Collector {
    fn planned(&self, outcome: &Outcome) {
        let mut collected = self.lock();
        for object in
            outcome.plan.objects.iter().filter(|object| self.wanted.is_none_or(|id| object.id == id))
        {
            if collected.plan.objects.len() < OBJECTS_SHOWN {
                collected.plan.objects.push(object.clone());
            } else {
                collected.left_out += 1;
            }
        }
        if self.wanted.is_none() {
            let room = OBJECTS_SHOWN.saturating_sub(collected.plan.spaces.len());
            collected.plan.spaces.extend(outcome.plan.spaces.iter().take(room).cloned());
        }
        let concerns = |finding: &&Finding| self.wanted.is_none() || finding.mesh == self.wanted;
        let room = OBJECTS_SHOWN.saturating_sub(collected.findings.len());
        collected.findings.extend(outcome.findings.iter().filter(concerns).take(room).cloned());
    }
}

/// Names of numbers, from the configuration in force and a store.
pub(crate) struct Names<'a> {
    pub(crate) in_force: &'a InForce,
    pub(crate) copy: &'a Opened,
}

impl PlanNames for Names<'_> {
    fn connector(&self, id: ConnectorId) -> String {
        self.in_force.name_of(id)
    }

    fn rule(&self, id: RuleId) -> String {
        self.in_force.rules.rule_name(id)
    }

    fn space(&self, id: SpaceId) -> String {
        let record = self.copy.mesh.store.read().and_then(|mut reader| reader.spaces(&[id]));
        match record.map(|mut records| records.pop().flatten()) {
            Ok(Some(record)) => format!("{}/{}", self.in_force.name_of(record.connector), record.external_id),
            _ => format!("object {id}"),
        }
    }

    fn mesh(&self, uid: &str) -> String {
        let find = || {
            let mut reader = self.copy.mesh.store.read().ok()?;
            let id = reader.mesh_by_uid(uid.parse().ok()?).ok()??;
            reader.views(&[id]).ok()?.pop()?
        };
        find().map_or_else(
            || uid.to_owned(),
            |view| format!("{} {}", view.record.mesh_type, view.record.anchor),
        )
    }
}
