//! What the mass-change guard counts, and its holds.

use std::collections::BTreeMap;

use identitymesh_model::plan::{ItemAction, Operation};
use identitymesh_model::{
    ConnectorId, ContentHash, HoldId, ItemId, MeshId, Name, RuleId, RunId, SpaceId, Uid,
};
use identitymesh_store::{
    DecisionRow, Hashed, HoldFilter, HoldItemRow, HoldRow, HoldSide, HoldStanding, HoldState, Queue,
    QueueClass, QueuedItem, item_hash,
};
use rusqlite::{Row, params};

use crate::codec::{
    self, APPROVED, CLASS_IMPORT_DELETE, HELD, REJECTED, WITHDRAWN, operation_number, timestamp,
};
use crate::dictionary::name_id;
use crate::fault::{Outcome, unreadable};
use crate::load::{Loader, place};

use super::staging::sql_limit;

/// Whether a held change is still wanted as it was: its item is in the queue, or its object is there unchanged.
const STANDS: &str = "CASE WHEN h.item IS NULL \
     THEN EXISTS (SELECT 1 FROM space_object o WHERE o.id = h.subject AND o.hash = h.hash AND o.flags & 1 = 0) \
     ELSE EXISTS (SELECT 1 FROM export_item i WHERE i.id = h.item AND i.hold = h.hold) END";

/// The kind of an item by its columns.
type Kind = (i64, i64);

