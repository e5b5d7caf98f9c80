//! Lists for people, by key.
//!
//! Filters that no index serves read on until the page is full or [`SCAN_COUNT_MAX`] rows were looked at; a short page
//! with a `next` then says that there may be more. So no question takes long, however rare its answer.

use identitymesh_model::{ConnectorId, HoldId, ItemId, MeshId, Name, RuleId, SpaceId, Text};
use identitymesh_store::{ItemFilter, ItemRow, ItemState, MeshFilter, MeshRow, Page, SpaceFilter, SpaceRow};
use rusqlite::{Row, params};

use crate::codec::{self, INTENT_RETRY, INTENT_UNKNOWN, REJECTED, SPACE_GONE, SPACE_UNCONFIRMED};
use crate::dictionary::name_id;
use crate::fault::{Outcome, unreadable};
use crate::load::Loader;

use super::staging::sql_limit;

/// Most rows that one page of a list looks at.
const SCAN_COUNT_MAX: usize = 20_000;

/// A number that no name has.
const NO_NAME: i64 = -1;

impl Loader<'_> {
    /// `None` for no filter; a number that matches nothing for a name that no row uses.
    fn type_filter(&self, object_type: Option<Name>) -> Outcome<Option<i64>> {
        match object_type {
            None => Ok(None),
            Some(name) => Ok(Some(name_id(self.conn, name)?.unwrap_or(NO_NAME))),
        }
    }

    pub(super) fn mesh_list(
        &mut self,
        filter: &MeshFilter,
        after: Option<MeshId>,
        limit: usize,
    ) -> Outcome<Page<MeshRow, MeshId>> {
        let mesh_type = self.type_filter(filter.mesh_type)?;
        let needle = filter.contains.as_deref().map(str::to_lowercase);
        let which = if mesh_type.is_some() { "type = ?1 AND" } else { "?1 IS NULL AND" };
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT id, uid, type, anchor, state, since, doc FROM mesh_object WHERE {which} id > ?2 ORDER BY id LIMIT ?3"
        ))?;
        let scan = if needle.is_some() { SCAN_COUNT_MAX } else { limit };
        let mut rows = statement.query(params![mesh_type, after.map_or(0, |id| id.0), sql_limit(scan)])?;
        let mut page = Paging::new(limit, scan);
        while let Some(row) = page.wants_more().then(|| rows.next()).transpose()?.flatten() {
            let mesh = self.mesh_list_row(row)?;
            let id = mesh.id;
            let is_match = needle.as_deref().is_none_or(|needle| {
                mesh.doc.to_lowercase().contains(needle) || mesh.anchor.to_lowercase().contains(needle)
            });
            page.look_at(id, is_match.then_some(mesh));
        }
        Ok(page.finish())
    }

    fn mesh_list_row(&mut self, row: &Row<'_>) -> Outcome<MeshRow> {
        Ok(MeshRow {
            id: MeshId(row.get(0)?),
            uid: codec::uid(row, 1)?,
            mesh_type: self.memory.dictionary.name(self.conn, row.get(2)?)?,
            anchor: Text::from(row.get::<_, String>(3)?),
            state: codec::state(row.get(4)?, row.get(5)?)?,
            doc: row.get(6)?,
        })
    }

    pub(super) fn space_list(
        &mut self,
        filter: &SpaceFilter,
        after: Option<SpaceId>,
        limit: usize,
    ) -> Outcome<Page<SpaceRow, SpaceId>> {
        let object_type = self.type_filter(filter.object_type)?;
        let which = if filter.connector.is_some() { "o.connector = ?1 AND" } else { "?1 IS NULL AND" };
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT o.id, o.uid, o.connector, o.type, o.external_id, l.mesh, o.flags, n.body FROM space_object o \
             LEFT JOIN link l ON l.space = o.id LEFT JOIN space_note n ON n.space = o.id \
             WHERE {which} o.id > ?2 ORDER BY o.id LIMIT ?3"
        ))?;
        let is_plain = object_type.is_none() && filter.linked.is_none() && filter.unconfirmed.is_none();
        let scan = if is_plain { limit } else { SCAN_COUNT_MAX };
        let connector = filter.connector.map(|connector| connector.0);
        let mut rows = statement.query(params![connector, after.map_or(0, |id| id.0), sql_limit(scan)])?;
        let mut page = Paging::new(limit, scan);
        while let Some(row) = page.wants_more().then(|| rows.next()).transpose()?.flatten() {
            let is_linked = row.get::<_, Option<i64>>(5)?.is_some();
            let is_unconfirmed = row.get::<_, i64>(6)? & SPACE_UNCONFIRMED != 0;
            let is_match = object_type.is_none_or(|wanted| row.get(3) == Ok(wanted))
                && filter.unconfirmed.is_none_or(|wanted| wanted == is_unconfirmed)
                && filter.linked.is_none_or(|wanted| wanted == is_linked);
            let space = if is_match { Some(self.space_list_row(row)?) } else { None };
            page.look_at(SpaceId(row.get(0)?), space);
        }
        Ok(page.finish())
    }

    pub(super) fn space_list_row(&mut self, row: &Row<'_>) -> Outcome<SpaceRow> {
        let id = SpaceId(row.get(0)?);
        let flags: i64 = row.get(6)?;
        let note = row.get::<_, Option<String>>(7)?.map(|body| serde_json::from_str(&body)).transpose();
        Ok(SpaceRow {
            id,
            uid: codec::uid(row, 1)?,
            connector: ConnectorId(row.get(2)?),
            object_type: self.memory.dictionary.name(self.conn, row.get(3)?)?,
            external_id: Text::from(row.get::<_, String>(4)?),
            mesh: row.get::<_, Option<i64>>(5)?.map(MeshId),
            deleted: flags & SPACE_GONE != 0,
            unconfirmed: flags & SPACE_UNCONFIRMED != 0,
            note: note
                .map_err(|error| unreadable(format!("the note on management-space object {id}"), error))?,
        })
    }

    pub(super) fn item_list(
        &mut self,
        filter: &ItemFilter,
        after: Option<ItemId>,
        limit: usize,
    ) -> Outcome<Page<ItemRow, ItemId>> {
        let which = match (filter.mesh, filter.connector) {
            (Some(_), _) => "i.mesh = ?2 AND (?1 IS NULL OR i.connector = ?1)",
            (None, Some(_)) => "?2 IS NULL AND i.connector = ?1",
            (None, None) => "?1 IS NULL AND ?2 IS NULL",
        };
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT i.id, i.connector, i.mesh, i.rule, i.operation, i.reason, i.body, \
             t.state, t.until, t.attempts, t.code, t.answer, i.standing, i.hold \
             FROM export_item i LEFT JOIN intent t ON t.item = i.id \
             WHERE {which} AND i.id > ?3 ORDER BY i.id LIMIT ?4"
        ))?;
        let scan = if filter.state.is_some() { SCAN_COUNT_MAX } else { limit };
        let mut rows = statement.query(params![
            filter.connector.map(|connector| connector.0),
            filter.mesh.map(|mesh| mesh.0),
            after.map_or(0, |id| id.0),
            sql_limit(scan)
        ])?;
        let mut page = Paging::new(limit, scan);
        while let Some(row) = page.wants_more().then(|| rows.next()).transpose()?.flatten() {
            let state = codec::item_state(row.get(7)?, row.get(12)?)?;
            let is_match = filter.state.is_none_or(|wanted| wanted == state);
            let item = if is_match { Some(item_list_row(row, state)?) } else { None };
            page.look_at(ItemId(row.get(0)?), item);
        }
        Ok(page.finish())
    }
}

