//! Names behind numbers, as one reading connection knows them.
//!
//! Rows of the dictionaries are only ever added, so what was read once stays true whatever the snapshot.

use std::collections::HashMap;
use std::sync::Arc;

use identitymesh_model::Name;
use rusqlite::{Connection, OptionalExtension as _};

use crate::fault::{Outcome, unknown_word, unreadable};

/// Names and sets of names by number.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    names: HashMap<i64, Name>,
    sets: HashMap<i64, Arc<[Name]>>,
}

impl Dictionary {
    /// The name behind `id`.
    pub(crate) fn name(&mut self, conn: &Connection, id: i64) -> Outcome<Name> {
        if let Some(name) = self.names.get(&id) {
            return Ok(*name);
        }
        let spelling: Option<String> = conn
            .prepare_cached("SELECT spelling FROM name WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let spelling = spelling.ok_or_else(|| unknown_word("name", id))?;
        let name = Name::new(&spelling).map_err(|error| unreadable(format!("name {id}"), error))?;
        self.names.insert(id, name);
        Ok(name)
    }

    /// The set of names behind `id`.
    pub(crate) fn set(&mut self, conn: &Connection, id: i64) -> Outcome<Arc<[Name]>> {
        if let Some(set) = self.sets.get(&id) {
            return Ok(Arc::clone(set));
        }
        let text: Option<String> = conn
            .prepare_cached("SELECT names FROM exported_set WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let text = text.ok_or_else(|| unknown_word("set of names", id))?;
        let names: Vec<Name> =
            serde_json::from_str(&text).map_err(|error| unreadable(format!("set of names {id}"), error))?;
        let set: Arc<[Name]> = names.into();
        self.sets.insert(id, Arc::clone(&set));
        Ok(set)
    }
}

/// The number of a name, if any row has ever used it.
pub(crate) fn name_id(conn: &Connection, name: Name) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT id FROM name WHERE folded = ?1")?
        .query_row([name.folded()], |row| row.get(0))
        .optional()
}
