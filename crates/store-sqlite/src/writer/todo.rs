//! The to-do list: what a sync has to look at again.

use identitymesh_model::Timestamp;
use identitymesh_store::Todo;

use crate::codec::{OF_MESH, OF_SPACE};
use crate::fault::Outcome;

use super::tx::Tx;

/// An entry's columns.
const fn columns(todo: Todo) -> (i64, i64) {
    match todo {
        Todo::Space(id) => (OF_SPACE, id.0),
        Todo::Mesh(id) => (OF_MESH, id.0),
    }
}

impl Tx<'_> {
    /// Puts entries on the list, due at once or not before `at`; an entry that is there keeps the earlier time. Says
    /// how many the list gained.
    pub(crate) fn wake(&self, todos: impl IntoIterator<Item = (Todo, Option<Timestamp>)>) -> Outcome<u64> {
        let mut insert =
            self.conn.prepare_cached("INSERT OR IGNORE INTO todo (kind, id, due) VALUES (?1, ?2, ?3)")?;
        let mut hasten =
            self.conn.prepare_cached("UPDATE todo SET due = ?3 WHERE kind = ?1 AND id = ?2 AND due > ?3")?;
        let mut gained = 0;
        for (todo, at) in todos {
            let (kind, id) = columns(todo);
            let row = [kind, id, at.map_or(i64::MIN, Timestamp::as_micros)];
            if insert.execute(row)? == 1 {
                gained += 1;
            } else {
                hasten.execute(row)?;
            }
        }
        Ok(gained)
    }

    /// Takes entries off the list.
    pub(crate) fn finish(&self, todos: &[Todo]) -> Outcome<()> {
        let mut delete = self.conn.prepare_cached("DELETE FROM todo WHERE kind = ?1 AND id = ?2")?;
        for todo in todos {
            let (kind, id) = columns(*todo);
            delete.execute([kind, id])?;
        }
        Ok(())
    }
}
