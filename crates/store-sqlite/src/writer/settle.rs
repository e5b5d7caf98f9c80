//! Settling leased items: what became of them, and the target's objects as they must be now.

use identitymesh_model::{LinkMode, MeshId, RuleId, SpaceId, Uid};
use identitymesh_store::audit::ChangeRow;
use identitymesh_store::{
    ExportedState, PasswordOwed, Settle, SettleBatch, SettleReceipt, Settled, SpaceChangeKind, Todo,
};
use rusqlite::{OptionalExtension as _, params};

use crate::codec::{
    INTENT_DEAD, INTENT_RETRY, INTENT_SENT, INTENT_UNKNOWN, OF_SPACE, SPACE_UNCONFIRMED, uid_bytes,
};
use crate::fault::{Outcome, conflict};

use super::body::{Age, body_flags};
use super::tx::{Tx, unique};

impl Tx<'_> {
    /// Records what became of leased items. Refused as a whole when one of them is not leased by this run.
    pub(crate) fn settle(&mut self, batch: &SettleBatch) -> Outcome<SettleReceipt> {
        // New objects in the order of the one large index with random keys.
        let mut order: Vec<&Settled> = batch.settled.iter().collect();
        order.sort_by_key(|settled| created_id(&settled.what));
        let brings_waits = batch.settled.iter().any(|settled| waits(&settled.what));
        let may_wait = brings_waits || self.has_rows("address_wait")?;
        let mut woken = 0;
        for settled in order {
            woken += self.settle_one(batch, settled, may_wait)?;
        }
        self.append_changes(batch.settled.iter().filter_map(|settled| row(&settled.what)))?;
        self.report(&batch.cause, &batch.findings, &batch.counters)?;
        Ok(SettleReceipt { woken })
    }

    /// Ends an item that is leased; says how many entries the to-do list gained. The mesh object of one that a person
    /// asked for is looked at again: a sync left it alone until now.
    fn take_item(&self, batch: &SettleBatch, settled: &Settled) -> Outcome<u64> {
        let item = settled.item.0;
        let mut intent =
            self.conn.prepare_cached("DELETE FROM intent WHERE item = ?1 AND state = ?2 AND run = ?3")?;
        let mut queued = self.conn.prepare_cached(
            "DELETE FROM export_item WHERE id = ?1 AND mesh = ?2 AND connector = ?3 RETURNING by_hand",
        )?;
        let was_leased = intent.execute([item, INTENT_SENT, batch.cause.run.0])? == 1;
        let row = [item, settled.mesh.0, batch.connector.0];
        let by_hand: Option<bool> = queued.query_row(row, |row| row.get(0)).optional()?;
        match by_hand.filter(|_| was_leased) {
            Some(true) => self.wake([(Todo::Mesh(settled.mesh), None)]),
            Some(false) => Ok(0),
            None => Err(not_leased(settled)),
        }
    }

    fn check_leased(&self, batch: &SettleBatch, settled: &Settled) -> Outcome<()> {
        let mut statement = self.conn.prepare_cached(
            "SELECT 1 FROM intent t JOIN export_item i ON i.id = t.item \
             WHERE t.item = ?1 AND t.state = ?2 AND i.mesh = ?3 AND i.connector = ?4 AND t.run = ?5",
        )?;
        let (connector, run) = (batch.connector.0, batch.cause.run.0);
        if statement.exists([settled.item.0, INTENT_SENT, settled.mesh.0, connector, run])? {
            return Ok(());
        }
        Err(not_leased(settled))
    }

    fn settle_one(&mut self, batch: &SettleBatch, settled: &Settled, may_wait: bool) -> Outcome<u64> {
        let woken = if ends(&settled.what) {
            self.take_item(batch, settled)?
        } else {
            self.check_leased(batch, settled)?;
            0
        };
        Ok(woken + self.carry_out(batch, settled, may_wait)?)
    }

    fn carry_out(&mut self, batch: &SettleBatch, settled: &Settled, may_wait: bool) -> Outcome<u64> {
        match &settled.what {
            Settle::Created { rule, state, is_ours, owes_password, row } => {
                self.end_item(settled.mesh, state.is_news)?;
                let mode = if *is_ours { LinkMode::Projected } else { LinkMode::Adopted };
                let link = (settled.mesh, *rule, mode);
                let (space, woken) = self.settle_created(batch, link, state, row.uid, may_wait)?;
                if *owes_password {
                    let (connector, mesh, rule) = (batch.connector, settled.mesh, *rule);
                    self.owe_password(&PasswordOwed { space, connector, mesh, rule }, batch.cause.at)?;
                }
                Ok(woken)
            }
            Settle::Updated { space, state, .. } => {
                self.end_item(settled.mesh, state.is_news)?;
                self.settle_updated(batch, settled.mesh, *space, state)
            }
            Settle::Deleted { space, .. } => {
                self.tell_space(space.0)?;
                self.purge_space(space.0, &batch.cause)?;
                // References that led to it lead nowhere now, here and in the target.
                let uid = self.uid_of(settled.mesh)?;
                let woken = self.wake_holders(uid.as_slice())?;
                // With its last object gone a mesh object may have to go too.
                Ok(woken + self.wake([(Todo::Mesh(settled.mesh), None)])?)
            }
            Settle::Retry { not_before, reason } => {
                self.postpone(settled, INTENT_RETRY, not_before.as_micros(), None, reason)
            }
            Settle::Returned { unsettled, reason } => self.give_back(settled, *unsettled, reason),
            Settle::Unknown { not_before, reason } => {
                self.postpone(settled, INTENT_UNKNOWN, not_before.as_micros(), None, reason)
            }
            Settle::Dead { code, reason } => self.postpone(settled, INTENT_DEAD, 0, Some(code), reason),
            Settle::Dropped => {
                self.distrust(settled.mesh.0)?;
                self.wake([(Todo::Mesh(settled.mesh), None)])
            }
        }
    }

    fn postpone(
        &self,
        settled: &Settled,
        state: i64,
        until: i64,
        code: Option<&str>,
        answer: &str,
    ) -> Outcome<u64> {
        self.conn
            .prepare_cached(
                "UPDATE intent SET state = ?2, until = ?3, code = ?4, answer = ?5 WHERE item = ?1",
            )?
            .execute(params![settled.item.0, state, until, code, answer])?;
        Ok(0)
    }

    /// Takes back what leasing wrote.
    fn give_back(&self, settled: &Settled, unsettled: bool, answer: &str) -> Outcome<u64> {
        let state = if unsettled { INTENT_UNKNOWN } else { INTENT_RETRY };
        self.conn
            .prepare_cached(
                "UPDATE intent SET state = ?2, until = 0, attempts = max(attempts - 1, 0), answer = ?3 \
                 WHERE item = ?1",
            )?
            .execute(params![settled.item.0, state, answer])?;
        Ok(0)
    }

    fn settle_created(
        &mut self,
        batch: &SettleBatch,
        link: (MeshId, RuleId, LinkMode),
        state: &ExportedState,
        uid: Uid,
        may_wait: bool,
    ) -> Outcome<(SpaceId, u64)> {
        let mesh = link.0;
        let object_type = self.partition(batch.connector, state.object_type)?;
        let known: Option<i64> = self
            .conn
            .prepare_cached(
                "SELECT id FROM space_object WHERE connector = ?1 AND type = ?2 AND external_id = ?3",
            )?
            .query_row(params![batch.connector.0, object_type, state.external_id.as_str()], |row| row.get(0))
            .optional()?;
        let target = (batch.connector, object_type);
        let (space, robbed) = match known {
            Some(space) => {
                self.write_expected(batch, SpaceId(space), state)?;
                self.forget_notes(space)?;
                self.tell_space(space)?;
                let robbed = self.link_exported(space, target, link, &batch.cause)?;
                self.tell_space(space)?;
                (space, robbed)
            }
            None => {
                let space = self.insert_expected(batch, object_type, state)?;
                self.add_exported(space, target, link, &batch.cause)?;
                self.tell_space(space)?;
                (space, None)
            }
        };
        let mut woken = self.wake(robbed.map(|other| (Todo::Mesh(other), None)))?;
        woken += self.wake(state.is_news.then_some((Todo::Mesh(mesh), None)))?;
        if may_wait {
            woken += self.wake_waiters(batch.connector, &uid)?;
        }
        if self.is_tracing()? && self.is_traced(mesh.0)? {
            // Now that the target holds it, one more look as a whole spares all further ones.
            woken += self.wake([(Todo::Mesh(mesh), None)])?;
        }
        woken += self.wait_after_export(batch.connector, mesh, &state.waits_for)?;
        Ok((SpaceId(space), woken))
    }

    /// Untouched: what we wrote ourselves is no news to a sync.
    fn insert_expected(
        &mut self,
        batch: &SettleBatch,
        object_type: i64,
        state: &ExportedState,
    ) -> Outcome<i64> {
        let (space, uid) = (self.next_space(), self.ids.next_uid(batch.cause.at));
        let exported = self.exported_id(&state.exported)?;
        self.conn
            .prepare_cached(
                "INSERT INTO space_object \
                 (id, uid, connector, type, external_id, hash, touched, run, flags, exported, doc) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                space,
                uid_bytes(&uid),
                batch.connector.0,
                object_type,
                state.external_id.as_str(),
                state.body.hash.0,
                batch.cause.run.0,
                SPACE_UNCONFIRMED | body_flags(&state.body, Some(&state.exported)),
                exported,
                state.body.doc
            ])?;
        self.set_references(batch.connector, space, &state.body.references, Age::New)?;
        self.set_names(OF_SPACE, space, &state.body.names, Age::New)?;
        self.set_drift(space, state.exported.drift.as_deref(), Age::New)?;
        Ok(space)
    }

    fn settle_updated(
        &mut self,
        batch: &SettleBatch,
        mesh: MeshId,
        space: SpaceId,
        state: &ExportedState,
    ) -> Outcome<u64> {
        let names = self.names(OF_SPACE, space.0)?;
        self.tell_renamed(space.0, &state.external_id)?;
        if !self.write_expected(batch, space, state)? {
            // Its row went in the meantime; the audit row stays, and the mesh object is looked at as it is now.
            self.distrust(mesh.0)?;
            return self.wake([(Todo::Mesh(mesh), None)]);
        }
        let mut woken = self.wake(state.is_news.then_some((Todo::Mesh(mesh), None)))?;
        if state.body.names.iter().any(|name| !names.contains(name)) {
            // Under a new address, whoever refers to the object has to refer to it there.
            let uid = self.uid_of(mesh)?;
            woken += self.wake_holders(uid.as_slice())?;
        }
        Ok(woken + self.wait_after_export(batch.connector, mesh, &state.waits_for)?)
    }

    /// Whether the object was there to be written.
    fn write_expected(
        &mut self,
        batch: &SettleBatch,
        space: SpaceId,
        state: &ExportedState,
    ) -> Outcome<bool> {
        let exported = self.exported_id(&state.exported)?;
        let was = self.was(space.0)?;
        let written = self
            .conn
            .prepare_cached(
                "UPDATE space_object SET external_id = ?2, hash = ?3, run = ?4, flags = ?5, exported = ?6, doc = ?7 \
                 WHERE id = ?1",
            )?
            .execute(params![
                space.0,
                state.external_id.as_str(),
                state.body.hash.0,
                batch.cause.run.0,
                SPACE_UNCONFIRMED | body_flags(&state.body, Some(&state.exported)),
                exported,
                state.body.doc
            ]);
        let written = unique(written, "STO-013", || {
            format!("another object of connector {} has the id {:?}", batch.connector, state.external_id)
        })?;
        if written == 0 {
            return Ok(false);
        }
        let sets = self.set_references(batch.connector, space.0, &state.body.references, Age::Known)?;
        self.set_names(OF_SPACE, space.0, &state.body.names, Age::Known)?;
        self.set_drift(space.0, state.exported.drift.as_deref(), Age::Known)?;
        self.keep_change(&batch.cause, SpaceChangeKind::Export, space.0, was, sets)?;
        Ok(true)
    }
}

/// The audit row of what happened in the target, if anything did.
const fn row(what: &Settle) -> Option<&ChangeRow> {
    match what {
        Settle::Created { row, .. } | Settle::Updated { row, .. } | Settle::Deleted { row, .. } => Some(row),
        _ => None,
    }
}

/// Whether the item is done with.
const fn ends(what: &Settle) -> bool {
    matches!(what, Settle::Created { .. } | Settle::Updated { .. } | Settle::Deleted { .. } | Settle::Dropped)
}

fn created_id(what: &Settle) -> Option<&str> {
    match what {
        Settle::Created { state, .. } => Some(state.external_id.as_str()),
        _ => None,
    }
}

fn waits(what: &Settle) -> bool {
    match what {
        Settle::Created { state, .. } | Settle::Updated { state, .. } => !state.waits_for.is_empty(),
        _ => false,
    }
}

fn not_leased(settled: &Settled) -> crate::fault::Fault {
    conflict("STO-017", format!("queue item {} is not leased by this run any more", settled.item))
}
