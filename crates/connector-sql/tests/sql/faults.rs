//! Files, locks and settings that are not as they should be.

use std::time::Duration;

use identitymesh_connector::{Class, ConnectorError, ConnectorKind, ImportMode, Operation, Outcome};
use identitymesh_connector_sql::SqliteKind;
use identitymesh_model::ItemId;
use serde_json::json;

use crate::export::{create, send};
use crate::import::Bench;
use crate::subject::name;

const TABLE: &str =
    "CREATE TABLE people (id TEXT PRIMARY KEY, sn TEXT); INSERT INTO people VALUES ('a', 'x');";

fn plain() -> Bench {
    Bench::new(TABLE, json!({ "table": "people", "key": "id" }))
}

async fn refused(bench: &Bench) -> ConnectorError {
    bench.open().await.err().expect("the session must not open")
}

#[tokio::test]
async fn what_is_missing_is_named_with_what_is_there() {
    for (person, code, words) in [
        (json!({ "table": "persons", "key": "id" }), "SQL-002", "there is people"),
        (json!({ "table": "people", "key": "nr" }), "SQL-003", "it has id, sn"),
        (json!({ "table": "people; --", "key": "id" }), "SQL-002", "there is people"),
        (json!({ "query": "SELEKT 1", "key": "id" }), "SQL-004", "query of person"),
        (json!({ "query": "DELETE FROM people RETURNING id", "key": "id" }), "SQL-004", "query of person"),
        (
            json!({ "table": "people", "key": "id", "insert_statement": "INSERT INTO people VALUES (:id, :nope)" }),
            "SQL-005",
            ":nope",
        ),
    ] {
        let error = refused(&Bench::new(TABLE, person)).await;
        assert_eq!((error.code, error.class), (code, Class::Configuration), "{error}");
        assert!(error.message.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_locked_database_may_work_later() {
    let mut bench = plain();
    bench.timeout = Duration::from_millis(400);
    let mut session = bench.open().await.unwrap();
    let lock = bench.sql();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let outcome = send(&mut session, create(&[("id", "b".into())])).await;
    assert!(matches!(outcome, Outcome::Transient { code: "SQL-010", .. }), "{outcome:?}");
    let error = refused(&bench).await;
    assert_eq!((error.code, error.class), ("SQL-010", Class::Transient));
    lock.execute_batch("COMMIT").unwrap();
    assert!(matches!(send(&mut session, create(&[("id", "b".into())])).await, Outcome::Applied(_)));
}

#[tokio::test]
async fn a_missing_file_is_not_created() {
    let bench = plain();
    std::fs::remove_file(bench.folder.path().join("hr.db")).unwrap();
    let error = refused(&bench).await;
    assert_eq!((error.code, error.class), ("SQL-001", Class::Configuration));
    assert!(!bench.folder.path().join("hr.db").exists());
}

#[tokio::test]
async fn a_damaged_file_is_said_to_be_damaged() {
    let bench = plain();
    std::fs::write(bench.folder.path().join("hr.db"), "this is no database\n".repeat(300)).unwrap();
    let error = refused(&bench).await;
    assert_eq!((error.code, error.class), ("SQL-012", Class::Data));
}

#[tokio::test]
async fn a_trigger_that_says_no_is_quoted() {
    let bench = plain();
    let mut session = bench.open().await.unwrap();
    // A trigger that raises is the database's own way to say no, and is about the row alone.
    let trigger = "CREATE TRIGGER no BEFORE INSERT ON people BEGIN SELECT RAISE(ABORT, 'closed today'); END";
    bench.sql().execute_batch(trigger).unwrap();
    match send(&mut session, create(&[("id", "b".into())])).await {
        Outcome::Refused { code: "SQL-020", reason, .. } => assert_eq!(reason, "closed today"),
        other => panic!("{other:?}"),
    }
    assert_eq!(crate::import::ids(&bench.read(ImportMode::Full, 10).await.unwrap()), ["a"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_may_not_be_written_is_read_all_the_same() {
    use std::os::unix::fs::PermissionsExt as _;

    let bench = plain();
    let path = bench.folder.path().join("hr.db");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    assert_eq!(crate::import::ids(&bench.read(ImportMode::Full, 10).await.unwrap()), ["a"]);
    if std::fs::OpenOptions::new().write(true).open(&path).is_ok() {
        eprintln!("SKIPPED the write: this user may write read-only files");
        return;
    }
    let mut session = bench.open().await.unwrap();
    let kind = create(&[("id", "b".into())]);
    let operation = Operation { item: ItemId(1), object_type: name("person"), kind };
    let error = session.exporter().unwrap().export(vec![operation]).await.unwrap_err();
    assert_eq!((error.code, error.class), ("SQL-013", Class::Denied));
}

#[tokio::test]
async fn settings_report_every_problem_at_once() {
    let types = json!({
        "a": { "table": "x", "query": "y" },
        "b": { "table": "x", "key": "id", "colour": 1 },
        "c": { "query": "SELECT @watermark", "key": "id" },
    });
    let written = [("path".to_owned(), json!("hr.db")), ("types".to_owned(), types)];
    let problems = SqliteKind::new().prepare(&written.into(), std::path::Path::new("/")).unwrap_err();
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    let expected = [
        "settings.types.a.table",
        "settings.types.a.key",
        "settings.types.b",
        "settings.types.c.watermark_start",
    ];
    assert_eq!(paths, expected);
}