impl Loader<'_> {
    pub(super) fn queue(&mut self, connector: ConnectorId) -> Outcome<Queue> {
        let last: Option<i64> = self
            .conn
            .prepare_cached("SELECT max(id) FROM export_item INDEXED BY item_order WHERE connector = ?1")?
            .query_row([connector.0], |row| row.get(0))?;
        if last.is_none() {
            return Ok(Queue::default());
        }
        let mut sizes = self.sizes(connector)?;
        let mut rejected = Vec::new();
        for (kind, item, hold) in self.rejected_again(connector)? {
            if let Some((free, _)) = sizes.get_mut(&kind) {
                *free = free.saturating_sub(1);
            }
            rejected.push((item, hold));
        }
        let mut again = self.asked_again(connector)?;
        again.retain(|(item, _)| rejected.iter().all(|(other, _)| other != item));
        let mut classes = Vec::with_capacity(sizes.len());
        for ((object_type, operation), (free, held)) in sizes {
            classes.push(QueueClass {
                object_type: self.memory.dictionary.name(self.conn, object_type)?,
                operation: codec::operation(operation)?,
                free,
                held,
            });
        }
        classes.sort_unstable_by_key(|class| (class.object_type, class.operation));
        Ok(Queue { last: last.map(ItemId), classes, rejected, again })
    }

    /// Free and held items by kind. What is on its way was let through before, what was put aside is not sent.
    fn sizes(&self, connector: ConnectorId) -> Outcome<BTreeMap<Kind, (u64, u64)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT i.type, i.operation, i.standing, count(*) FROM export_item i INDEXED BY item_order \
             LEFT JOIN intent t ON t.item = i.id \
             WHERE i.connector = ?1 AND i.standing IN (0, 1) AND (t.item IS NULL OR t.state = 2) \
             GROUP BY i.type, i.operation, i.standing",
        )?;
        let mut rows = statement.query([connector.0])?;
        let mut sizes: BTreeMap<Kind, (u64, u64)> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (free, held) = sizes.entry((row.get(0)?, row.get(1)?)).or_default();
            *(if row.get::<_, i64>(2)? == HELD { held } else { free }) += row.get::<_, u64>(3)?;
        }
        Ok(sizes)
    }

    /// New items for objects of which a change was rejected, where the change is the same. What an undo rejects is the same
    /// too when the mesh object and the configuration are as they were, and the operation: the change then differs only in
    /// what the target holds by now, such as the addresses of others that were moved back with it. Whoever was not to leave
    /// is not to be moved or deleted by a later step of the same leaving either; who came back and leaves again is a new
    /// question.
    fn rejected_again(&self, connector: ConnectorId) -> Outcome<Vec<(Kind, ItemId, HoldId)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT i.type, i.operation, i.id, h.hold, h.hash, i.uid, i.body, n.spelling, \
             i.by_hand = 0 AND o.class = i.operation AND EXISTS (SELECT 1 FROM mesh_object m WHERE m.id = i.mesh AND m.hash = h.wish) \
             AND EXISTS (SELECT 1 FROM run r WHERE r.id = o.run \
             AND r.configuration = (SELECT max(version) FROM configuration)), \
             CASE WHEN o.undo = 0 AND o.class IN (3, 4, 6) AND i.operation IN (3, 4, 6) THEN \
             (SELECT l.since <= o.at FROM leave l WHERE l.mesh = i.mesh AND l.connector = i.connector) END \
             FROM hold o CROSS JOIN hold_item h INDEXED BY hold_item_rejected ON h.hold = o.id AND h.standing = 3 \
             CROSS JOIN export_item i ON i.mesh = h.subject AND i.connector = o.connector \
             JOIN name n ON n.id = i.type LEFT JOIN intent t ON t.item = i.id \
             WHERE o.connector = ?1 AND o.class <> 7 AND i.standing = 0 AND (t.item IS NULL OR t.state = 2) \
             ORDER BY i.id, h.hold",
        )?;
        let mut rows = statement.query([connector.0])?;
        let mut out: Vec<(Kind, ItemId, HoldId)> = Vec::new();
        while let Some(row) = rows.next()? {
            let item = ItemId(row.get(2)?);
            let hash = hash_of(row, (5, 6), &row.get::<_, String>(7)?, row.get(1)?)?;
            let is_known = out.last().is_some_and(|(_, last, _)| *last == item);
            let is_same_wish: bool = row.get(8)?;
            let is_same = match row.get(9)? {
                Some(is_same_leaving) => is_same_leaving,
                None => hash == codec::hash(row, 4)?,
            };
            if !is_known && (is_same_wish || is_same) {
                out.push(((row.get(0)?, row.get(1)?), item, HoldId(row.get(3)?)));
            }
        }
        Ok(out)
    }

    /// New items that repeat something of what was rejected, or left when a hold was decided in part. What was left of a
    /// leaving is asked for each of its later steps; who came back and leaves again is counted like everybody else.
    fn asked_again(&self, connector: ConnectorId) -> Outcome<Vec<(ItemId, HoldId)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT i.id, h.hold, h.body, i.body, \
             CASE WHEN o.undo = 0 AND o.class IN (3, 4, 6) AND i.operation IN (3, 4, 6) THEN \
             (SELECT l.since <= o.at FROM leave l WHERE l.mesh = i.mesh AND l.connector = i.connector) END \
             FROM hold_item h INDEXED BY hold_item_again CROSS JOIN hold o ON o.id = h.hold \
             CROSS JOIN export_item i ON i.mesh = h.subject AND i.connector = o.connector \
             LEFT JOIN intent t ON t.item = i.id \
             WHERE h.body IS NOT NULL AND h.standing IN (?2, ?3) AND o.connector = ?1 AND i.standing = 0 AND i.by_hand = 0 \
             AND (t.item IS NULL OR t.state = 2) ORDER BY i.id, h.hold DESC",
        )?;
        let mut rows = statement.query([connector.0, HELD, REJECTED])?;
        let mut out: Vec<(ItemId, HoldId)> = Vec::new();
        while let Some(row) = rows.next()? {
            let item = ItemId(row.get(0)?);
            let is_known = out.last().is_some_and(|(last, _)| *last == item);
            let is_asked = !is_known
                && match row.get(4)? {
                    Some(is_same_leaving) => is_same_leaving,
                    None => codec::action(row, 3, item)?.repeats(&codec::action(row, 2, item)?),
                };
            if is_asked {
                out.push((item, HoldId(row.get(1)?)));
            }
        }
        Ok(out)
    }

    pub(super) fn queued(
        &mut self,
        connector: ConnectorId,
        object_type: Name,
        operation: Operation,
        after: Option<ItemId>,
        limit: usize,
    ) -> Outcome<Vec<QueuedItem>> {
        let Some(type_id) = name_id(self.conn, object_type)? else { return Ok(Vec::new()) };
        let mut statement = self.conn.prepare_cached(
            "SELECT i.id, i.mesh, i.uid, i.body, i.reason, i.run, i.standing, i.rule FROM export_item i INDEXED BY item_order \
             LEFT JOIN intent t ON t.item = i.id \
             WHERE i.connector = ?1 AND i.id > ?2 AND i.operation = ?3 AND i.type = ?4 AND i.standing IN (0, 1) \
             AND (t.item IS NULL OR t.state = 2) ORDER BY i.id LIMIT ?5",
        )?;
        let number = operation_number(operation);
        let after = after.map_or(0, |item| item.0);
        let mut rows = statement.query([connector.0, after, number, type_id, sql_limit(limit)])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(queued_item(row, object_type, number)?);
        }
        Ok(out)
    }

    pub(super) fn is_unseen(&self, connector: ConnectorId, object_type: Name) -> Outcome<bool> {
        let Some(object_type) = name_id(self.conn, object_type)? else { return Ok(true) };
        let mut statement = self.conn.prepare_cached(
            "SELECT 1 FROM space_object INDEXED BY space_present \
             WHERE connector = ?1 AND type = ?2 AND flags & 1 = 0 AND flags & 2 = 0 LIMIT 1",
        )?;
        Ok(!statement.exists([connector.0, object_type])?)
    }

    pub(super) fn space_hashes(&self, ids: &[SpaceId]) -> Outcome<Vec<Option<Hashed>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT k.rowid, o.hash, m.uid FROM rarray(?1) k CROSS JOIN space_object o ON o.id = k.value \
             LEFT JOIN link l ON l.space = o.id LEFT JOIN mesh_object m ON m.id = l.mesh",
        )?;
        let mut out = vec![None; ids.len()];
        let mut rows = statement.query([crate::load::id_array(ids.iter().map(|id| id.0))])?;
        while let Some(row) = rows.next()? {
            out[place(row.get(0)?)] =
                Some(Hashed { hash: codec::hash(row, 1)?, mesh: optional_uid(row, 2)? });
        }
        Ok(out)
    }

    pub(super) fn hold_list(
        &mut self,
        filter: &HoldFilter,
        before: Option<HoldId>,
        limit: usize,
    ) -> Outcome<Vec<HoldRow>> {
        let with =
            |what: &str| format!("EXISTS (SELECT 1 FROM hold_item h WHERE h.hold = hold.id AND {what})");
        let waits = with(&format!("h.standing = {HELD} AND {STANDS}"));
        let left = match filter.standing {
            HoldStanding::Any => "1".to_owned(),
            HoldStanding::Open => waits,
            HoldStanding::Undone => format!("({waits} OR {})", with(&format!("h.standing = {REJECTED}"))),
        };
        let side = match filter.side {
            None => "1".to_owned(),
            Some(HoldSide::Imports) => format!("class = {CLASS_IMPORT_DELETE}"),
            Some(HoldSide::Exports) => format!("class <> {CLASS_IMPORT_DELETE}"),
        };
        let sql = format!(
            "SELECT id FROM hold WHERE id < ?1 AND (?2 IS NULL OR connector = ?2) AND {side} AND {left} \
             ORDER BY id DESC LIMIT ?3"
        );
        let ids: Vec<i64> = {
            let mut statement = self.conn.prepare_cached(&sql)?;
            let connector = filter.connector.map(|connector| connector.0);
            let row = params![before.map_or(i64::MAX, |hold| hold.0), connector, sql_limit(limit)];
            statement.query_map(row, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
        };
        let mut out = Vec::with_capacity(ids.len());
        for id in ids {
            out.extend(self.hold(HoldId(id))?);
        }
        Ok(out)
    }

    pub(super) fn hold(&mut self, id: HoldId) -> Outcome<Option<HoldRow>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT connector, type, class, hash, count, size, population, allowed, common, at, run, part, inferred, again \
             FROM hold WHERE id = ?1",
        )?;
        let mut rows = statement.query([id.0])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let common: String = row.get(8)?;
        let decisions = self.decisions(id)?;
        let [waiting, approved, rejected, withdrawn] = self.standings(id)?;
        let state = match decisions.last() {
            _ if waiting > 0 => HoldState::Open,
            Some(last) => last.state,
            None => HoldState::Withdrawn,
        };
        Ok(Some(HoldRow {
            id,
            connector: ConnectorId(row.get(0)?),
            object_type: self.memory.dictionary.name(self.conn, row.get(1)?)?,
            class: codec::class(row.get(2)?)?,
            within: row.get(11)?,
            state,
            hash: codec::hash(row, 3)?,
            count: row.get(4)?,
            size: row.get(5)?,
            population: row.get(6)?,
            allowed: row.get(7)?,
            inferred: row.get(12)?,
            again: row.get::<_, Option<i64>>(13)?.map(HoldId),
            common: serde_json::from_str(&common).map_err(|error| unreadable(format!("hold {id}"), error))?,
            at: timestamp(row.get(9)?)?,
            run: RunId(row.get(10)?),
            waiting,
            approved,
            rejected,
            withdrawn,
            decisions,
        }))
    }

    /// Changes that wait, were approved, were rejected, are not wanted any more.
    fn standings(&self, id: HoldId) -> Outcome<[u64; 4]> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT CASE WHEN h.standing = {HELD} AND NOT {STANDS} THEN {WITHDRAWN} ELSE h.standing END, count(*) \
             FROM hold_item h WHERE h.hold = ?1 GROUP BY 1"
        ))?;
        let mut out = [0; 4];
        let mut rows = statement.query([id.0])?;
        while let Some(row) = rows.next()? {
            let place = match row.get(0)? {
                HELD => 0,
                APPROVED => 1,
                REJECTED => 2,
                _ => 3,
            };
            out[place] += row.get::<_, u64>(1)?;
        }
        Ok(out)
    }

    fn decisions(&self, id: HoldId) -> Outcome<Vec<DecisionRow>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT at, actor, standing, count, reason FROM hold_decision WHERE hold = ?1 ORDER BY seq",
        )?;
        let mut rows = statement.query([id.0])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(DecisionRow {
                at: timestamp(row.get(0)?)?,
                actor: row.get(1)?,
                state: codec::hold_state(row.get(2)?)?,
                count: row.get(3)?,
                reason: row.get(4)?,
            });
        }
        Ok(out)
    }

    pub(super) fn hold_items(
        &self,
        hold: HoldId,
        after: Option<i64>,
        limit: usize,
    ) -> Outcome<Vec<HoldItemRow>> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT h.subject, h.uid, h.item, h.hash, \
             CASE WHEN h.standing = {HELD} AND NOT {STANDS} THEN {WITHDRAWN} ELSE h.standing END \
             FROM hold_item h WHERE h.hold = ?1 AND h.subject > ?2 ORDER BY h.subject LIMIT ?3"
        ))?;
        let mut rows = statement.query([hold.0, after.unwrap_or(0), sql_limit(limit)])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(HoldItemRow {
                subject: row.get(0)?,
                uid: optional_uid(row, 1)?,
                item: row.get::<_, Option<i64>>(2)?.map(ItemId),
                hash: codec::hash(row, 3)?,
                state: codec::hold_state(row.get(4)?)?,
            });
        }
        Ok(out)
    }
}

