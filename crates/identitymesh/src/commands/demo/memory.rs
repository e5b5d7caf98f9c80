//! What the data directory remembers of a demo.

use std::collections::BTreeMap;

use identitymesh_store::Store;
use serde::{Deserialize, Serialize};

use super::summary::Summary;

/// The note's name in the store.
const NOTE: &str = "demo";

/// Which company it is, and how far its story is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Memory {
    pub(super) people: u32,
    pub(super) seed: u64,
    pub(super) ldap: Option<String>,
    /// For each act that began: the last run before it.
    pub(super) began: BTreeMap<String, i64>,
    /// For each act that ended: what it did.
    pub(super) done: BTreeMap<String, Summary>,
}

impl Memory {
    pub(super) fn read(store: &dyn Store) -> anyhow::Result<Option<Self>> {
        let note = store.read()?.note(NOTE)?;
        Ok(note.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    pub(super) fn write(&self, store: &dyn Store) -> anyhow::Result<()> {
        Ok(store.put_note(NOTE.to_owned(), serde_json::to_string(self)?).wait()?)
    }
}
