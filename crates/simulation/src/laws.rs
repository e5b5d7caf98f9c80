//! What holds at every moment of every life, whatever failed. `docs/reliability.md` says which promise each law is of.
//!
//! The laws take the truth from the simulated systems and from what they saw themselves after earlier steps.

mod absence;
mod foreign;
mod grace;
pub(crate) mod guard;
mod past;
mod record;
mod store;
mod systems;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use identitymesh_connector::ImportedObject;
use identitymesh_model::rules::SourceLeave;
use identitymesh_model::{ConnectorId, Name, Text, Timestamp, Value};
use identitymesh_store::{Reader, StoreError};

use crate::outside::Outside;
use crate::said::Said;
use crate::step::Step;
use crate::systems::{Systems, Which, name};

pub(crate) use store::check_whole_audit;
use store::{Audit, Tables};

/// What a law says when it is broken.
pub(crate) type Verdict = Result<(), String>;

fn broken<T>(law: &str, what: impl Display) -> Result<T, String> {
    Err(format!("{law}: {what}"))
}

pub(crate) fn unreadable(error: StoreError) -> String {
    format!("the store cannot be read: {error}")
}

/// Where a life stands when the laws are checked.
pub(crate) struct Scene<'a> {
    pub(crate) systems: &'a Systems,
    pub(crate) outside: &'a Outside,
    pub(crate) said: &'a Said,
    pub(crate) connectors: &'a BTreeMap<ConnectorId, Which>,
    pub(crate) loss: SourceLeave,
    pub(crate) now: Timestamp,
    /// What happened since they were checked last.
    pub(crate) step: &'a Step,
}

/// What the laws remember from one step to the next.
#[derive(Default)]
pub(crate) struct Memory {
    /// People who were seen to have an account.
    served: BTreeSet<usize>,
    audit: Audit,
    targets: Targets,
    absence: absence::Absence,
    pub(crate) guard: guard::Guard,
    record: record::Record,
    foreign: foreign::Foreign,
    grace: grace::Grace,
    past: past::Past,
}

impl Memory {
    /// Checks everything after the product or a person was at work.
    pub(crate) fn check(&mut self, reader: &mut dyn Reader, scene: &Scene<'_>) -> Verdict {
        let tables = Tables::read(reader, &self.audit).map_err(unreadable)?;
        let targets = Targets::of(scene.systems);
        store::check(&tables, &mut self.audit, scene.said)?;
        let gone = self.absence.check(&tables, scene)?;
        self.guard.check(reader, &tables, scene, &gone, [&self.targets, &targets])?;
        self.record.check(&tables, scene, [&self.targets, &targets])?;
        self.foreign.check(scene, &targets)?;
        self.grace.check(&tables, scene, &gone)?;
        self.past.check(reader, &tables, scene.now)?;
        self.check_systems(targets, scene)
    }

    /// Checks the systems alone after something happened outside, while the product slept.
    pub(crate) fn check_outside(&mut self, scene: &Scene<'_>) -> Verdict {
        let targets = Targets::of(scene.systems);
        self.foreign.note(&self.targets, &targets, scene.outside);
        self.check_systems(targets, scene)
    }

    /// Reads more of the past than each step has time for.
    pub(crate) fn check_all_past(&mut self, reader: &mut dyn Reader) -> Verdict {
        self.past.check_all(reader)
    }

    fn check_systems(&mut self, targets: Targets, scene: &Scene<'_>) -> Verdict {
        systems::check(&targets, scene, &mut self.served)?;
        self.targets = targets;
        Ok(())
    }
}

/// What the targets hold: each object by system, type and external id.
#[derive(Default)]
pub(crate) struct Targets(BTreeMap<(Which, Name, Text), ImportedObject>);

impl Targets {
    fn of(systems: &Systems) -> Self {
        let objects = |which: Which| {
            let objects = systems.get(which).objects().into_iter();
            objects.map(move |object| ((which, object.object_type, object.external_id.clone()), object))
        };
        Self(Which::TARGETS.into_iter().flat_map(objects).collect())
    }

    fn directory(&self, object_type: Name) -> impl Iterator<Item = &ImportedObject> {
        let all =
            self.0.iter().filter(move |((which, of, _), _)| (*which, *of) == (Which::Directory, object_type));
        all.map(|(_, object)| object)
    }
}

/// The anchor of the person or team whose object in a target this is.
fn owner(object: &ImportedObject) -> String {
    let key = ["uid", "cn", "id"].into_iter().find_map(|key| object.attributes.single(name(key)));
    key.map(Value::to_string).unwrap_or_default()
}
