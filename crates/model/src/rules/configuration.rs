//! A whole configuration.

use serde::{Deserialize, Serialize};

use super::{ConnectorConfig, MeshConfig};
use crate::Name;

/// Everything that decides how a mesh behaves, apart from process settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// What the mesh itself holds.
    pub mesh: MeshConfig,
    /// The connectors, ordered by name.
    pub connectors: Vec<ConnectorConfig>,
}

impl Configuration {
    /// One connector by name.
    #[must_use]
    pub fn connector(&self, name: Name) -> Option<&ConnectorConfig> {
        self.connectors.iter().find(|connector| connector.connector.name == name)
    }
}
