//! What staging asks.

use std::rc::Rc;

use identitymesh_model::{ConnectorId, Coverage, Name, SpaceId};
use identitymesh_store::{Known, Moment, RunState};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::codec::{self, SPACE_GONE, SPACE_UNCONFIRMED};
use crate::dictionary::name_id;
use crate::fault::{Outcome, unknown_word};
use crate::load::{Loader, place};

/// A limit as SQLite takes it.
pub(super) fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Loader<'_> {
    /// One statement for the batch, joined in key order: neighbours in the index are read one after the other.
    pub(super) fn known(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        external_ids: &[&str],
    ) -> Outcome<Vec<Option<Known>>> {
        let mut out = vec![None; external_ids.len()];
        let Some(object_type) = name_id(self.conn, object_type)? else { return Ok(out) };
        let keys: Rc<Vec<Value>> =
            Rc::new(external_ids.iter().map(|id| Value::Text((*id).to_owned())).collect());
        let mut statement = self.conn.prepare_cached(
            "SELECT k.rowid, o.id, o.hash, o.flags, o.exported IS NOT NULL FROM rarray(?1) k \
             CROSS JOIN space_object o INDEXED BY space_external \
             ON o.connector = ?2 AND o.type = ?3 AND o.external_id = k.value",
        )?;
        let mut rows = statement.query(params![keys, connector.0, object_type])?;
        while let Some(row) = rows.next()? {
            let flags: i64 = row.get(3)?;
            out[place(row.get(0)?)] = Some(Known {
                id: SpaceId(row.get(1)?),
                hash: codec::hash(row, 2)?,
                deleted: flags & SPACE_GONE != 0,
                exported: row.get(4)?,
                unconfirmed: flags & SPACE_UNCONFIRMED != 0,
            });
        }
        Ok(out)
    }

    pub(super) fn coverage(&mut self, connector: ConnectorId, object_type: Name) -> Outcome<Coverage> {
        let unknown = |why: String| Ok(Coverage::Unknown(why));
        let mut last = self.conn.prepare_cached(
            "SELECT id, state FROM run INDEXED BY run_imports WHERE connector = ?1 \
             AND step IN ('full-import', 'delta-import') AND state NOT IN ('queued', 'running') \
             ORDER BY id DESC LIMIT 1",
        )?;
        let last: Option<(i64, String)> =
            last.query_row([connector.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((run, state)) = last else { return unknown("was never imported".to_owned()) };
        let state = RunState::from_word(&state).ok_or_else(|| unknown_word("state of a run", state))?;
        if !matches!(state, RunState::Succeeded | RunState::SucceededWithFindings | RunState::Held) {
            return unknown(format!("could not be imported last (run {run}: {})", state.as_str()));
        }
        let mut covered = self.conn.prepare_cached(
            "SELECT c.whole, c.run FROM coverage c JOIN name n ON n.id = c.type \
             WHERE c.connector = ?1 AND n.folded = ?2",
        )?;
        let covered: Option<(bool, i64)> = covered
            .query_row(params![connector.0, object_type.folded()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match covered {
            Some((true, _)) => Ok(Coverage::Whole),
            Some((false, run)) => unknown(format!("was not proved to be read whole (run {run})")),
            None => unknown(format!("was not read whole yet, or knows no {object_type}")),
        }
    }

    pub(super) fn present(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        after: SpaceId,
        limit: usize,
    ) -> Outcome<Vec<SpaceId>> {
        let Some(object_type) = name_id(self.conn, object_type)? else { return Ok(Vec::new()) };
        let mut statement = self.conn.prepare_cached(
            "SELECT id FROM space_object INDEXED BY space_present \
             WHERE connector = ?1 AND type = ?2 AND id > ?3 AND flags & 1 = 0 ORDER BY id LIMIT ?4",
        )?;
        let rows = statement.query_map([connector.0, object_type, after.0, sql_limit(limit)], |row| {
            row.get(0).map(SpaceId)
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(super) fn population(&mut self, connector: ConnectorId, object_type: Name) -> Outcome<u64> {
        let Some(object_type) = name_id(self.conn, object_type)? else { return Ok(0) };
        let mut statement = self.conn.prepare_cached(
            "SELECT count(*) FROM space_object INDEXED BY space_present \
             WHERE connector = ?1 AND type = ?2 AND flags & 1 = 0",
        )?;
        Ok(statement.query_row([connector.0, object_type], |row| row.get(0))?)
    }

    pub(super) fn watermark(&mut self, connector: ConnectorId) -> Outcome<Option<String>> {
        let mut statement = self.conn.prepare_cached("SELECT body FROM watermark WHERE connector = ?1")?;
        Ok(statement.query_row([connector.0], |row| row.get(0)).optional()?)
    }

    pub(super) fn settled(&mut self, connector: ConnectorId) -> Outcome<Option<Moment>> {
        let mut statement =
            self.conn.prepare_cached("SELECT change, space FROM settled WHERE connector = ?1")?;
        Ok(statement.query_row([connector.0], settled).optional()?)
    }
}

pub(super) fn settled(row: &Row<'_>) -> rusqlite::Result<Moment> {
    Ok(Moment { change: row.get(0)?, space: SpaceId(row.get(1)?) })
}
