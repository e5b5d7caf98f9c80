//! The kind `sqlite`.

use async_trait::async_trait;
use identitymesh_connector::{
    Capabilities, ConnectorError, ConnectorKind, Context, Descriptor, Problem, Session, SettingKind,
    SettingSchema, Settings, SettingsSchema,
};

use super::session::SqliteSession;
use crate::settings::read_types;

/// Connects to SQLite databases.
#[derive(Clone, Debug)]
pub struct SqliteKind {
    descriptor: Descriptor,
}

impl SqliteKind {
    /// The kind.
    #[must_use]
    pub fn new() -> Self {
        let settings = vec![
            SettingSchema::required(
                "path",
                SettingKind::Path,
                "The database file. It has to be there; it is never created.",
            ),
            SettingSchema::required(
                "types",
                SettingKind::Structure,
                "One table for each object type: table or query, key, and how changes are found and written.",
            ),
            SettingSchema::optional(
                "empty_is_absent",
                SettingKind::Boolean,
                "Whether the empty text in a column means that there is no value.",
            )
            .or(true),
        ];
        let capabilities = Capabilities {
            full_import: true,
            delta_import: true,
            export: true,
            discover: true,
            hierarchical: false,
            compare_and_set: true,
            follow: false,
            mends_references: false,
            set_password: false,
            must_change_password: false,
        };
        Self {
            descriptor: Descriptor {
                kind: "sqlite",
                title: "SQLite",
                summary: "Tables, views and queries of a SQLite database file.",
                capabilities,
                settings: SettingsSchema { settings },
            },
        }
    }
}

impl Default for SqliteKind {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl ConnectorKind for SqliteKind {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn validate(&self, settings: &Settings) -> Vec<Problem> {
        read_types(settings).err().unwrap_or_default()
    }

    fn has_whole_schema(&self) -> bool {
        true
    }

    async fn connect(
        &self,
        settings: &Settings,
        context: &Context,
    ) -> Result<Box<dyn Session>, ConnectorError> {
        Ok(Box::new(SqliteSession::open(settings, context).await?))
    }
}
