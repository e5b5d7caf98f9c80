//! Putting a configuration in force: checked as a whole, written in one transaction, compiled once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use identitymesh_connector::Registry;
use identitymesh_engine::rules::{CompileInput, RuleProblem, RuleSet, compile, number_keys};
use identitymesh_model::rules::{Configuration, ConnectorConfig};
use identitymesh_model::{ConnectorId, Name, Schema};
use identitymesh_store::{ConfigurationWrite, Configured, Reader, Store, StoredConfiguration};
use serde::{Deserialize, Serialize};

use crate::password::password_problems;
use crate::{Mesh, RunError};

/// A configuration in force.
pub struct InForce {
    /// Counts configurations from 1.
    pub version: i64,
    /// The configuration as data.
    pub configuration: Configuration,
    /// Its rules, compiled.
    pub rules: RuleSet,
    ids: BTreeMap<Name, ConnectorId>,
    bases: BTreeMap<Name, PathBuf>,
    /// What each connected system said of its object types.
    pub schemas: BTreeMap<Name, Schema>,
}

/// What is stored of a configuration: beside the rules, where paths start and what schemas were found.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) configuration: Configuration,
    bases: BTreeMap<Name, PathBuf>,
    schemas: BTreeMap<Name, Schema>,
}

/// What became of putting a configuration in force.
#[derive(Debug)]
pub struct Applied {
    /// The new version; the old one when nothing changed.
    pub version: i64,
    /// Whether anything changed.
    pub changed: bool,
    /// Connectors whose system could not be asked for its schema, and why: their rules are checked without it.
    pub unasked: Vec<(Name, String)>,
}

impl InForce {
    pub(crate) fn load(store: &dyn Store, registry: &Registry) -> Result<Option<Self>, RunError> {
        let mut reader = store.read()?;
        let Some(stored) = reader.configuration()? else { return Ok(None) };
        Self::of(stored, reader.as_mut(), registry).map(Some)
    }

    /// A configuration as it was stored, compiled.
    pub(crate) fn of(
        stored: StoredConfiguration,
        reader: &mut dyn Reader,
        registry: &Registry,
    ) -> Result<Self, RunError> {
        let numbers = reader.numbers()?.into_iter().collect();
        let body: Stored = serde_json::from_str(&stored.body)
            .map_err(|source| RunError::Stored { what: "configuration", source })?;
        let ids = stored.connectors.into_iter().collect();
        Self::compile(stored.version, body, ids, numbers, registry).map_err(RunError::Rules)
    }

    fn compile(
        version: i64,
        stored: Stored,
        ids: BTreeMap<Name, ConnectorId>,
        numbers: BTreeMap<String, i64>,
        registry: &Registry,
    ) -> Result<Self, Vec<RuleProblem>> {
        let Stored { configuration, bases, schemas } = stored;
        let input = CompileInput {
            connectors: ids.clone(),
            numbers,
            schemas: schemas.clone(),
            hierarchical: hierarchical(&configuration, registry),
        };
        let rules = compile(&configuration, &input)?;
        Ok(Self { version, configuration, rules, ids, bases, schemas })
    }

    /// One connector's configuration.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn connector(&self, name: Name) -> Result<&ConnectorConfig, RunError> {
        self.configuration.connector(name).ok_or_else(|| {
            let known: Vec<&str> =
                self.configuration.connectors.iter().map(|known| known.connector.name.as_str()).collect();
            RunError::UnknownConnector { name: name.to_string(), known: known.join(", ") }
        })
    }

    /// One connector's id.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn id(&self, name: Name) -> Result<ConnectorId, RunError> {
        self.connector(name)?;
        self.ids.get(&name).copied().ok_or(RunError::NoConfiguration)
    }

    /// The name of a connector, also of one that is not in the configuration any more.
    #[must_use]
    pub fn name_of(&self, id: ConnectorId) -> String {
        self.ids
            .iter()
            .find(|(_, known)| **known == id)
            .map_or_else(|| format!("connector {id}"), |(name, _)| name.to_string())
    }

    /// Where a connector's relative paths start.
    #[must_use]
    pub fn base(&self, name: Name) -> &Path {
        self.bases.get(&name).map_or(Path::new("."), PathBuf::as_path)
    }

    /// Connectors that projection rules write to, in the order of their names.
    #[must_use]
    pub fn targets(&self) -> Vec<Name> {
        let targets = self.configuration.connectors.iter().filter(|known| !known.projection.is_empty());
        targets.filter(|known| known.connector.enabled).map(|known| known.connector.name).collect()
    }
}

/// The configuration that had a version, where it is kept.
pub fn configuration_of(reader: &mut dyn Reader, version: i64) -> Result<Option<Configuration>, RunError> {
    let Some(stored) = reader.configuration_of(version)? else { return Ok(None) };
    let body: Stored = serde_json::from_str(&stored.body)
        .map_err(|source| RunError::Stored { what: "configuration", source })?;
    Ok(Some(body.configuration))
}

