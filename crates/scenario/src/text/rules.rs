//! Rules in the form of configuration as code, with schemas of the simulated systems beside them.
//!
//! A connector's block is what its file would hold. Beside that it may say `tree = true`, and give schemas:
//! `[schema.user]` with `key`, `address` and `attributes`. A block for something that has rules already adds to them:
//! lists are joined, tables merged, single values replaced.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_engine::rules::RuleProblem;
use identitymesh_model::rules::{Configuration, ConnectorConfig, MeshConfig};
use identitymesh_model::{AttributeSchema, AttributeType, Name, ObjectSchema, Schema, Timestamp};
use serde::Deserialize;

use crate::{Systems, World};

/// Rules while they are gathered: TOML by the name of its file, `mesh` or a connector.
#[derive(Clone, Debug, Default)]
pub struct Rules(BTreeMap<String, toml::Table>);

/// What the gathered rules say.
pub(super) struct Gathered {
    pub(super) configuration: Configuration,
    pub(super) systems: Systems,
    /// External ids: connector, object type, attribute.
    pub(super) keys: Vec<(Name, Name, Name)>,
}

#[derive(Default, Deserialize)]
struct SystemTable {
    #[serde(default)]
    tree: bool,
    #[serde(default)]
    schema: BTreeMap<Name, TypeTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeTable {
    key: Option<Name>,
    address: Option<Name>,
    #[serde(default)]
    attributes: BTreeMap<Name, AttributeType>,
    #[serde(default)]
    ignore_case: BTreeSet<Name>,
    #[serde(default)]
    refers_by: BTreeMap<Name, Name>,
}

impl Rules {
    /// Adds a block to what is there.
    ///
    /// # Errors
    /// When it is no TOML.
    pub fn add(&mut self, part: &str, text: &str) -> Result<(), String> {
        let table: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
        merge(self.0.entry(part.to_owned()).or_default(), table);
        Ok(())
    }

    /// Puts a block in the place of what is there.
    ///
    /// # Errors
    /// When it is no TOML.
    pub fn replace(&mut self, part: &str, text: &str) -> Result<(), String> {
        self.0.remove(part);
        self.add(part, text)
    }

    /// Sets one value, found by keys and by positions counted from 1, apart by dots.
    ///
    /// # Errors
    /// When the value is no TOML, or nothing is there.
    pub fn set(&mut self, part: &str, path: &str, value: &str) -> Result<(), String> {
        let table: toml::Table = format!("value = {value}").parse().map_err(|error| format!("{error}"))?;
        let mut at = self.0.get_mut(part).ok_or_else(|| format!("there are no rules of {part}"))?;
        let (way, last) = path.rsplit_once('.').map_or((None, path), |(way, last)| (Some(way), last));
        let mut steps = way.into_iter().flat_map(|way| way.split('.')).peekable();
        while let Some(key) = steps.next() {
            let nothing = || format!("there is nothing at {key}");
            let mut next = at.get_mut(key).ok_or_else(nothing)?;
            if let Some(position) = steps.next_if(|step| step.parse::<usize>().is_ok()) {
                let position: usize = position.parse().expect("it was seen above");
                let list = next.as_array_mut().ok_or_else(nothing)?;
                next = list.get_mut(position.wrapping_sub(1)).ok_or_else(nothing)?;
            }
            at = next.as_table_mut().ok_or_else(nothing)?;
        }
        at.insert(last.to_owned(), table["value"].clone());
        Ok(())
    }

    /// Takes a connector out.
    pub fn remove(&mut self, part: &str) -> bool {
        self.0.remove(part).is_some()
    }

    /// A world in which these rules are in force.
    ///
    /// # Errors
    /// What is wrong with the rules.
    pub fn world(&self, now: Timestamp) -> Result<World, String> {
        self.gather()?
            .world(now)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    pub(super) fn gather(&self) -> Result<Gathered, String> {
        let mut gathered = Gathered {
            configuration: Configuration::default(),
            systems: Systems::default(),
            keys: Vec::new(),
        };
        for (part, table) in &self.0 {
            if part == "mesh" {
                gathered.configuration.mesh = read::<MeshConfig>(part, table.clone())?;
                continue;
            }
            let name = Name::new(part).map_err(|error| error.to_string())?;
            let mut table = table.clone();
            let mut system = toml::Table::new();
            for key in ["tree", "schema"] {
                system.extend(table.remove(key).map(|value| (key.to_owned(), value)));
            }
            let system: SystemTable = read(part, system)?;
            let head = table.entry("connector").or_insert_with(|| toml::Table::new().into());
            if let Some(head) = head.as_table_mut() {
                head.insert("name".to_owned(), part.as_str().into());
                head.entry("type").or_insert_with(|| "simulated".into());
            }
            gathered.configuration.connectors.push(read::<ConnectorConfig>(part, table)?);
            if system.tree {
                gathered.systems.trees.push(name);
            }
            let keys = system.schema.iter().filter_map(|(of, schema)| Some((name, *of, schema.key?)));
            gathered.keys.extend(keys);
            if !system.schema.is_empty() {
                gathered.systems.schemas.insert(name, schema(system));
            }
        }
        Ok(gathered)
    }
}

impl Gathered {
    /// A world with systems keyed as the rules say.
    pub(super) fn world(&self, now: Timestamp) -> Result<World, Vec<RuleProblem>> {
        let mut world = World::new(&self.configuration, &self.systems, now)?;
        for (connector, object_type, key) in &self.keys {
            let system = world.connector(*connector).and_then(|id| world.systems.get_mut(&id));
            system.expect("every connector has a system").keys.insert(*object_type, *key);
        }
        Ok(world)
    }
}

fn schema(system: SystemTable) -> Schema {
    let object_types = system.schema.into_iter().map(|(object_type, table)| {
        let mut attributes: Vec<AttributeSchema> = table
            .attributes
            .into_iter()
            .map(|(name, kind)| AttributeSchema {
                ignore_case: table.ignore_case.contains(&name),
                refers_by: table.refers_by.get(&name).copied(),
                ..AttributeSchema::new(name, kind)
            })
            .collect();
        for name in table.key.into_iter().chain(table.address) {
            if attributes.iter().all(|known| known.name != name) {
                attributes.push(AttributeSchema::new(name, AttributeType::STRING));
            }
        }
        ObjectSchema { object_type, address: table.address, attributes }
    });
    Schema { object_types: object_types.collect() }
}

/// Reads a table; a key that nobody knows is a mistake.
fn read<T: serde::de::DeserializeOwned>(part: &str, table: toml::Table) -> Result<T, String> {
    let mut unknown = Vec::new();
    let read = serde_ignored::deserialize(toml::Value::Table(table), |path| unknown.push(path.to_string()));
    let read = read.map_err(|error| format!("rules {part}: {error}"))?;
    if unknown.is_empty() { Ok(read) } else { Err(format!("rules {part}: unknown: {}", unknown.join(", "))) }
}

fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(into)), toml::Value::Table(from)) => merge(into, from),
            (Some(toml::Value::Array(into)), toml::Value::Array(from)) => into.extend(from),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}
