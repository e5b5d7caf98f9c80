//! A session on a file: schema, import, export.
//!
//! All work on files runs on the blocking threads, one call at a time, with its state moved there and back. When a
//! call is dropped half way its state is gone with it: an import is over, an export loads the file anew.

use std::sync::Arc;

use async_trait::async_trait;
use identitymesh_connector::{
    ConnectorError, Context, Exporter, Identity, ImportMode, ImportRequest, ImportedObject, Importer,
    Operation, Page, Session, TestReport,
};
use identitymesh_model::{ItemId, Name, Schema};

use crate::apply;
use crate::config::{Config, ExportMode, Format};
use crate::error;
use crate::export::{self, Loaded};
use crate::import::Import;
use crate::layout::{Layout, Sample, schema_of};
use crate::source::{self, Located, Stamp};
use crate::{csv, json, ldif};

/// Records that discovery reads.
const SAMPLE_COUNT: usize = 1_000;
/// Operations in one batch.
const BATCH_MAX: usize = 100_000;

/// A session on one file or folder.
pub(crate) struct FileSession {
    config: Arc<Config>,
    context: Context,
    import: Option<Import>,
    /// The schema in force for exports, with what they added.
    export_schema: Option<Schema>,
    loaded: Option<Loaded>,
}

impl FileSession {
    pub(crate) fn new(config: Config, context: Context) -> Self {
        Self { config: Arc::new(config), context, import: None, export_schema: None, loaded: None }
    }

    fn check_cancelled(&self) -> Result<(), ConnectorError> {
        if self.context.cancel.is_cancelled() { Err(ConnectorError::cancelled()) } else { Ok(()) }
    }

    /// The file to read, at rest.
    async fn settled(&self) -> Result<Option<Located>, ConnectorError> {
        let config = self.config.clone();
        let Some((located, before)) = blocking(move || with_stamp(&config)).await? else { return Ok(None) };
        if !self.config.settle.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(self.config.settle) => {}
                () = self.context.cancel.cancelled() => return Err(ConnectorError::cancelled()),
            }
        }
        let config = self.config.clone();
        match blocking(move || with_stamp(&config)).await? {
            Some((again, after)) if again.path == located.path && after == before => Ok(Some(again)),
            _ => Err(error::changing(&located.path, "a moment ago: it is still being written")),
        }
    }

    async fn schema_in_force(&self, located: Option<&Located>) -> Result<Schema, ConnectorError> {
        if let Some(schema) = &self.context.schema {
            return Ok(schema.clone());
        }
        let (config, located) = (self.config.clone(), located.cloned());
        blocking(move || {
            let sample = match &located {
                Some(located) => sample(&config, located)?,
                None => Sample::new(),
            };
            Ok(schema_of(&config, &sample))
        })
        .await
    }

    async fn load(&mut self) -> Result<Layout, ConnectorError> {
        let schema = match self.export_schema.take() {
            Some(schema) => schema,
            None => {
                let config = self.config.clone();
                let located = blocking(move || source::locate(&config)).await?;
                self.schema_in_force(located.as_ref()).await?
            }
        };
        let layout = Layout::new(&self.config, &schema);
        let (config, loading, known) = (self.config.clone(), layout.clone(), self.loaded.take());
        let loaded = blocking(move || Loaded::now(&config, &loading, known)).await?;
        self.loaded = Some(loaded);
        self.export_schema = Some(schema);
        Ok(layout)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ConnectorError> + Send + 'static,
) -> Result<T, ConnectorError> {
    tokio::task::spawn_blocking(work).await.map_err(error::lost_thread)?
}

fn with_stamp(config: &Config) -> Result<Option<(Located, Stamp)>, ConnectorError> {
    let Some(located) = source::locate(config)? else { return Ok(None) };
    let stamp = Stamp::of(&source::open(&located.path)?, &located.path)?;
    Ok(Some((located, stamp)))
}

fn sample(config: &Config, located: &Located) -> Result<Sample, ConnectorError> {
    let path = &located.path;
    let input = source::input(config, source::open(path)?, Arc::default());
    match config.format {
        Format::Csv => {
            let columns = csv::columns(config, path, input)?;
            Ok(config.types.first().map(|kind| (kind.name, columns)).into_iter().collect())
        }
        Format::Ldif => ldif::sample(config, path, input, SAMPLE_COUNT),
        Format::Json => json::sample(config, path, input, SAMPLE_COUNT),
    }
}

