//! Imports from tables, views and queries as people really have them.

use std::sync::Arc;
use std::time::Duration;

use identitymesh_connector::{
    Change, ConnectorError, ConnectorKind, Context, ImportMode, ImportRequest, Page, Session, Watermark,
};
use identitymesh_connector_sql::SqliteKind;
use rusqlite::Connection;
use serde_json::{Value as Json, json};

use crate::subject::name;

/// A database made by a script, with settings for one type `person`.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    person: Json,
    pub(crate) timeout: Duration,
}

impl Bench {
    pub(crate) fn new(script: &str, person: Json) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap(), person, timeout: Duration::from_secs(10) };
        bench.sql().execute_batch(script).unwrap();
        bench
    }

    pub(crate) fn sql(&self) -> Connection {
        Connection::open(self.folder.path().join("hr.db")).unwrap()
    }

    pub(crate) async fn open(&self) -> Result<Box<dyn Session>, ConnectorError> {
        let kind = SqliteKind::new();
        let written =
            [("path".to_owned(), json!("hr.db")), ("types".to_owned(), json!({ "person": self.person }))];
        let settings = kind.prepare(&written.into(), self.folder.path()).unwrap();
        let context = Context {
            cancel: Default::default(),
            request_timeout: self.timeout,
            schema: None,
            reads_only: false,
        };
        kind.connect(&settings, &context).await
    }

    pub(crate) async fn read(
        &self,
        mode: ImportMode,
        page_size_max: usize,
    ) -> Result<Vec<Page>, ConnectorError> {
        let mut session = self.open().await?;
        let importer = session.importer().unwrap();
        importer.begin(ImportRequest { mode, object_types: vec![name("person")], page_size_max }).await?;
        let mut pages = Vec::new();
        while let Some(page) = importer.next_page().await? {
            pages.push(page);
        }
        Ok(pages)
    }
}

pub(crate) fn ids(pages: &[Page]) -> Vec<String> {
    let changes = pages.iter().flat_map(|page| &page.changes);
    changes
        .map(|change| match change {
            Change::Delete { external_id, .. } | Change::Left { external_id, .. } => {
                format!("-{external_id}")
            }
            other => other.subject().1.to_owned(),
        })
        .collect()
}

fn mark(pages: &[Page]) -> Watermark {
    pages.iter().rev().find_map(|page| page.watermark.clone()).unwrap()
}

#[tokio::test]
async fn rows_that_share_a_mark_are_not_lost() {
    let script = "CREATE TABLE people (id TEXT PRIMARY KEY, sn TEXT, at TEXT);
        INSERT INTO people VALUES ('a', 'x', '2026-01-01'), ('b', 'x', '2026-01-01');";
    let bench = Bench::new(script, json!({ "table": "people", "key": "id", "watermark_column": "at" }));
    let full = bench.read(ImportMode::Full, 10).await.unwrap();
    // Written within the same tick as what was read already.
    bench.sql().execute_batch("INSERT INTO people VALUES ('c', 'x', '2026-01-01')").unwrap();
    let first = bench.read(ImportMode::Delta { since: mark(&full) }, 1).await.unwrap();
    assert!(ids(&first).contains(&"c".to_owned()));
    // Changed within the same tick, after it was delivered.
    bench.sql().execute_batch("UPDATE people SET sn = 'y' WHERE id = 'b'").unwrap();
    let second = bench.read(ImportMode::Delta { since: mark(&first) }, 1).await.unwrap();
    assert_eq!(ids(&second), ["b"]);
    let third = bench.read(ImportMode::Delta { since: mark(&second) }, 1).await.unwrap();
    assert_eq!(ids(&third), Vec::<String>::new());
}

