//! What a sync pages through.

use identitymesh_model::{ConnectorId, MeshId, SpaceId, SpaceRecord, Timestamp};
use identitymesh_store::{Cursor, Todo};
use rusqlite::OptionalExtension as _;

use crate::codec::{OF_MESH, OF_SPACE};
use crate::fault::Outcome;
use crate::load::{Loader, SPACE_ROWS, Sets};

use super::staging::sql_limit;

impl Loader<'_> {
    pub(super) fn cursor(&mut self, connector: ConnectorId) -> Outcome<Cursor> {
        let mut statement =
            self.conn.prepare_cached("SELECT touched, space FROM cursor WHERE connector = ?1")?;
        let cursor = statement
            .query_row([connector.0], |row| Ok(Cursor { touched: row.get(0)?, space: row.get(1)? }))
            .optional()?;
        Ok(cursor.unwrap_or_default())
    }

    /// First what is left of the commit that the cursor stands in, then later ones: each half is one range of the
    /// index. Objects that were never touched have 0 and are no news.
    pub(super) fn pending(
        &mut self,
        connector: ConnectorId,
        after: Cursor,
        limit: usize,
        traced: Option<i64>,
    ) -> Outcome<Vec<(Cursor, SpaceRecord)>> {
        let sets = traced.map_or(Sets::Whole, Sets::Untraced);
        let select = format!(
            "SELECT o.touched, {SPACE_ROWS} FROM space_object o INDEXED BY space_touched \
             LEFT JOIN link l ON l.space = o.id WHERE o.connector = ?1"
        );
        let mut rows = Vec::new();
        if after.touched > 0 {
            let sql = format!("{select} AND o.touched = ?2 AND o.id > ?3 ORDER BY o.id LIMIT ?4");
            rows = self.space_rows_with(
                &sql,
                [connector.0, after.touched, after.space, sql_limit(limit)],
                sets,
            )?;
        }
        if rows.len() < limit {
            let sql = format!("{select} AND o.touched > ?2 ORDER BY o.touched, o.id LIMIT ?3");
            let rest = sql_limit(limit - rows.len());
            rows.extend(self.space_rows_with(&sql, [connector.0, after.touched.max(0), rest], sets)?);
        }
        let place = |(touched, record): (i64, SpaceRecord)| (Cursor { touched, space: record.id.0 }, record);
        Ok(rows.into_iter().map(place).collect())
    }

    /// As [`Loader::pending`]: an object that was never touched is no news.
    pub(super) fn pending_count(&mut self, connector: ConnectorId, after: Cursor) -> Outcome<u64> {
        let mut statement = self.conn.prepare_cached(
            "SELECT count(*) FROM space_object INDEXED BY space_touched \
             WHERE connector = ?1 AND touched > 0 AND (touched, id) > (?2, ?3)",
        )?;
        Ok(statement.query_row([connector.0, after.touched, after.space], |row| row.get(0))?)
    }

    pub(super) fn spaces_after(
        &mut self,
        connector: ConnectorId,
        after: SpaceId,
        limit: usize,
    ) -> Outcome<Vec<SpaceRecord>> {
        self.by_id_after("", connector, after, limit)
    }

    /// Rows of linked objects are not touched: the indexes tell them.
    pub(super) fn unlinked_after(
        &mut self,
        connector: ConnectorId,
        after: SpaceId,
        limit: usize,
    ) -> Outcome<Vec<SpaceRecord>> {
        self.by_id_after("AND l.space IS NULL", connector, after, limit)
    }

    fn by_id_after(
        &mut self,
        which: &str,
        connector: ConnectorId,
        after: SpaceId,
        limit: usize,
    ) -> Outcome<Vec<SpaceRecord>> {
        let sql = format!(
            "SELECT 0, {SPACE_ROWS} FROM space_object o INDEXED BY space_connector \
             LEFT JOIN link l ON l.space = o.id \
             WHERE o.connector = ?1 AND o.id > ?2 {which} ORDER BY o.id LIMIT ?3"
        );
        let rows = self.space_rows(&sql, [connector.0, after.0, sql_limit(limit)])?;
        Ok(rows.into_iter().map(|(_, record)| record).collect())
    }

    pub(super) fn mesh_after(&mut self, after: MeshId, limit: usize) -> Outcome<Vec<MeshId>> {
        // The index on public ids is narrow but in their order; the table is in ours, and its pages are wide.
        let mut statement =
            self.conn.prepare_cached("SELECT id FROM mesh_object WHERE id > ?1 ORDER BY id LIMIT ?2")?;
        let rows = statement.query_map([after.0, sql_limit(limit)], |row| row.get(0).map(MeshId))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(super) fn todos(&mut self, now: Timestamp, after: Option<Todo>, limit: usize) -> Outcome<Vec<Todo>> {
        // Many entries may wait for a date; whether any is due is one step in another index.
        let mut any = self.conn.prepare_cached("SELECT 1 FROM todo WHERE due <= ?1 LIMIT 1")?;
        if !any.exists([now.as_micros()])? {
            return Ok(Vec::new());
        }
        let (kind, id) = match after {
            None => (OF_SPACE, i64::MIN),
            Some(Todo::Space(space)) => (OF_SPACE, space.0),
            Some(Todo::Mesh(mesh)) => (OF_MESH, mesh.0),
        };
        let mut statement = self.conn.prepare_cached(
            "SELECT kind, id FROM todo WHERE (kind, id) > (?1, ?2) AND due <= ?3 ORDER BY kind, id LIMIT ?4",
        )?;
        let rows = statement.query_map([kind, id, now.as_micros(), sql_limit(limit)], |row| {
            let (kind, id): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok(if kind == OF_SPACE { Todo::Space(SpaceId(id)) } else { Todo::Mesh(MeshId(id)) })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
