//! Looking up keys, references, addresses and names.

use identitymesh_model::plan::IndexKey;
use identitymesh_model::{ConnectorId, MeshId, Name, SpaceId, Text, Uid, Value};
use identitymesh_store::Referred;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, Rows, params};

use crate::codec::{self, ANCHOR_INDEX, OF_MESH, OF_SPACE, SPACE_GONE, uid_bytes};
use crate::fault::{Outcome, unreadable};
use crate::load::{Loader, place, text_array, uid_array};

use super::staging::sql_limit;

impl Loader<'_> {
    pub(super) fn candidates(&mut self, keys: &[IndexKey]) -> Outcome<Vec<Vec<MeshId>>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT mesh FROM join_index WHERE idx = ?1 AND key = ?2 ORDER BY mesh")?;
        let mut out = Vec::with_capacity(keys.len());
        for key in keys {
            let rows =
                statement.query_map(params![key.index, key.key.as_str()], |row| row.get(0).map(MeshId))?;
            out.push(rows.collect::<rusqlite::Result<_>>()?);
        }
        Ok(out)
    }

    /// An address that leads to two objects leads to none: nobody could say to which.
    pub(super) fn referred(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Outcome<Vec<Option<Referred>>> {
        match by_address {
            Some(index) => self.referred_by_address(connector, index, references),
            None => self.referred_by_id(connector, references),
        }
    }

    fn referred_by_address(
        &mut self,
        connector: ConnectorId,
        index: i64,
        references: &[Text],
    ) -> Outcome<Vec<Option<Referred>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT k.rowid, o.id, l.mesh, m.uid FROM rarray(?1) k \
             CROSS JOIN name_key n ON n.idx = ?2 AND n.key = k.value AND n.kind = ?3 \
             CROSS JOIN space_object o ON o.id = n.owner AND o.connector = ?4 AND o.flags & ?5 = 0 \
             LEFT JOIN link l ON l.space = o.id LEFT JOIN mesh_object m ON m.id = l.mesh",
        )?;
        let asked = params![text_array(references), index, OF_SPACE, connector.0, SPACE_GONE];
        only_ones(statement.query(asked)?, references.len())
    }

    fn referred_by_id(
        &mut self,
        connector: ConnectorId,
        references: &[Text],
    ) -> Outcome<Vec<Option<Referred>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT k.rowid, o.id, l.mesh, m.uid FROM rarray(?1) k CROSS JOIN partition p ON p.connector = ?2 \
             CROSS JOIN space_object o INDEXED BY space_external \
             ON o.connector = p.connector AND o.type = p.type AND o.external_id = k.value AND o.flags & ?3 = 0 \
             LEFT JOIN link l ON l.space = o.id LEFT JOIN mesh_object m ON m.id = l.mesh",
        )?;
        let asked = params![text_array(references), connector.0, SPACE_GONE];
        only_ones(statement.query(asked)?, references.len())
    }

    /// Who is found under each of the keys, and where nobody is, who last was.
    pub(super) fn bearers(
        &mut self,
        connector: ConnectorId,
        index: i64,
        keys: &[Text],
    ) -> Outcome<Vec<Option<SpaceId>>> {
        let now = self.referred_by_address(connector, index, keys)?;
        let mut former = self.conn.prepare_cached(
            "SELECT f.space FROM former_name f CROSS JOIN space_object o ON o.id = f.space \
             WHERE f.idx = ?1 AND f.key = ?2 AND o.connector = ?3",
        )?;
        let mut formerly = |key: &Text| {
            let row = params![index, key.as_str(), connector.0];
            Ok(former.query_row(row, |row| row.get(0).map(SpaceId)).optional()?)
        };
        let each = keys.iter().zip(now).map(|(key, now)| match now {
            Some(now) => Ok(Some(now.space)),
            None => formerly(key),
        });
        each.collect()
    }

    /// Everybody who is found under each of the keys.
    pub(super) fn named(
        &mut self,
        connector: ConnectorId,
        index: i64,
        keys: &[Text],
    ) -> Outcome<Vec<Vec<SpaceId>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT o.id FROM name_key n CROSS JOIN space_object o ON o.id = n.owner \
             WHERE n.idx = ?1 AND n.key = ?2 AND n.kind = ?3 AND o.connector = ?4 AND o.flags & ?5 = 0 ORDER BY o.id",
        )?;
        let mut each = |key: &Text| {
            let asked = params![index, key.as_str(), OF_SPACE, connector.0, SPACE_GONE];
            let rows = statement.query_map(asked, |row| row.get(0).map(SpaceId))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        keys.iter().map(&mut each).collect()
    }

    /// Under which keys the objects were found before.
    pub(super) fn former_keys(&mut self, index: i64, ids: &[SpaceId]) -> Outcome<Vec<(SpaceId, Text)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT f.space, f.key FROM rarray(?1) k \
             CROSS JOIN former_name f INDEXED BY former_name_space ON f.space = k.value WHERE f.idx = ?2",
        )?;
        let ids = crate::load::id_array(ids.iter().map(|id| id.0));
        let rows = statement.query_map(params![ids, index], |row| {
            Ok((SpaceId(row.get(0)?), Text::from(row.get::<_, String>(1)?)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Everybody who is found under one of the references.
    pub(super) fn owners(
        &mut self,
        connector: ConnectorId,
        by_address: Option<i64>,
        references: &[Text],
    ) -> Outcome<Vec<Uid>> {
        let mut out = Vec::new();
        match by_address {
            Some(index) => {
                let mut statement = self.conn.prepare_cached(
                    "SELECT m.uid FROM name_key n CROSS JOIN space_object o ON o.id = n.owner \
                     CROSS JOIN link l ON l.space = o.id CROSS JOIN mesh_object m ON m.id = l.mesh \
                     WHERE n.idx = ?1 AND n.key = ?2 AND n.kind = ?3 AND o.connector = ?4",
                )?;
                for key in references {
                    let asked = params![index, key.as_str(), OF_SPACE, connector.0];
                    take_uids(&mut statement, asked, &mut out)?;
                }
            }
            None => {
                let mut statement = self.conn.prepare_cached(
                    "SELECT m.uid FROM partition p CROSS JOIN space_object o INDEXED BY space_external \
                     ON o.connector = p.connector AND o.type = p.type AND o.external_id = ?2 \
                     CROSS JOIN link l ON l.space = o.id CROSS JOIN mesh_object m ON m.id = l.mesh \
                     WHERE p.connector = ?1",
                )?;
                for key in references {
                    take_uids(&mut statement, params![connector.0, key.as_str()], &mut out)?;
                }
            }
        }
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }

    pub(super) fn addresses(
        &mut self,
        connector: ConnectorId,
        address: Option<Name>,
        uids: &[Uid],
    ) -> Outcome<Vec<Option<Text>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT k.rowid, o.id, o.external_id, o.doc FROM rarray(?1) k CROSS JOIN mesh_object m ON m.uid = k.value \
             CROSS JOIN link l INDEXED BY link_mesh ON l.mesh = m.id AND l.connector = ?2 \
             CROSS JOIN space_object o ON o.id = l.space AND o.flags & ?3 = 0",
        )?;
        let mut rows = statement.query(params![uid_array(uids), connector.0, SPACE_GONE])?;
        // Of several the eldest counts.
        let mut found: Vec<Option<(i64, Text)>> = vec![None; uids.len()];
        while let Some(row) = rows.next()? {
            let (at, id) = (place(row.get(0)?), row.get(1)?);
            if found[at].as_ref().is_some_and(|(known, _)| *known < id) {
                continue;
            }
            let text = match address {
                None => Some(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?.into()),
                Some(name) => {
                    self.first_text(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?, name)?
                }
            };
            found[at] = text.map(|text| (id, text)).or_else(|| found[at].take());
        }
        Ok(found.into_iter().map(|found| found.map(|(_, text)| text)).collect())
    }

    fn first_text(&mut self, doc: &str, name: Name) -> Outcome<Option<Text>> {
        let doc = self.memory.space_docs.read(doc).map_err(|error| unreadable("a document", error))?;
        let first = doc.get(name).and_then(|values| values.as_slice().first());
        Ok(first.and_then(Value::as_text).map(Text::from))
    }

    pub(super) fn is_taken(&mut self, key: &IndexKey, except: MeshId) -> Outcome<bool> {
        is_taken(self.conn, key, except)
    }

    pub(super) fn mesh_by_uid(&mut self, uid: Uid) -> Outcome<Option<MeshId>> {
        let mut statement = self.conn.prepare_cached("SELECT id FROM mesh_object WHERE uid = ?1")?;
        Ok(statement.query_row([uid_bytes(&uid)], |row| row.get(0).map(MeshId)).optional()?)
    }

    /// Keys are normalised in other ways than by case too; what people type is tried as typed and in lower case.
    pub(super) fn mesh_find(&mut self, called: &str, limit: usize) -> Outcome<Vec<MeshId>> {
        let called = called.trim();
        let mut found: Vec<MeshId> = Vec::new();
        if let Ok(uid) = called.parse::<Uid>() {
            found.extend(self.mesh_by_uid(uid)?);
        }
        let mut statement = self.conn.prepare_cached(
            "SELECT j.mesh FROM (SELECT ?3 AS id UNION ALL SELECT id FROM number) n \
             CROSS JOIN join_index j ON j.idx = n.id AND j.key IN (?1, ?2) \
             ORDER BY n.id, j.mesh LIMIT ?4",
        )?;
        let folded = called.to_lowercase();
        let rows = statement.query_map(params![called, folded, ANCHOR_INDEX, sql_limit(limit)], |row| {
            row.get(0).map(MeshId)
        })?;
        for id in rows {
            let id = id?;
            if !found.contains(&id) {
                found.push(id);
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    pub(super) fn space_find(&mut self, connector: ConnectorId, external_id: &str) -> Outcome<Vec<SpaceId>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT o.id FROM partition p CROSS JOIN space_object o INDEXED BY space_external \
             ON o.connector = p.connector AND o.type = p.type AND o.external_id = ?2 \
             WHERE p.connector = ?1 ORDER BY o.id",
        )?;
        let rows = statement.query_map(params![connector.0, external_id], |row| row.get(0).map(SpaceId))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// For each place the one object that was found for it; where there are several, nobody could say which.
fn only_ones(mut rows: Rows<'_>, count: usize) -> Outcome<Vec<Option<Referred>>> {
    let mut found: Vec<Option<Referred>> = vec![None; count];
    let mut again: Vec<usize> = Vec::new();
    while let Some(row) = rows.next()? {
        let at = place(row.get(0)?);
        if found[at].replace(referred(row)?).is_some() {
            again.push(at);
        }
    }
    for at in again {
        found[at] = None;
    }
    Ok(found)
}

fn take_uids(
    statement: &mut CachedStatement<'_>,
    params: impl rusqlite::Params,
    out: &mut Vec<Uid>,
) -> Outcome<()> {
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        out.push(codec::uid(row, 0)?);
    }
    Ok(())
}

fn referred(row: &Row<'_>) -> rusqlite::Result<Referred> {
    let mesh = match row.get::<_, Option<i64>>(2)? {
        Some(mesh) => Some((MeshId(mesh), codec::uid(row, 3)?)),
        None => None,
    };
    Ok(Referred { space: SpaceId(row.get(1)?), mesh })
}

/// Whether somebody else has a name in a system, or waits to be given it.
pub(crate) fn is_taken(conn: &Connection, key: &IndexKey, except: MeshId) -> Outcome<bool> {
    let mut statement = conn.prepare_cached(
        "SELECT 1 FROM name_key n LEFT JOIN link l ON n.kind = ?4 AND l.space = n.owner \
         WHERE n.idx = ?1 AND n.key = ?2 \
         AND CASE n.kind WHEN ?5 THEN n.owner ELSE coalesce(l.mesh, -1) END <> ?3 LIMIT 1",
    )?;
    Ok(statement.exists(params![key.index, key.key.as_str(), except.0, OF_SPACE, OF_MESH])?)
}
