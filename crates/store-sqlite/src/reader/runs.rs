//! Runs, findings, configuration, secrets and notes.

use identitymesh_model::{ConnectorId, Name, RunId};
use identitymesh_store::{FindingRow, RunRow, RunState, SecretRow, StoredConfiguration};
use rusqlite::{OptionalExtension as _, Params, Row};

use crate::codec::{self, timestamp};
use crate::fault::{Outcome, unknown_word, unreadable};
use crate::load::Loader;

use super::staging::sql_limit;

const RUN_COLUMNS: &str =
    "id, connector, step, state, actor, started, updated, counters, message, configuration, source";

impl Loader<'_> {
    pub(super) fn run_list(&mut self, before: Option<RunId>, limit: usize) -> Outcome<Vec<RunRow>> {
        let sql = format!("SELECT {RUN_COLUMNS} FROM run WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
        self.run_rows(&sql, [before.map_or(i64::MAX, |run| run.0), sql_limit(limit)])
    }

    pub(super) fn run(&mut self, id: RunId) -> Outcome<Option<RunRow>> {
        let sql = format!("SELECT {RUN_COLUMNS} FROM run WHERE id = ?1");
        Ok(self.run_rows(&sql, [id.0])?.pop())
    }

    fn run_rows(&self, sql: &str, params: impl Params) -> Outcome<Vec<RunRow>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(run(row)?);
        }
        Ok(out)
    }

    pub(super) fn findings(&mut self, run: RunId, after: i64, limit: usize) -> Outcome<Vec<FindingRow>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT seq, body FROM finding WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        )?;
        let mut rows = statement.query([run.0, after, sql_limit(limit)])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let (seq, body): (i64, String) = (row.get(0)?, row.get(1)?);
            let finding = serde_json::from_str(&body)
                .map_err(|error| unreadable(format!("finding {seq} of run {run}"), error))?;
            out.push(FindingRow { seq, run, finding });
        }
        Ok(out)
    }

    pub(super) fn configuration(&mut self) -> Outcome<Option<StoredConfiguration>> {
        self.stored_configuration("ORDER BY version DESC LIMIT 1", [])
    }

    pub(super) fn configuration_of(&mut self, version: i64) -> Outcome<Option<StoredConfiguration>> {
        self.stored_configuration("WHERE version = ?1", [version])
    }

    fn stored_configuration(
        &mut self,
        which: &str,
        params: impl Params,
    ) -> Outcome<Option<StoredConfiguration>> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT version, at, actor, body, hash, full_sync FROM configuration {which}"
        ))?;
        let mut rows = statement.query(params)?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(StoredConfiguration {
            version: row.get(0)?,
            at: timestamp(row.get(1)?)?,
            actor: row.get(2)?,
            body: row.get(3)?,
            hash: codec::hash(row, 4)?,
            connectors: self.connectors()?,
            full_sync: row.get::<_, Option<i64>>(5)?.map(RunId),
        }))
    }

    fn connectors(&self) -> Outcome<Vec<(Name, ConnectorId)>> {
        let mut statement = self.conn.prepare_cached("SELECT name, id FROM connector ORDER BY folded")?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, id): (String, i64) = (row.get(0)?, row.get(1)?);
            let name =
                Name::new(&name).map_err(|error| unreadable(format!("the name of connector {id}"), error))?;
            out.push((name, ConnectorId(id)));
        }
        Ok(out)
    }

    pub(super) fn numbers(&mut self) -> Outcome<Vec<(String, i64)>> {
        let mut statement = self.conn.prepare_cached("SELECT key, id FROM number ORDER BY id")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(super) fn secrets(&mut self) -> Outcome<Vec<SecretRow>> {
        let mut statement = self.conn.prepare_cached("SELECT name, body FROM secret ORDER BY name")?;
        let rows = statement.query_map([], |row| Ok(SecretRow { name: row.get(0)?, body: row.get(1)? }))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(super) fn note(&mut self, name: &str) -> Outcome<Option<String>> {
        let mut statement = self.conn.prepare_cached("SELECT body FROM note WHERE name = ?1")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }
}

fn run(row: &Row<'_>) -> Outcome<RunRow> {
    let id = RunId(row.get(0)?);
    let (state, counters): (String, String) = (row.get(3)?, row.get(7)?);
    Ok(RunRow {
        id,
        connector: row.get::<_, Option<i64>>(1)?.map(ConnectorId),
        step: row.get(2)?,
        state: RunState::from_word(&state).ok_or_else(|| unknown_word("state of a run", state))?,
        actor: row.get(4)?,
        started: timestamp(row.get(5)?)?,
        updated: timestamp(row.get(6)?)?,
        configuration: row.get(9)?,
        source: row.get(10)?,
        counters: serde_json::from_str(&counters)
            .map_err(|error| unreadable(format!("the counters of run {id}"), error))?,
        message: row.get(8)?,
    })
}
