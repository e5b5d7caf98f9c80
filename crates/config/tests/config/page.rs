//! `docs/configuration.md`: complete, and true in its examples.

use std::collections::BTreeSet;

use identitymesh_config::read_directory;
use identitymesh_model::rules::{ConnectorConfig, MeshConfig};

use crate::trace::keys_of;

const PAGE: &str = include_str!("../../../../docs/configuration.md");

/// The keys of the table form of an attribute; it looks at the data before it says what it wants.
const ATTRIBUTE_KEYS: [&str; 5] = ["type", "ignore_case", "merge", "merge_min_confidence", "sensitive"];

/// Limits that mean the same for all of a connector's objects and for a part of them.
const OPERATIONS: [&str; 7] = ["import_delete", "create", "update", "move", "disable", "enable", "delete"];

/// The keys that the page has a row for.
fn rows() -> BTreeSet<&'static str> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    rows.map(|(key, _)| key).collect()
}

/// All keys that are read, as the page writes them.
fn read() -> BTreeSet<String> {
    let mut keys: BTreeSet<String> = keys_of::<MeshConfig>().keys.into_iter().collect();
    keys.extend(keys_of::<ConnectorConfig>().keys);
    keys.extend(ATTRIBUTE_KEYS.map(|key| format!("type.attributes.NAME.{key}")));
    // Lists of tables and tables of tables get rows for what stands in them.
    let tables = [
        "type",
        "computed",
        "connector",
        "connector.limits",
        "connector.limits.within",
        "scope",
        "join",
        "create",
        "flow",
        "leave",
        "projection",
    ];
    keys.retain(|key| !tables.contains(&key.as_str()));
    // All limits have one form, which is described once.
    let is_told_once = |key: &String| {
        let parts: Vec<&str> = key.split('.').collect();
        match parts.as_slice() {
            ["connector", "limits", "within", _, _] => true,
            ["connector", "limits", "within", key] => OPERATIONS.contains(key),
            ["connector", "limits", limit, _] => *limit != "import_delete",
            _ => false,
        }
    };
    keys.retain(|key| !is_told_once(key));
    keys
}

#[test]
fn every_key_that_is_read_has_a_row_and_every_row_is_a_key_that_is_read() {
    let rows = rows().into_iter().filter(|key| !key.starts_with("--")).map(str::to_owned);
    let rows: BTreeSet<String> = rows.collect();
    let read = read();
    assert!(read.len() > 60, "the question to the configuration found {} keys only", read.len());
    let missing: Vec<&String> = read.difference(&rows).collect();
    assert!(missing.is_empty(), "keys without a row in docs/configuration.md: {missing:?}");
    let stale: Vec<&String> = rows.difference(&read).collect();
    assert!(stale.is_empty(), "rows of docs/configuration.md for keys that nothing reads: {stale:?}");
}

#[test]
fn every_word_that_a_key_takes_is_on_the_page() {
    let words = [keys_of::<MeshConfig>().words, keys_of::<ConnectorConfig>().words].concat();
    assert!(words.len() > 20, "the question to the configuration found {} words only", words.len());
    for (key, word) in words {
        assert!(
            PAGE.contains(&format!("`{word}`")),
            "{key} takes {word}, which docs/configuration.md does not say"
        );
    }
}

/// The page's TOML, block by block.
fn blocks() -> Vec<&'static str> {
    PAGE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_examples_of_the_page_are_read_without_a_problem_and_show_every_key() {
    let blocks = blocks();
    let [mesh, hr, directory] = blocks.as_slice() else { panic!("{} examples", blocks.len()) };
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("connectors")).unwrap();
    for (file, text) in
        [("mesh.toml", mesh), ("connectors/hr.toml", hr), ("connectors/directory.toml", directory)]
    {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let loaded = read_directory(folder.path()).unwrap();
    assert_eq!(loaded.notes, [""; 0], "the examples show what is carried out");
    for key in read() {
        let last = key.rsplit('.').next().unwrap();
        let shown = blocks.iter().any(|block| block.contains(last));
        let is_pending = ["type.attributes.NAME.sensitive", "type.attributes.NAME.merge"];
        assert!(shown || is_pending.iter().any(|part| key.starts_with(part)), "no example shows {key}");
    }
}
