//! Holds of the mass-change guard, and what people decide on them.
//!
//! A queue item's row never changes its content: a newer wish is a new row. So an item that still has its id is what
//! it was when it was held, and a decision on it needs no second look.

use identitymesh_model::{ContentHash, HoldId, ItemId, MeshId, Uid};
use identitymesh_store::audit::{ChangeKind, ChangeRow};
use identitymesh_store::{
    Cause, Decided, HoldBatch, HoldClass, HoldDecision, HoldItem, NewHold, SpaceChangeKind, StoreClass,
    StoreError, hold_hash,
};
use rusqlite::{OptionalExtension as _, params};

use crate::codec::{
    self, APPROVED, FREE, HELD, INTENT_SENT, INTENT_UNKNOWN, REJECTED, SPACE_GONE, WITHDRAWN, class_number,
    uid_bytes,
};
use crate::fault::{Fault, Outcome};

use super::tx::Tx;

/// A hold that somebody decides on.
struct Held {
    connector: i64,
    class: HoldClass,
    /// What the decision is given to.
    hash: ContentHash,
}

/// A change that waits in a hold.
struct Waiting {
    subject: i64,
    uid: Option<Uid>,
    item: Option<i64>,
    hash: ContentHash,
}

impl Tx<'_> {
    /// Withdraws holds, then makes new ones.
    pub(crate) fn hold(&mut self, batch: &HoldBatch) -> Outcome<Vec<HoldId>> {
        for hold in &batch.withdrawn {
            self.withdraw(*hold)?;
        }
        let mut again = self.conn.prepare_cached(
            "UPDATE export_item SET standing = ?2, hold = ?3 WHERE id = ?1 AND standing = ?4 AND connector = ?5",
        )?;
        for (item, hold) in &batch.rejected {
            again.execute([item.0, REJECTED, hold.0, FREE, batch.connector.0])?;
        }
        let mut returned = self
            .conn
            .prepare_cached("UPDATE hold_item SET standing = ?3 WHERE hold = ?1 AND subject = ?2")?;
        for (hold, subject) in &batch.returned {
            returned.execute([hold.0, *subject, WITHDRAWN])?;
        }
        let mut made = Vec::new();
        for hold in &batch.holds {
            made.extend(self.make_hold(batch, hold)?);
        }
        Ok(made)
    }

    fn withdraw(&self, hold: HoldId) -> Outcome<()> {
        self.conn
            .prepare_cached("UPDATE export_item SET standing = ?2, hold = NULL WHERE hold = ?1 AND standing = ?3 AND id IN \
                 (SELECT item FROM hold_item WHERE hold = ?1 AND standing = ?3)")?
            .execute([hold.0, FREE, HELD])?;
        self.conn
            .prepare_cached("UPDATE hold_item SET standing = ?2 WHERE hold = ?1 AND standing = ?3")?
            .execute([hold.0, WITHDRAWN, HELD])?;
        Ok(())
    }

    fn make_hold(&mut self, batch: &HoldBatch, hold: &NewHold) -> Outcome<Option<HoldId>> {
        let object_type = self.name_id(hold.object_type)?;
        let id: i64 = self
            .conn
            .prepare_cached(
                "INSERT INTO hold (connector, type, class, hash, count, size, population, allowed, common, at, run, part, inferred, again) \
                 VALUES (?1, ?2, ?3, zeroblob(16), 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) RETURNING id",
            )?
            .query_row(
                params![
                    batch.connector.0,
                    object_type,
                    class_number(hold.class),
                    hold.size,
                    hold.population,
                    hold.allowed,
                    serde_json::to_string(&hold.common).expect("texts are JSON"),
                    batch.cause.at.as_micros(),
                    batch.cause.run.0,
                    hold.within,
                    hold.inferred,
                    hold.again.map(|again| again.0)
                ],
                |row| row.get(0),
            )?;
        let kept = self.keep_items(id, batch, hold)?;
        if kept.is_empty() {
            self.conn.execute("DELETE FROM hold WHERE id = ?1", [id])?;
            return Ok(None);
        }
        self.conn.prepare_cached("UPDATE hold SET hash = ?2, count = ?3 WHERE id = ?1")?.execute(params![
            id,
            hold_hash(kept.iter().copied()).0,
            kept.len()
        ])?;
        Ok(Some(HoldId(id)))
    }

    /// Items that went, or are on their way, are left out.
    fn keep_items<'h>(&self, id: i64, batch: &HoldBatch, hold: &'h NewHold) -> Outcome<Vec<&'h HoldItem>> {
        let mut mark = self.conn.prepare_cached(
            "UPDATE export_item SET standing = ?2, hold = ?3 WHERE id = ?1 AND standing = ?4 AND connector = ?5 \
             AND mesh = ?6 AND NOT EXISTS (SELECT 1 FROM intent WHERE item = ?1 AND state IN (?7, ?8))",
        )?;
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO hold_item (hold, subject, uid, item, hash, standing) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let mut kept = Vec::with_capacity(hold.items.len());
        for item in &hold.items {
            if let Some(queued) = item.item {
                let marked = mark.execute([
                    queued.0,
                    HELD,
                    id,
                    FREE,
                    batch.connector.0,
                    item.subject,
                    INTENT_SENT,
                    INTENT_UNKNOWN,
                ])?;
                if marked == 0 {
                    continue;
                }
            }
            let uid = item.uid.as_ref().map(uid_bytes);
            insert.execute(params![
                id,
                item.subject,
                uid,
                item.item.map(|item| item.0),
                item.hash.0,
                HELD
            ])?;
            kept.push(item);
        }
        Ok(kept)
    }

    /// Carries out a decision.
    pub(crate) fn decide(&mut self, decision: &HoldDecision) -> Outcome<Decided> {
        if decision.reason.trim().is_empty() {
            return Err(refused("a decision on a hold needs a reason".to_owned()));
        }
        let hold = decision.hold;
        let held = self.held_where(hold)?;
        let (connector, class) = (held.connector, held.class);
        let waiting = self.waiting(decision)?;
        if waiting.is_empty() {
            return Err(refused(format!("nothing waits in hold {hold} any more")));
        }
        let standing = if decision.approve { APPROVED } else { REJECTED };
        let touched = self.next_commit();
        let mut rows = Vec::with_capacity(waiting.len());
        let mut unowned = Vec::new();
        let mut done = Decided::default();
        for change in &waiting {
            let holds = self.decide_one(class, change, decision, (connector, touched))?;
            let after = if holds { standing } else { WITHDRAWN };
            self.conn
                .prepare_cached("UPDATE hold_item SET standing = ?3 WHERE hold = ?1 AND subject = ?2")?
                .execute([hold.0, change.subject, after])?;
            if !holds {
                done.changed += 1;
                continue;
            }
            done.decided += 1;
            match self.decision_row(&held, change, decision)? {
                Some(row) => rows.push(row),
                None => unowned.push(change),
            }
        }
        rows.extend(unowned_row(&held, &unowned, decision));
        if class != HoldClass::ImportDelete {
            self.keep_questions(hold, connector, &waiting, decision.approve)?;
        }
        self.append_changes(&rows)?;
        self.keep_decision(hold, &decision.cause, standing, done.decided, &decision.reason)?;
        done.left = self
            .conn
            .prepare_cached("SELECT count(*) FROM hold_item WHERE hold = ?1 AND standing = 1")?
            .query_row([hold.0], |row| row.get(0))?;
        Ok(done)
    }

    /// Remembers what was rejected or left, so that what repeats some of it is asked; and forgets of what was approved that
    /// it was rejected or left before.
    fn keep_questions(
        &self,
        hold: HoldId,
        connector: i64,
        decided: &[Waiting],
        approve: bool,
    ) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "UPDATE hold_item SET body = (SELECT body FROM export_item WHERE mesh = subject AND connector = ?2) \
                 WHERE hold = ?1 AND standing IN (?3, ?4) AND body IS NULL",
            )?
            .execute([hold.0, connector, HELD, REJECTED])?;
        if !approve {
            return Ok(());
        }
        for change in decided {
            self.forget_questions(change.subject, connector)?;
        }
        Ok(())
    }

    fn forget_questions(&self, mesh: i64, connector: i64) -> Outcome<()> {
        let mut open = self.conn.prepare_cached(
            "SELECT h.hold, h.body, i.body, i.id FROM hold_item h INDEXED BY hold_item_again JOIN hold o ON o.id = h.hold \
             JOIN export_item i ON i.mesh = h.subject AND i.connector = o.connector \
             WHERE h.subject = ?1 AND o.connector = ?2 AND h.body IS NOT NULL AND h.standing IN (?4, ?5) AND i.standing = ?3",
        )?;
        let mut rows = open.query([mesh, connector, APPROVED, HELD, REJECTED])?;
        let mut withdraw = self.conn.prepare_cached(
            "UPDATE hold_item SET standing = ?3, body = NULL WHERE hold = ?1 AND subject = ?2",
        )?;
        while let Some(row) = rows.next()? {
            let item = ItemId(row.get(3)?);
            if codec::action(row, 2, item)?.repeats(&codec::action(row, 1, item)?) {
                withdraw.execute([row.get(0)?, mesh, WITHDRAWN])?;
            }
        }
        Ok(())
    }

    fn held_where(&self, hold: HoldId) -> Outcome<Held> {
        let mut statement =
            self.conn.prepare_cached("SELECT connector, class, hash FROM hold WHERE id = ?1")?;
        let mut rows = statement.query([hold.0])?;
        let row = rows.next()?.ok_or_else(|| refused(format!("there is no hold {hold}")))?;
        Ok(Held { connector: row.get(0)?, class: codec::class(row.get(1)?)?, hash: codec::hash(row, 2)? })
    }

    fn waiting(&self, decision: &HoldDecision) -> Outcome<Vec<Waiting>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT subject, uid, item, hash FROM hold_item WHERE hold = ?1 AND standing = 1 ORDER BY subject",
        )?;
        let rows = statement.query_map([decision.hold.0], |row| {
            let uid: Option<[u8; 16]> = row.get(1)?;
            Ok(Waiting {
                subject: row.get(0)?,
                uid: uid.map(|bytes| Uid(uuid::Uuid::from_bytes(bytes))),
                item: row.get(2)?,
                hash: codec::hash(row, 3)?,
            })
        })?;
        let mut all = rows.collect::<rusqlite::Result<Vec<Waiting>>>()?;
        if decision.subjects.is_empty() {
            return Ok(all);
        }
        let missing =
            decision.subjects.iter().find(|wanted| !all.iter().any(|known| known.subject == **wanted));
        if let Some(missing) = missing {
            return Err(refused(format!("object {missing} does not wait in hold {}", decision.hold)));
        }
        all.retain(|change| decision.subjects.contains(&change.subject));
        Ok(all)
    }

    /// Whether the change is still what it was when it was held.
    fn decide_one(
        &mut self,
        class: HoldClass,
        change: &Waiting,
        decision: &HoldDecision,
        (connector, touched): (i64, i64),
    ) -> Outcome<bool> {
        let changed = match class {
            HoldClass::Export(_) | HoldClass::Change | HoldClass::Clear => {
                let standing = if decision.approve { APPROVED } else { REJECTED };
                self.conn
                    .prepare_cached(
                        "UPDATE export_item SET standing = ?2 WHERE id = ?1 AND hold = ?3 AND standing = ?4",
                    )?
                    .execute(params![change.item, standing, decision.hold.0, HELD])?
            }
            HoldClass::ImportDelete => {
                let gone = if decision.approve { SPACE_GONE } else { 0 };
                self.tell_space(change.subject)?;
                let was = self.was(change.subject)?;
                let changed = self
                    .conn
                    .prepare_cached(
                        "UPDATE space_object SET flags = flags | ?2, \
                         touched = CASE WHEN ?2 <> 0 THEN ?3 ELSE touched END \
                         WHERE id = ?1 AND connector = ?4 AND hash = ?5 AND flags & ?6 = 0",
                    )?
                    .execute(params![change.subject, gone, touched, connector, change.hash.0, SPACE_GONE])?;
                self.keep_change(
                    &decision.cause,
                    SpaceChangeKind::Decision,
                    change.subject,
                    was,
                    Vec::new(),
                )?;
                changed
            }
        };
        Ok(changed > 0)
    }

    /// The audit row of a decision on one mesh object; `None` of an object that belongs to none.
    fn decision_row(
        &self,
        held: &Held,
        change: &Waiting,
        decision: &HoldDecision,
    ) -> Outcome<Option<ChangeRow>> {
        let Some(uid) = change.uid else { return Ok(None) };
        let mesh = match held.class {
            HoldClass::Export(_) | HoldClass::Change | HoldClass::Clear => Some(change.subject),
            HoldClass::ImportDelete => self
                .conn
                .prepare_cached("SELECT mesh FROM link WHERE space = ?1")?
                .query_row([change.subject], |row| row.get(0))
                .optional()?,
        };
        let kind = if decision.approve { ChangeKind::Approve } else { ChangeKind::Reject };
        let content = held.hash.to_string();
        let before =
            serde_json::json!({ "content": content, "hold": decision.hold, "reason": decision.reason });
        let before = before.to_string();
        let cause = &decision.cause;
        Ok(mesh.map(|mesh| {
            ChangeRow::new(
                MeshId(mesh),
                uid,
                cause.run,
                cause.at,
                &cause.actor,
                kind,
                Some(identitymesh_model::ConnectorId(held.connector)),
                before,
                Some(change.hash),
            )
        }))
    }

    pub(super) fn keep_decision(
        &self,
        hold: HoldId,
        cause: &Cause,
        standing: i64,
        count: u64,
        reason: &str,
    ) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO hold_decision (hold, seq, at, actor, standing, count, reason) \
                 SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM hold_decision WHERE hold = ?1",
            )?
            .execute(params![hold.0, cause.at.as_micros(), cause.actor, standing, count, reason])?;
        Ok(())
    }
}

/// The audit row of a decision on objects that belong to no mesh object: one for all of them, with the hash of what was
/// decided on.
fn unowned_row(held: &Held, changes: &[&Waiting], decision: &HoldDecision) -> Option<ChangeRow> {
    if changes.is_empty() {
        return None;
    }
    let items: Vec<HoldItem> = changes
        .iter()
        .map(|change| HoldItem {
            subject: change.subject,
            uid: change.uid,
            item: change.item.map(ItemId),
            hash: change.hash,
        })
        .collect();
    let before = serde_json::json!({ "content": held.hash.to_string(), "hold": decision.hold,
        "objects": items.len(), "reason": decision.reason });
    let cause = &decision.cause;
    Some(ChangeRow::new(
        MeshId(0),
        Uid(uuid::Uuid::nil()),
        cause.run,
        cause.at,
        &cause.actor,
        if decision.approve { ChangeKind::Approve } else { ChangeKind::Reject },
        Some(identitymesh_model::ConnectorId(held.connector)),
        before.to_string(),
        Some(hold_hash(&items)),
    ))
}

fn refused(message: String) -> Fault {
    StoreError::new("STO-018", StoreClass::Conflict, message)
        .advice("look at what waits with `identitymesh holds list`; nothing was decided")
        .into()
}
