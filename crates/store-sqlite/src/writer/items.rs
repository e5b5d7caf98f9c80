//! Queue items that a plan brings, replaces and cancels.
//!
//! At most one item lives for each mesh object and target. One that may have reached its target cannot be replaced or
//! cancelled: it stays until its answer is in, the newer wish is dropped, and the mesh object is looked at again.

use identitymesh_model::plan::{ItemPlan, MeshChange, ObjectPlan, Turn};
use identitymesh_model::{ConnectorId, MeshId, RunId};
use rusqlite::{OptionalExtension as _, params};

use crate::codec::{is_in_flight, operation_number, turn_number, uid_bytes};
use crate::fault::Outcome;

use super::tx::Tx;

/// Who wants another item in the place of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// A sync, which leaves alone what a person asked for.
    Sync,
    /// A person.
    Person,
}

/// What became of the live item that stands in the way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cleared {
    /// The place is free.
    Free,
    /// It is on its way to the target, or a person asked for it.
    InFlight,
}

impl Tx<'_> {
    /// Changes the queue; the mesh objects whose newer wish had to be dropped, to be looked at again.
    pub(super) fn change_items(&mut self, objects: &[ObjectPlan], run: RunId) -> Outcome<Vec<MeshId>> {
        let mut again = Vec::new();
        for object in objects {
            for connector in &object.cancelled {
                if self.clear_item(object.id, *connector, Asker::Sync)? == Cleared::InFlight {
                    again.push(object.id);
                }
            }
        }
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO export_item (id, connector, mesh, uid, rule, type, operation, run, reason, body, turn) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?;
        for object in objects {
            let is_new = matches!(object.change, Some(MeshChange::Create { .. }));
            for item in &object.items {
                if !is_new && self.clear_item(object.id, item.connector, Asker::Sync)? == Cleared::InFlight {
                    again.push(object.id);
                    continue;
                }
                self.insert_item(&mut insert, object, item, run)?;
            }
        }
        for mesh in &again {
            self.distrust(mesh.0)?;
        }
        Ok(again)
    }

    fn insert_item(
        &mut self,
        insert: &mut rusqlite::CachedStatement<'_>,
        object: &ObjectPlan,
        item: &ItemPlan,
        run: RunId,
    ) -> Outcome<()> {
        insert.execute(params![
            self.next_item(),
            item.connector.0,
            object.id.0,
            uid_bytes(&object.uid),
            item.rule.0,
            self.name_id(item.object_type)?,
            operation_number(item.operation),
            run.0,
            item.reason.text,
            serde_json::to_string(&item.action).expect("an action is JSON"),
            turn_number(Turn::of(item.operation, &item.action))
        ])?;
        Ok(())
    }

    /// Makes room for an item.
    pub(super) fn clear_item(&self, mesh: MeshId, connector: ConnectorId, asker: Asker) -> Outcome<Cleared> {
        let live: Option<(i64, Option<i64>, bool)> = self
            .conn
            .prepare_cached(
                "SELECT i.id, t.state, i.by_hand = 1 AND i.standing <> 3 AND coalesce(t.state, 0) <> 4 \
                 FROM export_item i LEFT JOIN intent t ON t.item = i.id \
                 WHERE i.mesh = ?1 AND i.connector = ?2",
            )?
            .query_row([mesh.0, connector.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        match live {
            Some((_, intent, _)) if is_in_flight(intent) => Ok(Cleared::InFlight),
            Some((_, _, true)) if asker == Asker::Sync => Ok(Cleared::InFlight),
            Some((item, _, _)) => {
                if asker == Asker::Person {
                    self.distrust(mesh.0)?;
                }
                self.delete_item(item)?;
                Ok(Cleared::Free)
            }
            None => Ok(Cleared::Free),
        }
    }

    pub(super) fn delete_item(&self, item: i64) -> Outcome<()> {
        self.conn.prepare_cached("DELETE FROM export_item WHERE id = ?1")?.execute([item])?;
        self.conn.prepare_cached("DELETE FROM intent WHERE item = ?1")?.execute([item])?;
        Ok(())
    }
}
