//! Beginning and ending runs.

use identitymesh_model::{RunId, Timestamp};
use identitymesh_store::{Counters, RunStart, RunState};
use rusqlite::params;

use crate::codec::{INTENT_SENT, uid_bytes};
use crate::fault::{Fault, Outcome, conflict};

use super::tx::Tx;

impl Tx<'_> {
    pub(crate) fn begin_run(&mut self, start: &RunStart) -> Outcome<RunId> {
        let uid = self.ids.next_uid(start.at);
        let id = self
            .conn
            .prepare_cached(
                "INSERT INTO run (uid, connector, step, state, actor, started, updated, configuration, counters) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, \
                 coalesce((SELECT max(version) FROM configuration), 0), '{}')",
            )?
            .insert(params![
                uid_bytes(&uid),
                start.connector.map(|connector| connector.0),
                start.step,
                RunState::Running.as_str(),
                start.actor,
                start.at.as_micros()
            ])?;
        Ok(RunId(id))
    }

    pub(crate) fn note_source(&mut self, run: RunId, source: &str) -> Outcome<()> {
        let changed = self
            .conn
            .prepare_cached("UPDATE run SET source = ?2 WHERE id = ?1")?
            .execute(params![run.0, source])?;
        if changed == 0 { Err(no_run(run)) } else { Ok(()) }
    }

    pub(crate) fn end_run(
        &mut self,
        run: RunId,
        state: RunState,
        at: Timestamp,
        counters: &Counters,
        message: Option<&str>,
    ) -> Outcome<()> {
        let counters = serde_json::to_string(counters).expect("counts by name are JSON");
        let changed = self
            .conn
            .prepare_cached(
                "UPDATE run SET state = ?2, updated = ?3, counters = ?4, message = ?5 WHERE id = ?1",
            )?
            .execute(params![run.0, state.as_str(), at.as_micros(), counters, message])?;
        if changed == 0 {
            return Err(no_run(run));
        }
        self.state.findings.remove(&run.0);
        if matches!(state, RunState::Succeeded | RunState::SucceededWithFindings) {
            self.note_full_sync(run)?;
        }
        Ok(())
    }

    /// A full sync counts for the configuration that was in force when it began, if it still is.
    fn note_full_sync(&self, run: RunId) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "UPDATE configuration SET full_sync = ?1 \
                 WHERE version = (SELECT max(version) FROM configuration) \
                 AND version = (SELECT configuration FROM run WHERE id = ?1 AND step = 'full-sync')",
            )?
            .execute([run.0])?;
        Ok(())
    }

    pub(crate) fn interrupt_runs(&self, at: Timestamp) -> Outcome<Vec<RunId>> {
        let mut statement = self
            .conn
            .prepare_cached("UPDATE run SET state = ?1, updated = ?2 WHERE state IN (?3, ?4) RETURNING id")?;
        let row = params![
            RunState::Interrupted.as_str(),
            at.as_micros(),
            RunState::Running.as_str(),
            RunState::Queued.as_str()
        ];
        let mut ids: Vec<RunId> =
            statement.query_map(row, |row| row.get(0).map(RunId))?.collect::<rusqlite::Result<_>>()?;
        ids.sort_unstable();
        // Whoever leased items is gone with its runs: nobody has to wait for the leases to end.
        self.conn
            .prepare_cached("UPDATE intent SET until = min(until, ?1) WHERE state = ?2")?
            .execute([at.as_micros(), INTENT_SENT])?;
        Ok(ids)
    }
}

fn no_run(run: RunId) -> Fault {
    conflict("STO-013", format!("run {run} is not there"))
}
