//! Counts for an overview, each from a narrow index or table.

use std::collections::BTreeMap;

use identitymesh_model::ConnectorId;
use identitymesh_store::{ConnectorCount, ItemCount, ItemState, Totals};

use crate::codec;
use crate::fault::Outcome;
use crate::load::Loader;

impl Loader<'_> {
    pub(super) fn totals(&mut self) -> Outcome<Totals> {
        Ok(Totals {
            mesh: self.mesh_totals()?,
            spaces: self.space_totals()?,
            items: self.item_totals()?,
            todos: self.one_count("SELECT count(*) FROM todo")?,
            // Rows of the audit are never removed, so the last one's place is their number.
            changes: self.one_count("SELECT coalesce(max(seq), 0) FROM change")?,
        })
    }

    fn one_count(&self, sql: &str) -> Outcome<u64> {
        Ok(self.conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    fn mesh_totals(&mut self) -> Outcome<Vec<(identitymesh_model::Name, u64)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT a.type, a.n - coalesce(g.n, 0) FROM \
             (SELECT type, count(*) AS n FROM mesh_object INDEXED BY mesh_type GROUP BY type) a LEFT JOIN \
             (SELECT type, count(*) AS n FROM mesh_object INDEXED BY mesh_gone WHERE state <> 0 GROUP BY type) g \
             ON g.type = a.type",
        )?;
        let rows: Vec<(i64, u64)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut out = Vec::with_capacity(rows.len());
        for (id, count) in rows {
            out.push((self.memory.dictionary.name(self.conn, id)?, count));
        }
        out.sort_unstable();
        Ok(out)
    }

    fn space_totals(&mut self) -> Outcome<Vec<ConnectorCount>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT p.connector, p.type, \
             (SELECT count(*) FROM space_object o INDEXED BY space_present \
              WHERE o.connector = p.connector AND o.type = p.type AND o.flags & 1 = 0), \
             (SELECT count(*) FROM link l INDEXED BY link_partition \
              WHERE l.connector = p.connector AND l.type = p.type), \
             (SELECT count(*) FROM space_object o INDEXED BY space_gone CROSS JOIN link l ON l.space = o.id \
              WHERE o.connector = p.connector AND o.type = p.type AND o.flags & 1 = 1) \
             FROM partition p",
        )?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let (linked, linked_and_gone): (u64, u64) = (row.get(3)?, row.get(4)?);
            out.push(ConnectorCount {
                connector: ConnectorId(row.get(0)?),
                object_type: self.memory.dictionary.name(self.conn, row.get(1)?)?,
                present: row.get(2)?,
                linked: linked.saturating_sub(linked_and_gone),
            });
        }
        out.sort_unstable_by_key(|count| (count.connector, count.object_type));
        Ok(out)
    }

    fn item_totals(&self) -> Outcome<Vec<ItemCount>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT i.connector, i.operation, t.state, i.standing, count(*) FROM export_item i INDEXED BY item_order \
             LEFT JOIN intent t ON t.item = i.id GROUP BY i.connector, i.operation, t.state, i.standing",
        )?;
        let mut rows = statement.query([])?;
        let mut counts: BTreeMap<(ConnectorId, i64, ItemState), u64> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let key = (ConnectorId(row.get(0)?), row.get(1)?, codec::item_state(row.get(2)?, row.get(3)?)?);
            *counts.entry(key).or_default() += row.get::<_, u64>(4)?;
        }
        let count = |((connector, operation, state), count)| {
            Ok(ItemCount { connector, operation: codec::operation(operation)?, state, count })
        };
        counts.into_iter().map(count).collect()
    }
}
