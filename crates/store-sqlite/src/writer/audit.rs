//! Appending to the audit chain, and what a run says of itself.

use identitymesh_model::Finding;
use identitymesh_store::audit::{ChangeRow, chain};
use identitymesh_store::{Cause, Counters};
use rusqlite::params;

use crate::codec::uid_bytes;
use crate::fault::Outcome;

use super::tx::Tx;

impl Tx<'_> {
    /// Appends rows to the chain, in order.
    pub(crate) fn append_changes<'r>(
        &mut self,
        rows: impl IntoIterator<Item = &'r ChangeRow>,
    ) -> Outcome<()> {
        if !self.is_kept() {
            return Ok(());
        }
        let mut statement = self.conn.prepare_cached(
            "INSERT INTO change (seq, mesh, uid, run, at, actor, kind, connector, before, after, leaf, chain) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        let mut end = self.state.chain;
        for row in rows {
            let leaf = row.leaf();
            end.seq += 1;
            end.chain = chain(&end.chain, &leaf);
            statement.execute(params![
                end.seq,
                row.mesh.0,
                uid_bytes(&row.uid),
                row.run.0,
                row.at.as_micros(),
                row.actor,
                row.kind.as_str(),
                row.connector.map(|connector| connector.0),
                row.before,
                row.after.map(|hash| hash.0),
                leaf,
                end.chain
            ])?;
        }
        self.state.chain = end;
        Ok(())
    }

    /// Keeps what a run found and how far it has counted.
    pub(crate) fn report(&mut self, cause: &Cause, findings: &[Finding], counters: &Counters) -> Outcome<()> {
        self.add_findings(cause.run.0, findings)?;
        let counters = serde_json::to_string(counters).expect("counts by name are JSON");
        self.conn
            .prepare_cached("UPDATE run SET counters = ?2, updated = ?3 WHERE id = ?1")?
            .execute(params![cause.run.0, counters, cause.at.as_micros()])?;
        Ok(())
    }

    fn add_findings(&mut self, run: i64, findings: &[Finding]) -> Outcome<()> {
        if findings.is_empty() {
            return Ok(());
        }
        let mut seq = match self.state.findings.get(&run) {
            Some(seq) => *seq,
            None => self.conn.query_row(
                "SELECT coalesce(max(seq), 0) FROM finding WHERE run = ?1",
                [run],
                |row| row.get(0),
            )?,
        };
        let mut statement =
            self.conn.prepare_cached("INSERT INTO finding (run, seq, body) VALUES (?1, ?2, ?3)")?;
        for finding in findings {
            seq += 1;
            let body = serde_json::to_string(finding).expect("a finding is JSON");
            statement.execute(params![run, seq, body])?;
        }
        self.state.findings.insert(run, seq);
        Ok(())
    }
}
