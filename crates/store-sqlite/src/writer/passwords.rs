//! Passwords that are owed.

use identitymesh_model::Timestamp;
use identitymesh_store::{PasswordBatch, PasswordOwed, PasswordSettle};
use rusqlite::params;

use crate::fault::Outcome;

use super::tx::Tx;

impl Tx<'_> {
    /// Records that an object owes a password, due at once.
    pub(crate) fn owe_password(&self, owed: &PasswordOwed, at: Timestamp) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO password_due (space, connector, mesh, rule, since, not_before) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
            )?
            .execute(params![owed.space.0, owed.connector.0, owed.mesh.0, owed.rule.0, at.as_micros()])?;
        Ok(())
    }

    /// Records what became of passwords.
    pub(crate) fn settle_passwords(&mut self, batch: &PasswordBatch) -> Outcome<()> {
        for (space, what) in &batch.settled {
            match what {
                PasswordSettle::Again { not_before, reason } => {
                    self.conn
                        .prepare_cached(
                            "UPDATE password_due SET attempts = attempts + 1, not_before = ?2, reason = ?3 \
                             WHERE space = ?1",
                        )?
                        .execute(params![space.0, not_before.as_micros(), reason])?;
                }
                PasswordSettle::Done { .. } | PasswordSettle::Dropped => {
                    self.conn
                        .prepare_cached("DELETE FROM password_due WHERE space = ?1")?
                        .execute([space.0])?;
                }
            }
        }
        self.append_changes(batch.settled.iter().filter_map(|(_, what)| match what {
            PasswordSettle::Done { row } => Some(row),
            _ => None,
        }))?;
        self.report(&batch.cause, &batch.findings, &batch.counters)
    }
}
