//! The three kinds, which differ in format and settings alone.

use async_trait::async_trait;
use identitymesh_connector::{
    Capabilities, ConnectorError, ConnectorKind, Context, Descriptor, Problem, Session, Settings,
};

use crate::config::{Config, Format};
use crate::error;
use crate::session::FileSession;
use crate::settings;

/// A kind of connector that reads and writes files of one format.
#[derive(Debug)]
pub struct FileKind {
    format: Format,
    descriptor: Descriptor,
}

impl FileKind {
    /// The kind `csv`: a table with one object type.
    #[must_use]
    pub fn csv() -> Self {
        Self::new(Format::Csv, "csv", "CSV file", "One object type from and to a file of delimited text")
    }

    /// The kind `ldif`: entries of a directory, with containers and addresses.
    #[must_use]
    pub fn ldif() -> Self {
        Self::new(Format::Ldif, "ldif", "LDIF file", "Entries of a directory from and to an LDIF file")
    }

    /// The kind `json`: one object a line, or one array of objects.
    #[must_use]
    pub fn json() -> Self {
        Self::new(Format::Json, "json", "JSON file", "Objects from and to JSON lines or a JSON array")
    }

    fn new(format: Format, kind: &'static str, title: &'static str, summary: &'static str) -> Self {
        let capabilities = Capabilities {
            full_import: true,
            delta_import: false,
            export: true,
            discover: true,
            hierarchical: format == Format::Ldif,
            compare_and_set: true,
            follow: false,
            mends_references: false,
            set_password: false,
            must_change_password: false,
        };
        let settings = settings::schema(format);
        Self { format, descriptor: Descriptor { kind, title, summary, capabilities, settings } }
    }
}

#[async_trait]
impl ConnectorKind for FileKind {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn validate(&self, settings: &Settings) -> Vec<Problem> {
        Config::read(self.format, settings).err().unwrap_or_default()
    }

    fn has_whole_schema(&self) -> bool {
        self.format == Format::Csv
    }

    async fn connect(
        &self,
        settings: &Settings,
        context: &Context,
    ) -> Result<Box<dyn Session>, ConnectorError> {
        let mut config = Config::read(self.format, settings).map_err(|problems| {
            let texts: Vec<String> =
                problems.iter().map(|problem| format!("{} {}", problem.path, problem.message)).collect();
            error::configuration(
                texts.join("; "),
                "correct the settings; `identitymesh plan` shows all problems",
            )
        })?;
        if context.reads_only {
            config.archive = None;
        }
        Ok(Box::new(FileSession::new(config, context.clone())))
    }
}
