//! A kind of connector: what it is called, what it can do, what it must be told.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::{ConnectorError, Context, Problem, Session, Settings, SettingsSchema};

/// What a kind of connector can do; said once, here, and nowhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Reads everything.
    pub full_import: bool,
    /// Reads what changed since a watermark.
    pub delta_import: bool,
    /// Writes.
    pub export: bool,
    /// Finds the schema by asking the system.
    pub discover: bool,
    /// Objects live in a tree and have an address that changes with a rename.
    pub hierarchical: bool,
    /// Refuses a change whose old values are not there any more.
    pub compare_and_set: bool,
    /// Tells changes as they happen, where the system offers it.
    pub follow: bool,
    /// The system may take out references to objects that are deleted, and let others follow a rename, without telling;
    /// which, the schema says of each attribute (`mended`).
    pub mends_references: bool,
    /// Sets passwords, where the system offers it.
    pub set_password: bool,
    /// Sets passwords that have to be changed at the next sign-in.
    pub must_change_password: bool,
}

/// A stateless description of one kind of connected system.
#[derive(Clone, Debug)]
pub struct Descriptor {
    /// The word in `type = "…"`.
    pub kind: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// One sentence: what it connects.
    pub summary: &'static str,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What it must be told.
    pub settings: SettingsSchema,
}

/// One kind of connected system.
#[async_trait]
pub trait ConnectorKind: Send + Sync {
    /// What it is and can do.
    fn descriptor(&self) -> &Descriptor;

    /// Everything that is wrong with the settings beyond their schema, all at once. Pure: touches nothing.
    fn validate(&self, settings: &Settings) -> Vec<Problem>;

    /// Whether the schema that a session finds names every attribute that any object can have, as the columns of a
    /// table do. Then an attribute that rules read and the schema lacks has vanished, and an import must not take it
    /// for withdrawn from everybody. Where records name their own attributes the schema is only a sample.
    fn has_whole_schema(&self) -> bool {
        false
    }

    /// What settings that are in order allow and should not allow for long, each in a sentence. Pure: touches nothing.
    fn warnings(&self, _settings: &Settings) -> Vec<String> {
        Vec::new()
    }

    /// Opens a session. Secrets are resolved already.
    ///
    /// # Errors
    /// When the system cannot be reached or refuses, in words that say what to try.
    async fn connect(
        &self,
        settings: &Settings,
        context: &Context,
    ) -> Result<Box<dyn Session>, ConnectorError>;

    /// The settings with every default filled in and relative paths made absolute below `base`; problems of the
    /// schema and of [`ConnectorKind::validate`] together.
    ///
    /// # Errors
    /// All problems that were found.
    fn prepare(
        &self,
        written: &BTreeMap<String, serde_json::Value>,
        base: &std::path::Path,
    ) -> Result<Settings, Vec<Problem>> {
        let (settings, mut problems) = self.descriptor().settings.read(written, base);
        if problems.is_empty() {
            problems = self.validate(&settings);
        }
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }
}
