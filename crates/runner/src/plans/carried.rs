//! A configuration that a plan brings: put in force later, exactly as it was looked at.
//!
//! It is kept as a store keeps it, with the schemas that connected systems had and with the numbers that its rules and
//! connectors were going to have; the plan's changes hold these. A store that would number them otherwise refuses it.

use std::collections::BTreeMap;

use identitymesh_engine::rules::number_keys;
use identitymesh_model::rules::Configuration;
use identitymesh_store::Configured;
use serde::{Deserialize, Serialize};

use crate::force::{Stored, connector_names, put};
use crate::{Mesh, RunError};

/// The configuration of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Carried {
    /// The version with which it was compared.
    pub(crate) base: i64,
    /// As it is stored.
    body: String,
    /// What it becomes.
    becomes: Configured,
}

impl Carried {
    /// What is in force in a copy of a mesh, where that had `base` in force; `None` when nothing else is.
    pub(crate) fn of(copy: &Mesh, base: i64) -> Result<Option<Self>, RunError> {
        let in_force = copy.in_force()?;
        if in_force.version == base {
            return Ok(None);
        }
        let mut reader = copy.store.read()?;
        let stored = reader.configuration()?.ok_or(RunError::NoConfiguration)?;
        let numbers: BTreeMap<String, i64> = reader.numbers()?.into_iter().collect();
        let connectors = connector_names(&in_force.configuration).into_iter();
        let connectors = connectors.map(|name| in_force.id(name)).collect::<Result<_, _>>()?;
        let keys = number_keys(&in_force.configuration, &in_force.schemas);
        let numbers = keys.iter().filter_map(|key| numbers.get(key)).copied().collect();
        let becomes = Configured { version: stored.version, connectors, numbers };
        Ok(Some(Self { base, body: stored.body, becomes }))
    }

    /// The configuration itself.
    pub(crate) fn configuration(&self) -> Result<Configuration, RunError> {
        self.stored().map(|stored| stored.configuration)
    }

    fn stored(&self) -> Result<Stored, RunError> {
        serde_json::from_str(&self.body).map_err(|source| RunError::Stored { what: "configuration", source })
    }

    /// Whether it is in force already.
    pub(crate) fn is_in_force(&self, mesh: &Mesh) -> Result<bool, RunError> {
        let now = mesh.store.read()?.configuration()?;
        Ok(now.is_some_and(|now| now.version == self.becomes.version && now.body == self.body))
    }

    /// Puts it in force as it is, in one transaction; no connected system is asked.
    pub(crate) fn put_in_force(&self, mesh: &Mesh) -> Result<(), RunError> {
        put(mesh, self.stored()?, self.body.clone(), Some(self.becomes.clone())).map(drop)
    }
}