#[async_trait]
impl Session for FileSession {
    async fn test(&mut self) -> Result<TestReport, ConnectorError> {
        self.check_cancelled()?;
        let config = self.config.clone();
        let Some(located) = blocking(move || source::locate(&config)).await? else {
            let path = self.config.path.display();
            let steps = vec![format!("{path} is not there yet; the first export makes it")];
            return Ok(TestReport { server: "file".to_owned(), steps, warnings: Vec::new() });
        };
        let schema = self.schema_in_force(Some(&located)).await?;
        let (config, layout, path) =
            (self.config.clone(), Layout::new(&self.config, &schema), located.path.clone());
        let mut steps = vec![format!("found {}", located.path.display()), "read the schema".to_owned()];
        let first = blocking(move || {
            let input = source::input(&config, source::open(&path)?, Arc::default());
            source::reader(&config, &layout, &path, input, false)?.next()
        })
        .await?;
        let mut warnings = Vec::new();
        match first {
            None => warnings.push("the file holds no object".to_owned()),
            Some(crate::record::Read::Fault(fault)) => {
                warnings.push(format!("the first record, line {}: {}", fault.line, fault.message));
            }
            Some(_) => steps.push("read one object".to_owned()),
        }
        Ok(TestReport { server: "file".to_owned(), steps, warnings })
    }

    async fn schema(&mut self) -> Result<Schema, ConnectorError> {
        self.check_cancelled()?;
        let config = self.config.clone();
        let located = blocking(move || source::locate(&config)).await?;
        self.schema_in_force(located.as_ref()).await
    }

    fn importer(&mut self) -> Option<&mut dyn Importer> {
        Some(self)
    }

    fn exporter(&mut self) -> Option<&mut dyn Exporter> {
        if self.config.export.is_some() { Some(self) } else { None }
    }
}

#[async_trait]
impl Importer for FileSession {
    async fn begin(&mut self, request: ImportRequest) -> Result<(), ConnectorError> {
        self.check_cancelled()?;
        self.import = None;
        if matches!(request.mode, ImportMode::Delta { .. }) {
            return Err(ConnectorError::unsupported("import only what changed"));
        }
        let located = self.settled().await?;
        let schema = self.schema_in_force(located.as_ref()).await?;
        let layout = Layout::new(&self.config, &schema);
        // Where the file names its types itself, one that it has none of today is no mistake.
        if self.config.types_are_fixed {
            layout.check_types(&request.object_types)?;
        }
        let config = self.config.clone();
        self.import = Some(blocking(move || Import::begin(&config, &layout, located, &request)).await?);
        Ok(())
    }

    fn source(&self) -> Option<String> {
        self.import.as_ref()?.source()
    }

    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        self.check_cancelled()?;
        let Some(mut import) = self.import.take() else { return Ok(None) };
        let cancel = self.context.cancel.clone();
        let (import, page) = blocking(move || {
            let page = import.page(&cancel)?;
            Ok((import, page))
        })
        .await?;
        // After the last page the import is dropped, and asking again gives nothing.
        self.import = page.is_some().then_some(import);
        Ok(page)
    }
}

#[async_trait]
impl Exporter for FileSession {
    fn batch_max(&self) -> usize {
        BATCH_MAX
    }

    async fn export(
        &mut self,
        operations: Vec<Operation>,
    ) -> Result<Vec<(ItemId, identitymesh_connector::Outcome)>, ConnectorError> {
        self.check_cancelled()?;
        if operations.is_empty() {
            return Ok(Vec::new());
        }
        let changes_folder = self.config.changes_folder.clone();
        if let (Some(ExportMode::Changes), Some(folder)) = (self.config.export, changes_folder) {
            let schema = match &self.context.schema {
                Some(schema) => schema.clone(),
                None => schema_of(&self.config, &Sample::new()),
            };
            let (config, layout) = (self.config.clone(), Layout::new(&self.config, &schema));
            return blocking(move || export::as_changes(&config, &layout, &folder, &operations)).await;
        }
        self.load().await?;
        let mut schema = self.export_schema.take().unwrap_or_default();
        let Some(loaded) = self.loaded.take() else { return Ok(Vec::new()) };
        export::learn_attributes(&self.config, &mut schema, &operations);
        let (config, layout) = (self.config.clone(), Layout::new(&self.config, &schema));
        let (loaded, answers) = blocking(move || export::full(&config, &layout, loaded, operations)).await?;
        self.loaded = Some(loaded);
        self.export_schema = Some(schema);
        Ok(answers)
    }

    async fn read_back(
        &mut self,
        object_type: Name,
        identity: &Identity,
    ) -> Result<Option<ImportedObject>, ConnectorError> {
        self.check_cancelled()?;
        if self.config.export == Some(ExportMode::Changes) && !self.config.path.exists() {
            return Ok(None);
        }
        let layout = self.load().await?;
        let (Some(kind), Some(loaded)) = (layout.by_name(object_type), &self.loaded) else { return Ok(None) };
        let Some(key) = apply::find(&loaded.table, kind, identity) else { return Ok(None) };
        Ok(loaded
            .table
            .get(&key)
            .map(|row| ImportedObject::whole(object_type, key.1.clone(), row.attributes.clone())))
    }
}
