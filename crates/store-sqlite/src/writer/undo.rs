//! Queue items that a person asked for to lead back, and the rejection of what would be done again.

use std::collections::BTreeMap;

use identitymesh_model::plan::{Operation, Turn};
use identitymesh_model::{ContentHash, HoldId, Name};
use identitymesh_store::audit::{ChangeKind, ChangeRow};
use identitymesh_store::{HoldClass, HoldItem, UndoBatch, UndoItem, UndoReceipt, hold_hash, item_hash};
use rusqlite::params;

use crate::codec::{
    OF_MESH, REJECTED, SPACE_GONE, WITHDRAWN, class_number, operation_number, turn_number, uid_bytes,
};
use crate::fault::Outcome;
use crate::reader::is_taken;

use super::items::{Asker, Cleared};
use super::tx::Tx;

impl Tx<'_> {
    /// Queues what leads back.
    pub(crate) fn undo(&mut self, batch: &UndoBatch) -> Outcome<UndoReceipt> {
        let mut receipt = UndoReceipt::default();
        let mut rows = Vec::new();
        let mut next: BTreeMap<(Name, Operation), Vec<(HoldItem, &str)>> = BTreeMap::new();
        for item in &batch.items {
            let stands = self.is_as_seen(batch, item)? && self.has_free_names(item)?;
            if !stands || self.clear_item(item.mesh, batch.connector, Asker::Person)? == Cleared::InFlight {
                receipt.moved.push(item.mesh);
                continue;
            }
            self.lift_undone(batch, item)?;
            rows.push(self.queue_undo(batch, item)?);
            self.keep_names(item)?;
            receipt.queued += 1;
            if let Some(known) = &item.next {
                let (uid, hash) = (Some(item.uid), known.hash);
                let held = HoldItem { subject: item.mesh.0, uid, item: None, hash };
                next.entry((known.object_type, known.operation)).or_default().push((held, &known.action));
            }
        }
        self.append_changes(&rows)?;
        for ((object_type, operation), items) in next {
            receipt.holds.push(self.reject_next(batch, object_type, operation, &items)?);
        }
        Ok(receipt)
    }

    /// Whether the mesh object is there, and the target's object what the undo was planned from.
    fn is_as_seen(&self, batch: &UndoBatch, item: &UndoItem) -> Outcome<bool> {
        let mut lives = self.conn.prepare_cached("SELECT 1 FROM mesh_object WHERE id = ?1")?;
        if !lives.exists([item.mesh.0])? {
            return Ok(false);
        }
        Ok(match item.seen {
            Some((space, hash)) => self
                .conn
                .prepare_cached(
                    "SELECT 1 FROM space_object o JOIN link l ON l.space = o.id \
                     WHERE o.id = ?1 AND o.hash = ?2 AND o.flags & ?3 = 0 AND l.mesh = ?4",
                )?
                .exists(params![space.0, hash.0, SPACE_GONE, item.mesh.0])?,
            None => !self
                .conn
                .prepare_cached(
                    "SELECT 1 FROM link l INDEXED BY link_mesh JOIN name n ON n.id = l.type \
                     JOIN space_object o ON o.id = l.space \
                     WHERE l.mesh = ?1 AND l.connector = ?2 AND n.folded = ?3 AND o.flags & ?4 = 0",
                )?
                .exists(params![item.mesh.0, batch.connector.0, item.object_type.folded(), SPACE_GONE])?,
        })
    }

    /// Whether nobody else has a name that comes back.
    fn has_free_names(&self, item: &UndoItem) -> Outcome<bool> {
        for name in &item.names {
            if is_taken(self.conn, name, item.mesh)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Nobody else gets these names from now on, as with those of a new object that waits to be made.
    fn keep_names(&self, item: &UndoItem) -> Outcome<()> {
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO name_key (idx, key, kind, owner) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?;
        for name in &item.names {
            insert.execute(params![name.index, name.key.as_str(), OF_MESH, item.mesh.0])?;
        }
        Ok(())
    }

    /// What an earlier undo keeps from being done again is a new question once this one is carried out.
    fn lift_undone(&self, batch: &UndoBatch, item: &UndoItem) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "UPDATE hold_item SET standing = ?3 WHERE subject = ?1 AND standing = ?4 \
                 AND hold IN (SELECT id FROM hold WHERE connector = ?2 AND undo = 1)",
            )?
            .execute([item.mesh.0, batch.connector.0, WITHDRAWN, REJECTED])?;
        Ok(())
    }

    fn queue_undo(&mut self, batch: &UndoBatch, item: &UndoItem) -> Outcome<ChangeRow> {
        let id = self.next_item();
        let body = serde_json::to_string(&item.action).expect("an action is JSON");
        let object_type = self.name_id(item.object_type)?;
        self.conn
            .prepare_cached(
                "INSERT INTO export_item \
                 (id, connector, mesh, uid, rule, type, operation, run, reason, body, turn, by_hand) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 1)",
            )?
            .execute(params![
                id,
                batch.connector.0,
                item.mesh.0,
                uid_bytes(&item.uid),
                item.rule.0,
                object_type,
                operation_number(item.operation),
                batch.cause.run.0,
                format!("undo of {}", batch.reason),
                body,
                turn_number(Turn::of(item.operation, &item.action))
            ])?;
        let hash = item_hash(item.uid, item.object_type, item.operation, &body);
        let before = serde_json::json!({ "undo": batch.reason }).to_string();
        let cause = &batch.cause;
        Ok(ChangeRow::new(
            item.mesh,
            item.uid,
            cause.run,
            cause.at,
            &cause.actor,
            ChangeKind::Undo,
            Some(batch.connector),
            before,
            Some(hash),
        ))
    }

    fn reject_next(
        &mut self,
        batch: &UndoBatch,
        object_type: Name,
        operation: Operation,
        items: &[(HoldItem, &str)],
    ) -> Outcome<HoldId> {
        let hash: ContentHash = hold_hash(items.iter().map(|(item, _)| item));
        let common = serde_json::to_string(&[format!("undone: {}", batch.reason)]).expect("texts are JSON");
        let type_id = self.name_id(object_type)?;
        let hold: i64 = self
            .conn
            .prepare_cached(
                "INSERT INTO hold (connector, type, class, hash, count, size, population, allowed, common, at, run, undo) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0, 0, ?6, ?7, ?8, 1) RETURNING id",
            )?
            .query_row(
                params![
                    batch.connector.0,
                    type_id,
                    class_number(HoldClass::Export(operation)),
                    hash.0,
                    items.len(),
                    common,
                    batch.cause.at.as_micros(),
                    batch.cause.run.0
                ],
                |row| row.get(0),
            )?;
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO hold_item (hold, subject, uid, item, hash, standing, body, wish) \
             VALUES (?1, ?2, ?3, NULL, ?4, ?5, ?6, (SELECT hash FROM mesh_object WHERE id = ?2))",
        )?;
        for (item, action) in items {
            insert.execute(params![
                hold,
                item.subject,
                item.uid.as_ref().map(uid_bytes),
                item.hash.0,
                REJECTED,
                action
            ])?;
        }
        self.keep_decision(HoldId(hold), &batch.cause, REJECTED, items.len() as u64, &batch.reason)?;
        Ok(HoldId(hold))
    }
}
