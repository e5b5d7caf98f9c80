//! Configuration, numbers and secrets as a store keeps them.

use identitymesh_model::{ConnectorId, ContentHash, Name, RunId, Timestamp};
use serde::{Deserialize, Serialize};

/// A configuration to put in force.
#[derive(Clone, Debug)]
pub struct ConfigurationWrite {
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// The whole configuration as JSON.
    pub body: String,
    /// Its connectors.
    pub connectors: Vec<Name>,
    /// The keys of everything that rows refer to by number: rules and indexes. A key keeps its number for good.
    pub keys: Vec<String>,
    /// Whether every mesh object has to be looked at again. Set when rules changed.
    pub look_again: bool,
    /// What it has to become, where something was made with its numbers beforehand. When it would become anything
    /// else, the write is refused and nothing changes.
    pub expected: Option<Configured>,
}

/// What a configuration became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    /// Counts configurations from 1.
    pub version: i64,
    /// The connectors' ids, in the order asked. A name keeps its id for good.
    pub connectors: Vec<ConnectorId>,
    /// The numbers, in the order asked.
    pub numbers: Vec<i64>,
}

/// The configuration in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConfiguration {
    /// Counts configurations from 1.
    pub version: i64,
    /// When it was put in force.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// The whole configuration as JSON.
    pub body: String,
    /// Its hash.
    pub hash: ContentHash,
    /// All connectors ever known, by name.
    pub connectors: Vec<(Name, ConnectorId)>,
    /// The last run that looked at every mesh object under it, if any.
    pub full_sync: Option<RunId>,
}

/// A secret, or the wrapped data key: opaque to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRow {
    /// Its name.
    pub name: String,
    /// Everything else, sealed or public, as text made by the secrets component.
    pub body: String,
}
