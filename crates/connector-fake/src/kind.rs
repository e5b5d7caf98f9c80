//! The kind `fake`: named systems in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use identitymesh_connector::{
    Capabilities, Class, ConnectorError, ConnectorKind, Context, Descriptor, Problem, Session, SettingKind,
    SettingSchema, Settings, SettingsSchema,
};

use crate::FakeSystem;
use crate::session::FakeSession;

/// Connects to the systems that it was made with.
#[derive(Clone, Debug)]
pub struct FakeKind {
    descriptor: Descriptor,
    systems: BTreeMap<String, FakeSystem>,
}

impl FakeKind {
    /// A kind that knows no system yet.
    #[must_use]
    pub fn new() -> Self {
        let capabilities = Capabilities {
            full_import: true,
            delta_import: true,
            export: true,
            discover: true,
            hierarchical: false,
            compare_and_set: true,
            follow: true,
            mends_references: false,
            set_password: true,
            must_change_password: true,
        };
        let system = SettingSchema::required("system", SettingKind::Text, "The name of a system in memory.");
        let descriptor = Descriptor {
            kind: "fake",
            title: "System in memory",
            summary: "A deterministic system in memory with faults on demand, for tests and demonstrations.",
            capabilities,
            settings: SettingsSchema { settings: vec![system] },
        };
        Self { descriptor, systems: BTreeMap::new() }
    }

    /// The same kind by another name, so that trees and flat systems can stand side by side.
    #[must_use]
    pub const fn called(mut self, kind: &'static str) -> Self {
        self.descriptor.kind = kind;
        self
    }

    /// Adds a system under the name that `system = "…"` uses.
    #[must_use]
    pub fn with_system(mut self, name: &str, system: FakeSystem) -> Self {
        self.descriptor.capabilities.hierarchical |= system.is_tree();
        self.descriptor.capabilities.mends_references |= system.mends_references();
        self.systems.insert(name.to_owned(), system);
        self
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<&str> = self.systems.keys().map(String::as_str).collect();
        format!("there is no system {name:?} in memory; there is {}", known.join(", "))
    }
}

impl Default for FakeKind {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl ConnectorKind for FakeKind {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn validate(&self, settings: &Settings) -> Vec<Problem> {
        match settings.text("system") {
            Some(name) if self.systems.contains_key(name) => Vec::new(),
            name => vec![Problem::setting("system", self.unknown(name.unwrap_or_default()))],
        }
    }

    async fn connect(
        &self,
        settings: &Settings,
        context: &Context,
    ) -> Result<Box<dyn Session>, ConnectorError> {
        let name = settings.text("system").unwrap_or_default();
        let system = self
            .systems
            .get(name)
            .ok_or_else(|| ConnectorError::new("FAK-002", Class::Configuration, self.unknown(name)))?;
        let session = FakeSession::new(system.clone(), context.clone());
        session.enter("connect")?;
        Ok(Box::new(session))
    }
}
