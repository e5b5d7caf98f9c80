//! Notes on management-space objects without a mesh object, what they wait for, and their end.

use identitymesh_model::plan::{Note, SpacePlan};
use identitymesh_store::Cause;
use rusqlite::params;

use crate::codec::OF_SPACE;
use crate::fault::Outcome;

use super::body::Age;
use super::tx::Tx;

impl Tx<'_> {
    pub(super) fn note_spaces(&mut self, spaces: &[SpacePlan], cause: &Cause) -> Outcome<()> {
        for plan in spaces {
            let space = plan.space.0;
            if plan.purge {
                self.purge_space(space, cause)?;
                continue;
            }
            self.forget_notes(space)?;
            if let Some(note) = &plan.note {
                self.keep_note(space, note)?;
            }
            let mut insert = self.conn.prepare_cached(
                "INSERT INTO wait_key (idx, key, space) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?;
            for key in &plan.waits {
                insert.execute(params![key.index, key.key.as_str(), space])?;
            }
        }
        Ok(())
    }

    fn keep_note(&self, space: i64, note: &Note) -> Outcome<()> {
        let body = serde_json::to_string(note).expect("a note is JSON");
        self.conn
            .prepare_cached("INSERT INTO space_note (space, body) VALUES (?1, ?2)")?
            .execute(params![space, body])?;
        Ok(())
    }

    /// Forgets why an object has no mesh object, and what it waits for.
    pub(super) fn forget_notes(&self, space: i64) -> Outcome<()> {
        self.conn.prepare_cached("DELETE FROM space_note WHERE space = ?1")?.execute([space])?;
        self.conn.prepare_cached("DELETE FROM wait_key WHERE space = ?1")?.execute([space])?;
        Ok(())
    }

    /// Removes an object with all that hangs on it. One that is gone already is no error: two parts of a plan may
    /// both see its end.
    pub(super) fn purge_space(&mut self, space: i64, cause: &Cause) -> Outcome<()> {
        self.keep_purge(cause, space)?;
        self.forget_notes(space)?;
        self.set_names(OF_SPACE, space, &[], Age::Known)?;
        for sql in [
            "DELETE FROM space_object WHERE id = ?1",
            "DELETE FROM link WHERE space = ?1",
            "DELETE FROM space_ref WHERE space = ?1",
            "DELETE FROM drift WHERE space = ?1",
            "DELETE FROM former_name WHERE space = ?1",
            "DELETE FROM password_due WHERE space = ?1",
            "DELETE FROM todo WHERE kind = 0 AND id = ?1",
        ] {
            self.conn.prepare_cached(sql)?.execute([space])?;
        }
        Ok(())
    }
}
