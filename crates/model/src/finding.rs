//! Findings: what is wrong with one object, said without stopping the others.

use serde::{Deserialize, Serialize};

use crate::{ConnectorId, MeshId, Name, SpaceId, Text};

/// Something that a person should know about one object or the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// A stable code such as `JOI-001`; has a page in `docs/error-codes`.
    pub code: Text,
    /// The connector it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<ConnectorId>,
    /// The management-space object it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<SpaceId>,
    /// The mesh object it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mesh: Option<MeshId>,
    /// How a person knows the object: its external id, anchor or place in the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The attribute it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<Name>,
    /// One sentence in lower case: what is wrong and what follows from it.
    pub message: String,
}

impl Finding {
    /// A finding that concerns nothing in particular yet.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: Text::const_new(code),
            connector: None,
            space: None,
            mesh: None,
            subject: None,
            attribute: None,
            message: message.into(),
        }
    }

    /// About an attribute.
    #[must_use]
    pub const fn on(mut self, attribute: Name) -> Self {
        self.attribute = Some(attribute);
        self
    }

    /// About a management-space object.
    #[must_use]
    pub fn about(mut self, connector: ConnectorId, space: SpaceId, external_id: &str) -> Self {
        (self.connector, self.space) = (Some(connector), Some(space));
        self.subject = Some(external_id.to_owned());
        self
    }
}
