//! A plan spelled out, part by part as it is made.

use std::sync::Arc;

use identitymesh_model::plan::{ObjectPlan, Plan, PlanNames, write_plan};
use identitymesh_model::{ConnectorId, RuleId, SpaceId};
use identitymesh_runner::InForce;
use identitymesh_store::Store;

use crate::output::Output;

/// Objects that are spelled out where not all are asked for; all are counted.
const OBJECTS_SHOWN: usize = 200;

/// Names of numbers, from a configuration and a store.
pub(super) struct Names {
    pub(super) in_force: Arc<InForce>,
    pub(super) store: Arc<dyn Store>,
}

/// What was spelled out.
#[derive(Debug, Default)]
pub(super) struct Spelled {
    /// Without what was written already.
    pub(super) text: String,
    /// Whether anything was.
    pub(super) is_written: bool,
    /// Objects that were not.
    pub(super) left_out: u64,
}

/// Spells parts out while they come.
pub(super) struct Text {
    names: Names,
    is_whole: bool,
    /// Where all of it is written at once, so that nobody has to hold it.
    out: Option<Output>,
    failed: Option<anyhow::Error>,
    objects: usize,
    spaces: usize,
    spelled: Spelled,
    /// The first objects, spelled out together at the end.
    first: Plan,
}

impl Text {
    /// Of everything, or of the first objects. Everything goes straight to the output where people read it; a machine gets
    /// it in one piece.
    pub(super) fn new(is_whole: bool, names: Names, output: Output) -> Self {
        let (spelled, first) = (Spelled::default(), Plan::default());
        let out = Some(output).filter(|output| is_whole && !output.json);
        Self { names, is_whole, out, failed: None, objects: 0, spaces: 0, spelled, first }
    }

    pub(super) fn part(&mut self, plan: &Plan) {
        if self.is_whole {
            write_plan(plan, &self.names, &mut self.spelled.text);
            self.write_out();
            return;
        }
        let told: Vec<&ObjectPlan> = plan.objects.iter().filter(|object| is_told(object)).collect();
        let room = OBJECTS_SHOWN.saturating_sub(self.objects);
        self.first.objects.extend(told.iter().take(room).map(|object| (*object).clone()));
        self.objects += told.len().min(room);
        self.spelled.left_out += told.len().saturating_sub(room) as u64;
        let room = OBJECTS_SHOWN.saturating_sub(self.spaces);
        self.first.spaces.extend(plan.spaces.iter().take(room).cloned());
        self.spaces += plan.spaces.len().min(room);
    }

    fn write_out(&mut self) {
        let Some(out) = self.out.filter(|_| self.failed.is_none() && !self.spelled.text.is_empty()) else {
            return;
        };
        self.failed = out.part(&self.spelled.text).err();
        self.spelled.text.clear();
        self.spelled.is_written = true;
    }

    /// What is left to write.
    ///
    /// # Errors
    /// When a part could not be written.
    pub(super) fn into_spelled(mut self) -> anyhow::Result<Spelled> {
        write_plan(&self.first, &self.names, &mut self.spelled.text);
        match self.failed {
            Some(failed) => Err(failed),
            None => Ok(self.spelled),
        }
    }
}

/// That an object is found by more keys than before, after a change of rules, is nothing to look at.
fn is_told(object: &ObjectPlan) -> bool {
    object.change.is_some()
        || !object.links.is_empty()
        || !object.edges.is_empty()
        || !object.items.is_empty()
        || !object.cancelled.is_empty()
        || !object.leaving.is_empty()
}

impl PlanNames for Names {
    fn connector(&self, id: ConnectorId) -> String {
        self.in_force.name_of(id)
    }

    fn rule(&self, id: RuleId) -> String {
        self.in_force.rules.rule_name(id)
    }

    fn space(&self, id: SpaceId) -> String {
        let record = self.store.read().and_then(|mut reader| reader.spaces(&[id]));
        match record.map(|mut records| records.pop().flatten()) {
            Ok(Some(record)) => format!("{}/{}", self.in_force.name_of(record.connector), record.external_id),
            _ => format!("object {id}"),
        }
    }

    fn mesh(&self, uid: &str) -> String {
        let find = || {
            let mut reader = self.store.read().ok()?;
            let id = reader.mesh_by_uid(uid.parse().ok()?).ok()??;
            reader.views(&[id]).ok()?.pop()?
        };
        find().map_or_else(
            || uid.to_owned(),
            |view| format!("{} {}", view.record.mesh_type, view.record.anchor),
        )
    }
}
