//! Mesh objects with large sets of references: what is remembered of them, and views that leave most members out.

use std::collections::BTreeSet;

use identitymesh_model::{
    ConnectorId, ContentHash, MeshId, MeshView, Name, SpaceId, Text, Trace, Uid, Value, Values,
};
use identitymesh_store::{News, Traced};
use rusqlite::{OptionalExtension as _, params};

use crate::codec::{
    self, NEWS_OF_ALL, NEWS_OF_MEMBER, OF_SPACE, SPACE_DRIFT, SPACE_GONE, key_hash, uid_bytes,
};
use crate::fault::{Outcome, unreadable};

use super::memory::{Loader, id_array, place};
use super::space::Sets;

/// Members of each set that a narrow view shows beside those in question.
const OTHERS_SHOWN: usize = 4;
/// From this many entries on the sets are looked at as a whole.
const NEWS_MAX: i64 = 10_000;
/// For so many addresses an object may wait at most, or its sets are looked at as a whole.
const WAITS_MAX: usize = 1_000;
/// Keys of this length may be cut, and do not tell by what they are found.
const KEY_BYTES_TRUSTED: usize = 500;

impl Loader<'_> {
    /// What is remembered of mesh objects, in the order of `ids`.
    pub(crate) fn traces(&mut self, ids: &[MeshId], rules: i64) -> Outcome<Vec<Option<Traced>>> {
        let mut out: Vec<Option<Traced>> = ids.iter().map(|_| None).collect();
        let mut any = self.conn.prepare_cached("SELECT 1 FROM trace LIMIT 1")?;
        if !any.exists([])? {
            return Ok(out);
        }
        let mut statement = self.conn.prepare_cached(
            "SELECT k.rowid, t.mesh, t.shape, \
             (SELECT coalesce(max(seq), 0) FROM trace_news n WHERE n.mesh = t.mesh), \
             t.rules = ?2 AND t.open = 0 AND o.state = 0 \
             AND (SELECT count(*) FROM trace_news n WHERE n.mesh = t.mesh) <= ?3 \
             AND NOT EXISTS (SELECT 1 FROM trace_news n WHERE n.mesh = t.mesh AND n.space = ?5) \
             AND NOT EXISTS (SELECT 1 FROM export_item i WHERE i.mesh = t.mesh) AND NOT EXISTS (SELECT 1 \
             FROM link l JOIN space_object s ON s.id = l.space WHERE l.mesh = t.mesh AND s.flags & ?4 <> 0) \
             FROM rarray(?1) k CROSS JOIN trace t ON t.mesh = k.value JOIN mesh_object o ON o.id = t.mesh",
        )?;
        let asked = params![
            id_array(ids.iter().map(|id| id.0)),
            rules,
            NEWS_MAX,
            SPACE_GONE | SPACE_DRIFT,
            NEWS_OF_ALL
        ];
        let mut rows = statement.query(asked)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let shape: Option<[u8; 16]> = row.get(2)?;
            let is_current: bool = row.get(4)?;
            let shape = shape.filter(|_| is_current).map(ContentHash);
            let trace = Trace { shape, upto: row.get(3)?, shown: None };
            found.push((place(row.get(0)?), MeshId(row.get(1)?), trace));
        }
        for (at, mesh, trace) in found {
            let news = trace.shape.map(|_| self.news(mesh)).transpose()?;
            out[at] = Some(Traced { trace, news });
        }
        Ok(out)
    }

    fn news(&mut self, mesh: MeshId) -> Outcome<News> {
        let mut news = News::default();
        let mut statement = self.conn.prepare_cached(
            "SELECT n.space, n.key, o.connector, o.type FROM trace_news n LEFT JOIN space_object o ON o.id = n.space \
             WHERE n.mesh = ?1 ORDER BY n.space, n.key",
        )?;
        let mut rows = statement.query([mesh.0])?;
        while let Some(row) = rows.next()? {
            let space: i64 = row.get(0)?;
            if space == NEWS_OF_MEMBER {
                news.members.push(codec::uid(row, 1)?);
                continue;
            }
            let (Some(connector), Some(object_type)) = (row.get(2)?, row.get(3)?) else { continue };
            let key = text(row.get(1)?)?;
            let object_type = self.memory.dictionary.name(self.conn, object_type)?;
            news.edges.push((SpaceId(space), ConnectorId(connector), object_type, key));
        }
        Ok(news)
    }

    /// As [`Loader::views`], with what has to do with the given members.
    pub(crate) fn narrow_views(&mut self, asked: &[(MeshId, Vec<Uid>)]) -> Outcome<Vec<Option<MeshView>>> {
        let mut out = Vec::with_capacity(asked.len());
        for (id, members) in asked {
            out.push(self.narrow_view(*id, members)?);
        }
        Ok(out)
    }

    fn narrow_view(&mut self, id: MeshId, members: &[Uid]) -> Outcome<Option<MeshView>> {
        let mut shown: BTreeSet<Uid> = members.iter().copied().collect();
        let waits = self.waits_of(id)?;
        if waits.len() > WAITS_MAX {
            return Ok(self.views(&[id])?.pop().flatten());
        }
        shown.extend(waits);
        let enough = i64::try_from(shown.len() + OTHERS_SHOWN).unwrap_or(i64::MAX);
        for attribute in self.set_attributes(id)? {
            let mut first = self.conn.prepare_cached(
                "SELECT member FROM membership WHERE owner = ?1 AND attribute = ?2 ORDER BY member LIMIT ?3",
            )?;
            let first = first.query_map([id.0, attribute, enough], |row| codec::uid(row, 0))?;
            shown.extend(first.collect::<rusqlite::Result<Vec<Uid>>>()?);
        }
        let mut addresses = Vec::new();
        for uid in &shown {
            self.addresses_in_all(*uid, &mut addresses)?;
        }
        if addresses.iter().any(|(_, address)| address.len() > KEY_BYTES_TRUSTED) {
            return Ok(self.views(&[id])?.pop().flatten());
        }
        let mut views = self.mesh_records(&[id], Some(&shown))?;
        self.add_linked(&[id], &mut views, Sets::None)?;
        self.add_items(&[id], &mut views)?;
        self.add_leaving(&[id], &mut views)?;
        let Some(mut view) = views.pop().flatten() else { return Ok(None) };
        let news = self.news(id)?;
        for space in &mut view.linked {
            let of_space = news.edges.iter().filter(|(of, ..)| *of == space.id).map(|(.., key)| key);
            let of_members = addresses.iter().filter(|(of, _)| *of == space.connector).map(|(_, key)| key);
            let keys = of_space.chain(of_members).map(|key| key_hash(key)).collect();
            for (name, values) in self.some_edges(space.id, space.connector, &keys)? {
                space.doc.put(name, Values::set(values));
            }
        }
        view.trace = Some(Trace { shape: None, upto: 0, shown: Some(shown.into_iter().collect()) });
        Ok(Some(view))
    }

    /// The members whose address in a target an object waits for, or more than are shown.
    fn waits_of(&self, id: MeshId) -> Outcome<Vec<Uid>> {
        let mut waits = self.conn.prepare_cached(
            "SELECT DISTINCT member FROM address_wait INDEXED BY address_wait_owner WHERE owner = ?1 LIMIT ?2",
        )?;
        let most = i64::try_from(WAITS_MAX).unwrap_or(i64::MAX).saturating_add(1);
        let rows = waits.query_map([id.0, most], |row| codec::uid(row, 0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The numbers of the attributes in which an object refers to others, found in steps and not by reading all.
    pub(super) fn set_attributes(&self, id: MeshId) -> Outcome<Vec<i64>> {
        let mut next = self.conn.prepare_cached(
            "SELECT attribute FROM membership WHERE owner = ?1 AND attribute > ?2 ORDER BY attribute LIMIT 1",
        )?;
        let mut out: Vec<i64> = Vec::new();
        while let Some(attribute) =
            next.query_row([id.0, out.last().copied().unwrap_or(i64::MIN)], |row| row.get(0)).optional()?
        {
            out.push(attribute);
        }
        Ok(out)
    }

    /// By what a mesh object's objects are found in their systems.
    fn addresses_in_all(&self, uid: Uid, out: &mut Vec<(ConnectorId, Text)>) -> Outcome<()> {
        let mut statement = self.conn.prepare_cached(
            "SELECT o.connector, o.external_id, o.id FROM mesh_object m CROSS JOIN link l INDEXED BY link_mesh \
             ON l.mesh = m.id CROSS JOIN space_object o ON o.id = l.space WHERE m.uid = ?1",
        )?;
        let mut names =
            self.conn.prepare_cached("SELECT key FROM name_key WHERE kind = ?1 AND owner = ?2")?;
        let mut rows = statement.query([uid_bytes(&uid)])?;
        while let Some(row) = rows.next()? {
            let connector = ConnectorId(row.get(0)?);
            out.push((connector, Text::from(row.get::<_, String>(1)?)));
            let keys = names.query_map([OF_SPACE, row.get(2)?], |row| row.get::<_, String>(0))?;
            for key in keys {
                out.push((connector, Text::from(key?)));
            }
        }
        Ok(())
    }

    /// The edges of an object that go by keys with these hashes, in whatever spelling.
    fn some_edges(
        &mut self,
        space: SpaceId,
        connector: ConnectorId,
        hashes: &BTreeSet<i64>,
    ) -> Outcome<Vec<(Name, Vec<Value>)>> {
        let mut found: BTreeSet<(i64, String)> = BTreeSet::new();
        let mut statement = self.conn.prepare_cached(
            "SELECT attribute, key FROM space_ref INDEXED BY space_ref_key \
             WHERE connector = ?1 AND key_hash = ?2 AND space = ?3 AND form = 1",
        )?;
        for hash in hashes {
            let rows =
                statement.query_map([connector.0, *hash, space.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                found.insert(row?);
            }
        }
        let mut sets: Vec<(Name, Vec<Value>)> = Vec::new();
        for (attribute, key) in found {
            let name = self.memory.dictionary.name(self.conn, attribute)?;
            match sets.last_mut() {
                Some((last, values)) if *last == name => values.push(Value::reference(key)),
                _ => sets.push((name, vec![Value::reference(key)])),
            }
        }
        Ok(sets)
    }

    /// All members of a mesh object, single references among them.
    pub(crate) fn members(&mut self, id: MeshId) -> Outcome<Vec<(Name, Values)>> {
        self.sets_of(id, None)
    }
}

fn text(bytes: Vec<u8>) -> Outcome<Text> {
    let text = String::from_utf8(bytes).map_err(|error| unreadable("the key of an edge", error))?;
    Ok(Text::from(text))
}
