//! Changes, of one object and of all.

use identitymesh_model::{ConnectorId, ContentHash, MeshId, RunId};
use identitymesh_store::ChangeRecord;
use identitymesh_store::audit::ChangeKind;
use rusqlite::{Params, Row};

use crate::codec::{self, timestamp};
use crate::fault::{Outcome, unknown_word};
use crate::load::Loader;

use super::staging::sql_limit;

const COLUMNS: &str = "seq, mesh, uid, run, at, actor, kind, connector, before, after, leaf, chain";

impl Loader<'_> {
    pub(super) fn history(
        &mut self,
        mesh: MeshId,
        before: Option<i64>,
        limit: usize,
    ) -> Outcome<Vec<ChangeRecord>> {
        let sql =
            format!("SELECT {COLUMNS} FROM change WHERE mesh = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3");
        self.change_rows(&sql, [mesh.0, before.unwrap_or(i64::MAX), sql_limit(limit)])
    }

    pub(super) fn changes(&mut self, after: i64, limit: usize) -> Outcome<Vec<ChangeRecord>> {
        let sql = format!("SELECT {COLUMNS} FROM change WHERE seq > ?1 ORDER BY seq LIMIT ?2");
        self.change_rows(&sql, [after, sql_limit(limit)])
    }

    pub(super) fn run_changes(&mut self, run: RunId, after: i64, limit: usize) -> Outcome<Vec<ChangeRecord>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM change INDEXED BY change_run WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"
        );
        self.change_rows(&sql, [run.0, after, sql_limit(limit)])
    }

    pub(super) fn purges(&mut self, after: i64, limit: usize) -> Outcome<Vec<ChangeRecord>> {
        let sql =
            format!("SELECT {COLUMNS} FROM change WHERE kind = 'purge' AND seq > ?1 ORDER BY seq LIMIT ?2");
        self.change_rows(&sql, [after, sql_limit(limit)])
    }

    fn change_rows(&self, sql: &str, params: impl Params) -> Outcome<Vec<ChangeRecord>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(change(row)?);
        }
        Ok(out)
    }
}

fn change(row: &Row<'_>) -> Outcome<ChangeRecord> {
    let kind: String = row.get(6)?;
    Ok(ChangeRecord {
        seq: row.get(0)?,
        mesh: MeshId(row.get(1)?),
        uid: codec::uid(row, 2)?,
        run: RunId(row.get(3)?),
        at: timestamp(row.get(4)?)?,
        actor: row.get(5)?,
        kind: ChangeKind::from_word(&kind).ok_or_else(|| unknown_word("kind of change", kind))?,
        connector: row.get::<_, Option<i64>>(7)?.map(ConnectorId),
        before: row.get(8)?,
        after: row.get::<_, Option<[u8; 16]>>(9)?.map(ContentHash),
        leaf: row.get(10)?,
        chain: row.get(11)?,
    })
}
