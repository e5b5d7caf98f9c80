//! A world in memory: everything a store would keep, and the connected systems around it.
//!
//! It answers the engine's questions and carries out its plans with the meaning of the store contract, so that what a
//! scenario shows is what an installation does. It trusts nothing: a plan that links what is linked already, changes
//! another version than there is, or leaves references and documents apart is a mistake of the engine and said so.

mod apply;
mod check;
mod decide;
mod export;
mod import;
mod index;
mod names;
mod neighbours;
mod reading;
mod send;
mod state;
mod sync;
mod system;
mod wakes;

pub use decide::Ask;
pub use export::Exported;
pub use import::{End, Incoming, Page, Patch};
pub use names::WorldNames;
pub use neighbours::Asked;
pub use state::{Space, State};
pub use sync::{Moment, Stopped};
pub use system::{Answer, ReadFault, System};

use std::collections::BTreeMap;

use identitymesh_engine::rules::{CompileInput, RuleProblem, RuleSet, compile, number_keys};
use identitymesh_model::rules::Configuration;
use identitymesh_model::{ConnectorId, Name, Schema, Timestamp};

/// Objects to a part of a sync, where nothing else is said.
const PART_OBJECTS: usize = 5_000;

/// Schemas of connected systems, and which of them are trees.
#[derive(Clone, Debug, Default)]
pub struct Systems {
    /// By connector.
    pub schemas: BTreeMap<Name, Schema>,
    /// Connectors whose objects live in a tree.
    pub trees: Vec<Name>,
}

/// Rules, state, clock and connected systems.
pub struct World {
    pub(crate) rules: RuleSet,
    input: CompileInput,
    /// What a store keeps.
    pub state: State,
    /// The connected systems, by connector.
    pub systems: BTreeMap<ConnectorId, System>,
    /// The present moment.
    pub now: Timestamp,
    /// Objects to a part of a sync.
    pub part_objects: usize,
    /// Steps after which the run at hand is stopped: parts of a sync, items of an export.
    pub stop_after: Option<usize>,
    /// What planning has asked for so far.
    pub asked: Asked,
    /// Every mesh object is looked at, as after a change of rules.
    looks_at_all: bool,
    run: i64,
    part: u64,
}

impl World {
    /// An empty world in which these rules are in force.
    ///
    /// # Errors
    /// What is wrong with the rules.
    pub fn new(
        configuration: &Configuration,
        systems: &Systems,
        now: Timestamp,
    ) -> Result<Self, Vec<RuleProblem>> {
        let mut world = Self {
            rules: RuleSet::default(),
            input: CompileInput::default(),
            state: State::default(),
            systems: BTreeMap::new(),
            now,
            part_objects: PART_OBJECTS,
            stop_after: None,
            asked: Asked::default(),
            looks_at_all: false,
            run: 0,
            part: 0,
        };
        world.put_in_force(configuration, systems)?;
        Ok(world)
    }

    /// Puts other rules in force. Numbers of rules, indexes and connectors stay what they were.
    ///
    /// # Errors
    /// What is wrong with the rules; those before stay in force.
    pub fn put_in_force(
        &mut self,
        configuration: &Configuration,
        systems: &Systems,
    ) -> Result<(), Vec<RuleProblem>> {
        for key in number_keys(configuration, &systems.schemas) {
            let next = i64::try_from(self.input.numbers.len()).expect("few rules") + 1;
            self.input.numbers.entry(key).or_insert(next);
        }
        for connector in &configuration.connectors {
            let next = ConnectorId(i64::try_from(self.input.connectors.len()).expect("few connectors") + 1);
            let id = *self.input.connectors.entry(connector.connector.name).or_insert(next);
            self.systems.entry(id).or_default();
        }
        self.input.schemas.clone_from(&systems.schemas);
        self.input.hierarchical.clone_from(&systems.trees);
        self.rules = compile(configuration, &self.input)?;
        Ok(())
    }

    /// The rules in force.
    #[must_use]
    pub const fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The connector called `name`.
    #[must_use]
    pub fn connector(&self, name: Name) -> Option<ConnectorId> {
        self.input.connectors.get(&name).copied()
    }

    /// How a connector is called, whether its rules are still in force or not.
    #[must_use]
    pub fn connector_name(&self, id: ConnectorId) -> String {
        let known = self.input.connectors.iter().find(|(_, known)| **known == id);
        known.map_or_else(|| id.to_string(), |(name, _)| name.to_string())
    }

    /// The attribute that holds addresses of this object type, where it has one.
    fn address(&self, connector: ConnectorId, object_type: Name) -> Option<Name> {
        self.rules.connector(connector)?.object_type(object_type)?.address()
    }
}