fn hierarchical(configuration: &Configuration, registry: &Registry) -> Vec<Name> {
    let is_tree =
        |kind: &str| registry.get(kind).is_some_and(|kind| kind.descriptor().capabilities.hierarchical);
    let heads = configuration.connectors.iter().map(|known| &known.connector);
    heads.filter(|head| is_tree(&head.kind)).map(|head| head.name).collect()
}

/// Everything that is wrong with a configuration's rules, without a store: every rule gets a stand-in number.
///
/// # Errors
/// All problems.
pub fn check_configuration(
    configuration: &Configuration,
    schemas: BTreeMap<Name, Schema>,
    registry: &Registry,
) -> Result<RuleSet, Vec<RuleProblem>> {
    let numbers = number_keys(configuration, &schemas).into_iter().zip(1..).collect();
    let connectors = configuration.connectors.iter().map(|known| known.connector.name);
    let connectors = connectors.zip(1..).map(|(name, id)| (name, ConnectorId(id))).collect();
    let hierarchical = hierarchical(configuration, registry);
    let compiled = compile(configuration, &CompileInput { connectors, numbers, schemas, hierarchical });
    let passwords = password_problems(configuration, registry);
    match compiled {
        Ok(rules) if passwords.is_empty() => Ok(rules),
        Ok(_) => Err(passwords),
        Err(problems) => Err([problems, passwords].concat()),
    }
}

/// Checks a configuration as a whole and puts it in force.
///
/// # Errors
/// When a rule is wrong, in which case nothing changes, or when the store cannot be written.
pub async fn apply_configuration(
    mesh: &Mesh,
    configuration: Configuration,
    bases: BTreeMap<Name, PathBuf>,
) -> Result<Applied, RunError> {
    let provisional = InForce {
        version: 0,
        configuration: configuration.clone(),
        rules: RuleSet::default(),
        ids: configuration.connectors.iter().map(|known| (known.connector.name, ConnectorId(0))).collect(),
        bases: bases.clone(),
        schemas: BTreeMap::new(),
    };
    let before = mesh.in_force().ok();
    let mut schemas = BTreeMap::new();
    let mut unasked = Vec::new();
    for connector in configuration.connectors.iter().filter(|known| known.connector.enabled) {
        let name = connector.connector.name;
        match ask_schema(mesh, &provisional, name).await {
            Ok(schema) => drop(schemas.insert(name, schema)),
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => {
                // What was known stays known: an outage at the wrong moment must not make a target a stranger.
                if let Some(schema) = before.as_ref().and_then(|before| before.schemas.get(&name)) {
                    schemas.insert(name, schema.clone());
                }
                unasked.push((name, in_full(&error)));
            }
        }
    }
    check_configuration(&configuration, schemas.clone(), &mesh.registry).map_err(RunError::Rules)?;
    let stored = Stored { configuration, bases, schemas };
    let body = serde_json::to_string(&stored)
        .map_err(|source| RunError::Stored { what: "configuration", source })?;
    let old = mesh.store.read()?.configuration()?;
    if let Some(old) = old.filter(|old| old.body == body) {
        return Ok(Applied { version: old.version, changed: false, unasked });
    }
    let version = put(mesh, stored, body, None)?;
    Ok(Applied { version, changed: true, unasked })
}

/// Writes a configuration in one transaction, with what it has to become where that matters, and puts it in force.
pub(crate) fn put(
    mesh: &Mesh,
    stored: Stored,
    body: String,
    expected: Option<Configured>,
) -> Result<i64, RunError> {
    let names = connector_names(&stored.configuration);
    let keys = number_keys(&stored.configuration, &stored.schemas);
    let write = ConfigurationWrite {
        actor: mesh.actor.clone(),
        at: mesh.clock.now(),
        body,
        connectors: names.clone(),
        keys: keys.clone(),
        look_again: true,
        expected,
    };
    let configured = mesh.store.configure(write).wait()?;
    let ids = names.into_iter().zip(configured.connectors).collect();
    let numbers = keys.into_iter().zip(configured.numbers).collect();
    let in_force = InForce::compile(configured.version, stored, ids, numbers, &mesh.registry)
        .map_err(RunError::Rules)?;
    mesh.put_in_force(in_force);
    Ok(configured.version)
}

pub(crate) fn connector_names(configuration: &Configuration) -> Vec<Name> {
    configuration.connectors.iter().map(|known| known.connector.name).collect()
}

async fn ask_schema(mesh: &Mesh, in_force: &InForce, name: Name) -> Result<Schema, RunError> {
    let mut session = mesh.connect(in_force, name).await?;
    Ok(session.schema().await?)
}

/// An error with all its causes, on one line.
pub(crate) fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
