//! Watermarks that do not fit the settings any more.

use identitymesh_connector::{Class, ImportMode};
use serde_json::json;

use crate::import::Bench;

#[tokio::test]
async fn a_type_that_cannot_tell_changes_says_what_to_set() {
    let bench = Bench::new("CREATE TABLE p (id TEXT PRIMARY KEY)", json!({ "table": "p", "key": "id" }));
    let since = identitymesh_connector::Watermark { version: 1, body: "{}".to_owned() };
    let error = bench.read(ImportMode::Delta { since }, 10).await.unwrap_err();
    assert_eq!((error.code, error.class), ("SQL-008", Class::Configuration));
    assert!(error.advice.unwrap().contains("watermark_column"));
}

#[tokio::test]
async fn a_mark_of_another_column_is_refused() {
    let script =
        "CREATE TABLE p (id TEXT PRIMARY KEY, at INTEGER, seen INTEGER); INSERT INTO p VALUES ('a', 1, 1);";
    let person = |column: &str| json!({ "table": "p", "key": "id", "watermark_column": column });
    let full = Bench::new(script, person("at")).read(ImportMode::Full, 10).await.unwrap();
    let since = full.last().unwrap().watermark.clone().unwrap();
    let error = Bench::new(script, person("seen")).read(ImportMode::Delta { since }, 10).await.unwrap_err();
    assert_eq!((error.code, error.class), ("CON-010", Class::Conflict));
}
