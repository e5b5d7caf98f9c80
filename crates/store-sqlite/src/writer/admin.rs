//! Configuration, numbers, secrets and notes.

use identitymesh_model::{ConnectorId, ContentHash};
use identitymesh_store::{Cause, ConfigurationWrite, Configured, SecretRow, StoreClass, StoreError};
use rusqlite::params;

use crate::fault::Outcome;

use super::tx::Tx;

impl Tx<'_> {
    /// Puts a configuration in force. Unless every object has to be looked at again, the last full sync still counts.
    pub(crate) fn configure(&mut self, write: &ConfigurationWrite) -> Outcome<Configured> {
        let version = self.conn.query_row(
            "INSERT INTO configuration (version, at, actor, body, hash, full_sync) \
             SELECT coalesce(max(version), 0) + 1, ?1, ?2, ?3, ?4, \
             CASE WHEN ?5 THEN NULL ELSE (SELECT full_sync FROM configuration ORDER BY version DESC LIMIT 1) END \
             FROM configuration RETURNING version",
            params![
                write.at.as_micros(),
                write.actor,
                write.body,
                ContentHash::of(&write.body).0,
                write.look_again
            ],
            |row| row.get(0),
        )?;
        let mut connectors = Vec::with_capacity(write.connectors.len());
        for name in &write.connectors {
            // The spelling follows the configuration, the number stays.
            let id = self.conn.query_row(
                "INSERT INTO connector (folded, name) VALUES (?1, ?2) \
                 ON CONFLICT (folded) DO UPDATE SET name = excluded.name RETURNING id",
                [name.folded(), name.as_str()],
                |row| row.get(0),
            )?;
            connectors.push(ConnectorId(id));
        }
        let mut number = self.conn.prepare_cached(
            "INSERT INTO number (key) VALUES (?1) ON CONFLICT (key) DO UPDATE SET key = key RETURNING id",
        )?;
        let mut numbers = Vec::with_capacity(write.keys.len());
        for key in &write.keys {
            numbers.push(number.query_row([key], |row| row.get(0))?);
        }
        let configured = Configured { version, connectors, numbers };
        match &write.expected {
            Some(expected) if *expected != configured => Err(StoreError::new(
                "STO-020",
                StoreClass::Conflict,
                format!(
                    "it would become version {version}, or number its rules otherwise than was reckoned with"
                ),
            )
            .advice("nothing was changed; make what was made with its numbers anew")
            .into()),
            _ => Ok(configured),
        }
    }

    pub(crate) fn put_secrets(&self, rows: &[SecretRow], cause: &Cause) -> Outcome<()> {
        let mut statement = self.conn.prepare_cached(
            "INSERT OR REPLACE INTO secret (name, body, at, actor) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for row in rows {
            statement.execute(params![row.name, row.body, cause.at.as_micros(), cause.actor])?;
        }
        Ok(())
    }

    pub(crate) fn remove_secret(&self, name: &str) -> Outcome<bool> {
        Ok(self.conn.prepare_cached("DELETE FROM secret WHERE name = ?1")?.execute([name])? > 0)
    }

    pub(crate) fn put_note(&self, name: &str, text: &str) -> Outcome<()> {
        self.conn
            .prepare_cached("INSERT OR REPLACE INTO note (name, body) VALUES (?1, ?2)")?
            .execute([name, text])?;
        Ok(())
    }
}