fn item_list_row(row: &Row<'_>, state: ItemState) -> Outcome<ItemRow> {
    let id = ItemId(row.get(0)?);
    let body: String = row.get(6)?;
    let waits = matches!(row.get(7)?, Some(INTENT_RETRY | INTENT_UNKNOWN));
    let answer = match (row.get::<_, Option<String>>(10)?, row.get::<_, Option<String>>(11)?) {
        (Some(code), Some(answer)) => Some(format!("{code}: {answer}")),
        (code, answer) => answer.or(code),
    };
    Ok(ItemRow {
        id,
        connector: ConnectorId(row.get(1)?),
        mesh: MeshId(row.get(2)?),
        rule: RuleId(row.get(3)?),
        operation: codec::operation(row.get(4)?)?,
        state,
        attempts: row.get::<_, Option<u32>>(9)?.unwrap_or(0),
        not_before: if waits { Some(codec::timestamp(row.get(8)?)?) } else { None },
        reason: row.get(5)?,
        answer,
        hold: row.get::<_, Option<i64>>(13)?.map(HoldId),
        rejected: row.get::<_, i64>(12)? == REJECTED,
        action: serde_json::from_str(&body)
            .map_err(|error| unreadable(format!("the action of queue item {id}"), error))?,
    })
}

/// A page that fills up.
struct Paging<T, K> {
    items: Vec<T>,
    last: Option<K>,
    seen: usize,
    limit: usize,
    scan: usize,
}

impl<T, K> Paging<T, K> {
    const fn new(limit: usize, scan: usize) -> Self {
        Self { items: Vec::new(), last: None, seen: 0, limit, scan }
    }

    const fn wants_more(&self) -> bool {
        self.items.len() < self.limit && self.seen < self.scan
    }

    fn look_at(&mut self, key: K, item: Option<T>) {
        self.seen += 1;
        self.last = Some(key);
        self.items.extend(item);
    }

    /// Full or at its bound, the page may have a successor; else the rows ran out.
    fn finish(self) -> Page<T, K> {
        let may_go_on = !self.wants_more();
        Page { items: self.items, next: self.last.filter(|_| may_go_on) }
    }
}
