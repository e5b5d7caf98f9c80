//! What a command works with: the connection inside a transaction, and the writer's memory.

use identitymesh_model::{ConnectorId, IdSource, Name};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::fault::{Outcome, conflict};
use crate::load::{Loader, Memory};

use super::state::State;
use super::thread::Purpose;

/// One command's view of the store.
pub(crate) struct Tx<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) state: &'a mut State,
    pub(crate) memory: &'a mut Memory,
    pub(crate) ids: &'a dyn IdSource,
    pub(crate) purpose: Purpose,
}

impl<'a> Tx<'a> {
    /// The number of this commit in the order of touching.
    pub(crate) fn next_commit(&mut self) -> i64 {
        self.state.counters.commit += 1;
        self.state.counters.commit
    }

    /// The id of a new management-space object.
    pub(crate) fn next_space(&mut self) -> i64 {
        self.state.counters.space += 1;
        self.state.counters.space
    }

    /// The id of a new queue item.
    pub(crate) fn next_item(&mut self) -> i64 {
        self.state.counters.item += 1;
        self.state.counters.item
    }

    /// `count` ids for mesh objects; the first of them.
    pub(crate) fn reserve_mesh_ids(&mut self, count: i64) -> Outcome<i64> {
        let first = self.state.counters.mesh + 1;
        self.state.counters.mesh += count;
        Ok(first)
    }

    /// Writes the high-water marks that moved.
    pub(crate) fn save_counters(&mut self) -> Outcome<()> {
        let (now, saved) = (self.state.counters, self.state.saved);
        let marks = [
            ("commit", now.commit, saved.commit),
            ("space", now.space, saved.space),
            ("mesh", now.mesh, saved.mesh),
            ("item", now.item, saved.item),
        ];
        for (name, value, saved) in marks {
            if value != saved {
                self.conn
                    .prepare_cached("UPDATE counter SET value = ?2 WHERE name = ?1")?
                    .execute(params![name, value])?;
            }
        }
        self.state.saved = now;
        Ok(())
    }

    /// The number of a name, given to it now when it has none. The first spelling stays.
    pub(crate) fn name_id(&mut self, name: Name) -> Outcome<i64> {
        if let Some(id) = self.state.names.get(&name) {
            return Ok(*id);
        }
        let id = self
            .conn
            .prepare_cached("INSERT INTO name (folded, spelling) VALUES (?1, ?2)")?
            .insert([name.folded(), name.as_str()])?;
        self.state.names.insert(name, id);
        Ok(id)
    }

    /// The number of a set of names.
    pub(crate) fn set_id(&mut self, names: &[Name]) -> Outcome<i64> {
        if let Some(id) = self.state.sets.get(names) {
            return Ok(*id);
        }
        let text = serde_json::to_string(names).expect("names are JSON texts");
        let known: Option<i64> = self
            .conn
            .prepare_cached("SELECT id FROM exported_set WHERE names = ?1")?
            .query_row([&text], |row| row.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                self.conn.prepare_cached("INSERT INTO exported_set (names) VALUES (?1)")?.insert([&text])?
            }
        };
        self.state.sets.insert(names.into(), id);
        Ok(id)
    }

    /// Remembers that a connector has objects of a type; the type's number.
    pub(crate) fn partition(&mut self, connector: ConnectorId, object_type: Name) -> Outcome<i64> {
        let id = self.name_id(object_type)?;
        if self.state.partitions.insert((connector.0, id)) {
            self.conn
                .prepare_cached("INSERT OR IGNORE INTO partition (connector, type) VALUES (?1, ?2)")?
                .execute([connector.0, id])?;
        }
        Ok(id)
    }

    /// Whether somebody may ask later how what is written came to be.
    pub(super) fn is_kept(&self) -> bool {
        self.purpose == Purpose::Keep
    }

    /// Whether a table has any row at all; most of the small ones have none, and then need no look-ups.
    pub(crate) fn has_rows(&self, table: &'static str) -> Outcome<bool> {
        Ok(self.conn.prepare_cached(&format!("SELECT 1 FROM {table} LIMIT 1"))?.exists([])?)
    }

    /// Reads records within the transaction.
    pub(crate) fn loader(&mut self) -> Loader<'_> {
        Loader { conn: self.conn, memory: self.memory }
    }
}

/// Turns the refusal of a row that exists already into a conflict.
pub(crate) fn unique<T>(
    result: rusqlite::Result<T>,
    code: &'static str,
    message: impl FnOnce() -> String,
) -> Outcome<T> {
    match result {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
            Err(conflict(code, message()))
        }
        other => Ok(other?),
    }
}
