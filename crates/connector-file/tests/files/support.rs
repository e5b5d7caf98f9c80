//! A folder, a connector on a file in it, and short ways to import and export.

use std::path::{Path, PathBuf};
use std::time::Duration;

use identitymesh_connector::{
    Certificate, Change, ConnectorError, ConnectorKind, Context, ImportMode, ImportRequest, ImportedObject,
    ObjectFinding, Operation, OperationKind, Outcome, Page, Problem, Session,
};
use identitymesh_connector_file::FileKind;
use identitymesh_model::{ItemId, Name, Object, Schema, Values};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) struct Place {
    folder: TempDir,
    kind: FileKind,
    settings: Json,
    pub(crate) cancel: CancellationToken,
    pub(crate) schema: Option<Schema>,
}

/// All that an import gave.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    pub(crate) changes: Vec<Change>,
    pub(crate) findings: Vec<ObjectFinding>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) pages: usize,
    pub(crate) last: Page,
}

impl Place {
    /// A connector on the file `name` of an empty folder; `settings` without path and settle time.
    pub(crate) fn new(kind: FileKind, name: &str, settings: Json) -> Self {
        let mut all = json!({ "path": name, "settle_ms": 0 });
        all.as_object_mut().unwrap().append(&mut settings.as_object().unwrap().clone());
        let folder = tempfile::tempdir().unwrap();
        Self { folder, kind, settings: all, cancel: CancellationToken::new(), schema: None }
    }

    pub(crate) fn csv(settings: Json) -> Self {
        let mut all = json!({ "key": "id" });
        all.as_object_mut().unwrap().append(&mut settings.as_object().unwrap().clone());
        Self::new(FileKind::csv(), "people.csv", all)
    }

    pub(crate) fn set(&mut self, name: &str, value: Json) -> &mut Self {
        self.settings[name] = value;
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn main(&self) -> PathBuf {
        self.path(self.settings["path"].as_str().unwrap())
    }

    pub(crate) fn write(&self, content: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.main(), content).unwrap();
        self
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.main()).unwrap()
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.kind
            .prepare(&serde_json::from_value(self.settings.clone()).unwrap(), self.folder.path())
            .err()
            .unwrap_or_default()
    }

    pub(crate) async fn open(&self) -> Box<dyn Session> {
        self.open_to(false).await
    }

    /// Opens it, to leave everything as it is where asked.
    pub(crate) async fn open_to(&self, reads_only: bool) -> Box<dyn Session> {
        let written = serde_json::from_value(self.settings.clone()).unwrap();
        let settings =
            self.kind.prepare(&written, self.folder.path()).expect("the settings of a test are right");
        let context = Context {
            cancel: self.cancel.clone(),
            request_timeout: Duration::from_secs(10),
            schema: self.schema.clone(),
            reads_only,
        };
        self.kind.connect(&settings, &context).await.unwrap()
    }

    pub(crate) async fn import(&self) -> Imported {
        self.try_import(1_000).await.unwrap()
    }

    pub(crate) async fn fails(&self) -> ConnectorError {
        self.try_import(1_000).await.unwrap_err()
    }

    pub(crate) async fn try_import(&self, page_size_max: usize) -> Result<Imported, ConnectorError> {
        let mut session = self.open().await;
        let schema = session.schema().await?;
        let object_types = schema.object_types.iter().map(|kind| kind.object_type).collect();
        let importer = session.importer().unwrap();
        importer.begin(ImportRequest { mode: ImportMode::Full, object_types, page_size_max }).await?;
        let mut imported = Imported::default();
        while let Some(page) = importer.next_page().await? {
            assert!(page.changes.len() + page.findings.len() <= page_size_max + 100);
            assert_eq!(page.watermark, None);
            imported.pages += 1;
            imported.last = page.clone();
            imported.changes.extend(page.changes);
            imported.findings.extend(page.findings);
            imported.certificates.extend(page.certificates);
        }
        Ok(imported)
    }

    /// Exports in a new session.
    pub(crate) async fn export(&self, operations: Vec<OperationKind>) -> Vec<Outcome> {
        let mut session = self.open().await;
        export(session.as_mut(), operations).await.unwrap()
    }
}

/// Exports and gives the outcomes in the order of the operations.
pub(crate) async fn export(
    session: &mut dyn Session,
    operations: Vec<OperationKind>,
) -> Result<Vec<Outcome>, ConnectorError> {
    let operation = |(at, kind)| Operation { item: item(at), object_type: name("user"), kind };
    let operations: Vec<_> = operations.into_iter().enumerate().map(operation).collect();
    let count = operations.len();
    let mut answers = session.exporter().expect("exports are allowed").export(operations).await?;
    assert_eq!(answers.len(), count, "each item exactly once");
    answers.sort_by_key(|(item, _)| *item);
    Ok(answers.into_iter().map(|(_, outcome)| outcome).collect())
}

impl Imported {
    pub(crate) fn objects(&self) -> Vec<&ImportedObject> {
        let upsert = self.changes.iter().map(|change| match change {
            Change::Upsert(object) => object,
            other => panic!("{other:?} where whole objects were expected"),
        });
        upsert.collect()
    }

    pub(crate) fn keys(&self) -> Vec<&str> {
        self.changes.iter().map(|change| change.subject().1).collect()
    }

    pub(crate) fn codes(&self) -> Vec<&str> {
        self.findings.iter().map(|finding| finding.code).collect()
    }

    pub(crate) fn object(&self, key: &str) -> &Object {
        let found = self.objects().into_iter().find(|object| object.external_id == key);
        &found.unwrap_or_else(|| panic!("{key} was not imported")).attributes
    }

    /// The only certificate.
    pub(crate) fn certificate(&self) -> &Certificate {
        let [certificate] = self.certificates.as_slice() else { panic!("{:?}", self.certificates) };
        certificate
    }
}

pub(crate) fn item(at: usize) -> ItemId {
    ItemId(at as i64)
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn object<const N: usize>(attributes: [(&str, Values); N]) -> Object {
    attributes.into_iter().map(|(word, values)| (name(word), values)).collect()
}

pub(crate) fn set<const N: usize>(values: [&str; N]) -> Values {
    Values::set(values.into_iter().map(Into::into).collect()).unwrap()
}

pub(crate) fn entries(folder: &Path) -> Vec<String> {
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}
