//! A session: reads through one connection, writes through another.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use identitymesh_connector::{
    Class, ConnectorError, Context, Exporter, Identity, ImportRequest, ImportedObject, Importer, Operation,
    Outcome, Page, Session, Settings, TestReport,
};
use identitymesh_model::{ItemId, Name, Schema};

use super::db::{Db, call_error};
use super::export::{export, later};
use super::import::{Reading, begin, find};
use super::page::row_by_key;
use super::row::objects;
use super::worker::Worker;
use super::{discover, import};
use crate::error::configuration;
use crate::layout::Layout;
use crate::settings::read_types;

/// Most operations in one batch, and so in one transaction.
const BATCH_MAX: usize = 1_000;

pub(crate) struct SqliteSession {
    path: PathBuf,
    context: Context,
    layouts: Arc<Vec<Layout>>,
    reader: Worker<Option<Reading>>,
    writer: Option<Worker<()>>,
}

impl SqliteSession {
    pub(crate) async fn open(settings: &Settings, context: &Context) -> Result<Self, ConnectorError> {
        let path =
            settings.path("path").ok_or_else(|| configuration("SQL-001", "settings.path is missing"))?;
        let types = read_types(settings).map_err(|problems| {
            let problem = problems.first().map(|problem| format!("{}: {}", problem.path, problem.message));
            configuration("SQL-007", problem.unwrap_or_default())
        })?;
        let empty_is_absent = settings.is_on("empty_is_absent");
        let db = open(&path, false, context).await?;
        let reader = Worker::new(db, None, context);
        let layouts = reader.call(move |db, _| discover::layouts(db, &types, empty_is_absent)).await?;
        Ok(Self { path, context: context.clone(), layouts: Arc::new(layouts), reader, writer: None })
    }

    async fn writer(&mut self) -> Result<&Worker<()>, ConnectorError> {
        let worker = match self.writer.take() {
            Some(worker) => worker,
            None => Worker::new(open(&self.path, true, &self.context).await?, (), &self.context),
        };
        Ok(self.writer.insert(worker))
    }
}

/// Half of a call's time is for waiting until a locked database is free, so that the answer says what happened.
fn patience(context: &Context) -> Duration {
    context.request_timeout / 2
}

async fn open(path: &std::path::Path, writes: bool, context: &Context) -> Result<Db, ConnectorError> {
    if context.cancel.is_cancelled() {
        return Err(ConnectorError::cancelled());
    }
    let (path, patience, stop) = (path.to_owned(), patience(context), context.cancel.child_token());
    tokio::task::spawn_blocking(move || Db::open(&path, writes, patience, stop)).await.map_err(|panic| {
        ConnectorError::new("SQL-015", Class::Bug, "the database thread ended").caused_by(panic)
    })?
}

#[async_trait]
impl Session for SqliteSession {
    async fn test(&mut self) -> Result<TestReport, ConnectorError> {
        let layouts = Arc::clone(&self.layouts);
        let mut steps = vec![format!("opened {}", self.path.display())];
        let found: Vec<String> = layouts.iter().map(|layout| layout.object_type.to_string()).collect();
        steps.push(format!("found the tables and columns of {}", found.join(", ")));
        let read = self
            .reader
            .call(move |db, reading| {
                *reading = None;
                let types = layouts.iter().map(|layout| layout.object_type).collect();
                let request = ImportRequest {
                    mode: identitymesh_connector::ImportMode::Full,
                    object_types: types,
                    page_size_max: 1,
                };
                let page = import::begin(db, &layouts, &request)?.next_page(db);
                db.abandon();
                Ok(page?.is_some_and(|page| !page.changes.is_empty()))
            })
            .await?;
        steps.push(if read { "read one object" } else { "found no object to read" }.to_owned());
        Ok(TestReport { server: format!("SQLite {}", rusqlite::version()), steps, warnings: Vec::new() })
    }

    async fn schema(&mut self) -> Result<Schema, ConnectorError> {
        let discovered = || Schema { object_types: self.layouts.iter().map(Layout::schema).collect() };
        Ok(self.context.schema.clone().unwrap_or_else(discovered))
    }

    fn importer(&mut self) -> Option<&mut dyn Importer> {
        Some(self)
    }

    fn exporter(&mut self) -> Option<&mut dyn Exporter> {
        Some(self)
    }
}

#[async_trait]
impl Importer for SqliteSession {
    async fn begin(&mut self, request: ImportRequest) -> Result<(), ConnectorError> {
        let layouts = Arc::clone(&self.layouts);
        self.reader
            .call(move |db, reading| {
                *reading = None;
                let started = begin(db, &layouts, &request);
                if started.is_err() {
                    db.abandon();
                }
                *reading = Some(started?);
                Ok(())
            })
            .await
    }

    async fn next_page(&mut self) -> Result<Option<Page>, ConnectorError> {
        self.reader
            .call(|db, reading| {
                let Some(current) = reading else { return Ok(None) };
                let page = current.next_page(db);
                if page.is_err() {
                    *reading = None;
                    db.abandon();
                }
                page
            })
            .await
    }
}

#[async_trait]
impl Exporter for SqliteSession {
    fn batch_max(&self) -> usize {
        BATCH_MAX
    }

    async fn export(&mut self, operations: Vec<Operation>) -> Result<Vec<(ItemId, Outcome)>, ConnectorError> {
        if operations.is_empty() {
            return Ok(Vec::new());
        }
        let layouts = Arc::clone(&self.layouts);
        match self.writer().await {
            Ok(writer) => writer.call(move |db, ()| export(db, &layouts, &operations)).await,
            Err(error) => later(error, &operations),
        }
    }

    async fn read_back(
        &mut self,
        object_type: Name,
        identity: &Identity,
    ) -> Result<Option<ImportedObject>, ConnectorError> {
        let layouts = Arc::clone(&self.layouts);
        let external_id = identity.external_id.clone();
        // Through the writing connection: the reading one may be in the past of its transaction.
        self.writer()
            .await?
            .call(move |db, ()| {
                let layout = &layouts[find(&layouts, object_type)?];
                let failed = |error| call_error(error, &format!("{external_id} could not be read back"));
                let Some(key) = layout.key_of(&external_id) else { return Ok(None) };
                let row = db.patiently(|| row_by_key(db, layout, &key)).map_err(failed)?;
                let read = row.map(|row| objects(db, layout, &[row])).transpose().map_err(failed)?;
                match read.and_then(|mut read| read.pop()) {
                    None => Ok(None),
                    Some(Ok(object)) => Ok(Some(object)),
                    Some(Err(finding)) => {
                        Err(ConnectorError::new(finding.code, Class::Data, finding.message))
                    }
                }
            })
            .await
    }
}
