//! Passwords that are owed.

use identitymesh_model::{ConnectorId, MeshId, RuleId, SpaceId, Timestamp};
use identitymesh_store::PasswordDue;
use rusqlite::{Row, params};

use crate::codec::timestamp;
use crate::fault::Outcome;
use crate::load::Loader;

use super::staging::sql_limit;

impl Loader<'_> {
    pub(super) fn passwords_due(
        &mut self,
        connector: Option<ConnectorId>,
        now: Option<Timestamp>,
        after: Option<SpaceId>,
        limit: usize,
    ) -> Outcome<Vec<PasswordDue>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT space, connector, mesh, rule, since, attempts, not_before, reason FROM password_due \
             WHERE (?1 IS NULL OR connector = ?1) AND not_before <= ?2 AND space > ?3 ORDER BY space LIMIT ?4",
        )?;
        let mut rows = statement.query(params![
            connector.map(|connector| connector.0),
            now.map_or(i64::MAX, Timestamp::as_micros),
            after.map_or(0, |space| space.0),
            sql_limit(limit)
        ])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            due.push(password_due(row)?);
        }
        Ok(due)
    }
}

fn password_due(row: &Row<'_>) -> Outcome<PasswordDue> {
    Ok(PasswordDue {
        space: SpaceId(row.get(0)?),
        connector: ConnectorId(row.get(1)?),
        mesh: MeshId(row.get(2)?),
        rule: RuleId(row.get(3)?),
        since: timestamp(row.get(4)?)?,
        attempts: row.get(5)?,
        not_before: timestamp(row.get(6)?)?,
        reason: row.get(7)?,
    })
}