fn queued_item(row: &Row<'_>, object_type: Name, operation: i64) -> Outcome<QueuedItem> {
    let id = ItemId(row.get(0)?);
    let action = codec::action(row, 3, id)?;
    let space = match action {
        ItemAction::Update { space, .. } | ItemAction::Delete { space } => Some(space),
        ItemAction::Create { .. } => None,
    };
    Ok(QueuedItem {
        id,
        mesh: MeshId(row.get(1)?),
        uid: codec::uid(row, 2)?,
        space,
        hash: hash_of(row, (2, 3), object_type.as_str(), operation)?,
        action,
        reason: row.get(4)?,
        rule: RuleId(row.get(7)?),
        run: RunId(row.get(5)?),
        held: row.get::<_, i64>(6)? == HELD,
    })
}

fn optional_uid(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Uid>> {
    let bytes: Option<[u8; 16]> = row.get(column)?;
    Ok(bytes.map(|bytes| Uid(uuid::Uuid::from_bytes(bytes))))
}

/// The hash of an item whose public id and body stand in these columns.
fn hash_of(
    row: &Row<'_>,
    (uid, body): (usize, usize),
    object_type: &str,
    operation: i64,
) -> Outcome<ContentHash> {
    let name = Name::new(object_type).map_err(|error| unreadable("the name of an object type", error))?;
    let body = row.get_ref(body)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(item_hash(codec::uid(row, uid)?, name, codec::operation(operation)?, body))
}