#[tokio::test]
async fn a_query_gets_the_mark_bound() {
    let script = "CREATE TABLE p (id INTEGER, at INTEGER, dept TEXT);
        INSERT INTO p VALUES (1, 10, 'it'), (2, 20, 'it'), (3, 30, 'hr');";
    let query =
        "SELECT id, at, dept AS department FROM p WHERE at >= @watermark AND dept = 'it' -- all of it;";
    let person = json!({ "query": query, "key": "id", "watermark_column": "at", "watermark_start": 0 });
    let bench = Bench::new(script, person);
    let full = bench.read(ImportMode::Full, 1).await.unwrap();
    assert_eq!(ids(&full), ["1", "2"]);
    assert!(full.last().unwrap().certificates[0].is_complete());
    bench.sql().execute_batch("INSERT INTO p VALUES (4, 40, 'it')").unwrap();
    assert_eq!(ids(&bench.read(ImportMode::Delta { since: mark(&full) }, 5).await.unwrap()), ["2", "4"]);
}

#[tokio::test]
async fn rows_without_a_key_and_doubled_keys_prove_nothing() {
    let script =
        "CREATE TABLE p (id TEXT, sn TEXT); INSERT INTO p VALUES (NULL, 'x'), ('a', 'x'), ('b', 'x');";
    let bench = Bench::new(script, json!({ "table": "p", "key": "id" }));
    let pages = bench.read(ImportMode::Full, 2).await.unwrap();
    assert_eq!(ids(&pages), ["a", "b"]);
    assert_eq!(pages[0].findings[0].code, "SQL-030");
    assert!(!pages.last().unwrap().certificates[0].is_complete());
    bench.sql().execute_batch("DELETE FROM p WHERE id IS NULL; INSERT INTO p VALUES ('b', 'y');").unwrap();
    for page_size in [2, 10] {
        let pages = bench.read(ImportMode::Full, page_size).await.unwrap();
        assert!(!pages.last().unwrap().certificates[0].is_complete(), "pages of {page_size}");
    }
}

#[tokio::test]
async fn unreadable_content_is_a_finding_and_counts_as_seen() {
    let script =
        "CREATE TABLE p (id INTEGER PRIMARY KEY, age INTEGER); INSERT INTO p VALUES (1, 'old'), (2, 7);";
    let bench = Bench::new(script, json!({ "table": "p", "key": "id" }));
    let pages = bench.read(ImportMode::Full, 10).await.unwrap();
    assert_eq!(ids(&pages), ["2"]);
    let finding = &pages[0].findings[0];
    assert_eq!((finding.code, finding.external_id.as_deref()), ("SQL-031", Some("1")));
    assert!(pages[0].certificates[0].is_complete());
}

#[tokio::test]
async fn names_may_hold_anything_and_keys_several_columns() {
    let script =
        "CREATE TABLE \"my \"\"people\"\"; DROP\" (\"first key\" TEXT, \"select\" TEXT, \"a'b\" TEXT,
            PRIMARY KEY (\"first key\", \"select\"));
        INSERT INTO \"my \"\"people\"\"; DROP\" VALUES ('a|', 'b', 'x'), ('a', '|b', 'y');";
    let person = json!({ "table": "my \"people\"; DROP", "key": ["first key", "select"] });
    let pages = Bench::new(script, person).read(ImportMode::Full, 1).await.unwrap();
    assert_eq!(ids(&pages), ["a|\\|b", "a\\||b"]);
}

#[tokio::test]
async fn one_read_belongs_to_one_moment() {
    let script = "PRAGMA journal_mode = WAL; CREATE TABLE p (id INTEGER PRIMARY KEY);
        INSERT INTO p VALUES (1), (2), (3);";
    let bench = Arc::new(Bench::new(script, json!({ "table": "p", "key": "id" })));
    let mut session = bench.open().await.unwrap();
    let importer = session.importer().unwrap();
    let object_types = vec![name("person")];
    importer.begin(ImportRequest { mode: ImportMode::Full, object_types, page_size_max: 2 }).await.unwrap();
    let mut pages = vec![importer.next_page().await.unwrap().unwrap()];
    bench.sql().execute_batch("DELETE FROM p WHERE id = 3; INSERT INTO p VALUES (4), (5)").unwrap();
    while let Some(page) = importer.next_page().await.unwrap() {
        pages.push(page);
    }
    assert_eq!(ids(&pages), ["1", "2", "3"]);
    assert!(pages.last().unwrap().certificates[0].is_complete());
}
