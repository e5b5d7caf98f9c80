//! Decisions about joins.

use std::collections::HashMap;

use identitymesh_model::joins::{Move, RulingChange};
use identitymesh_model::{DecisionId, MeshId, Uid};
use identitymesh_store::audit::{ChangeKind, ChangeRow};
use identitymesh_store::{Cause, JoinBatch, StoreClass, StoreError};
use rusqlite::{OptionalExtension as _, params};
use serde_json::json;

use crate::codec::uid_bytes;
use crate::fault::Outcome;

use super::tx::Tx;

impl Tx<'_> {
    /// Carries out a decision with the part of a plan that follows from it.
    pub(crate) fn decide_join(&mut self, batch: &JoinBatch) -> Outcome<DecisionId> {
        let reason = batch.reason.trim();
        if reason.is_empty() {
            return refuse("a decision about joins needs a reason");
        }
        self.check_reverts(batch.reverts)?;
        let concerned = self.concerned(batch)?;
        self.apply(&batch.sync)?;
        let cause = &batch.sync.cause;
        let body = serde_json::to_string(&batch.decision).expect("a decision is JSON");
        let id: i64 = self.conn.query_row(
            "INSERT INTO join_decision (at, actor, run, kind, reason, reverts, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
            params![
                cause.at.as_micros(),
                cause.actor,
                cause.run.0,
                batch.decision.kind.as_str(),
                reason,
                batch.reverts.map(|id| id.0),
                body
            ],
            |row| row.get(0),
        )?;
        for ruling in &batch.decision.rulings {
            self.rule(ruling, id)?;
        }
        self.audit(batch, id, cause, &concerned)?;
        Ok(DecisionId(id))
    }

    fn check_reverts(&self, reverts: Option<DecisionId>) -> Outcome<()> {
        let Some(id) = reverts else { return Ok(()) };
        let mut statement = self.conn.prepare_cached(
            "SELECT r.id FROM join_decision d LEFT JOIN join_decision r ON r.reverts = d.id WHERE d.id = ?1",
        )?;
        match statement.query_row([id.0], |row| row.get::<_, Option<i64>>(0)).optional()? {
            None => refuse(format!("there is no decision {id}")),
            Some(Some(by)) => refuse(format!("decision {id} was taken back by decision {by} already")),
            Some(None) => Ok(()),
        }
    }

    /// The mesh objects that the decision is about, those that end by it too.
    fn concerned(&self, batch: &JoinBatch) -> Outcome<Vec<(MeshId, Uid)>> {
        let mut statement = self.conn.prepare_cached("SELECT id FROM mesh_object WHERE uid = ?1")?;
        let planned = batch.sync.plan.objects.iter().map(|object| (object.uid, object.id));
        let planned: HashMap<Uid, MeshId> = planned.collect();
        let mut concerned = Vec::new();
        for uid in batch.decision.mesh_objects() {
            let id = statement.query_row([uid_bytes(&uid)], |row| row.get(0)).optional()?.map(MeshId);
            let id = id.or_else(|| planned.get(&uid).copied());
            concerned.extend(id.map(|id| (id, uid)));
        }
        Ok(concerned)
    }

    fn rule(&mut self, ruling: &RulingChange, decision: i64) -> Outcome<()> {
        let member = &ruling.member;
        let object_type = self.name_id(member.object_type)?;
        let (connector, external_id) = (member.connector.0, member.external_id.as_str());
        match ruling.after {
            Some(belongs) => self
                .conn
                .prepare_cached(
                    "INSERT OR REPLACE INTO ruling (connector, type, external_id, mesh, belongs, decision) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    connector,
                    object_type,
                    external_id,
                    uid_bytes(&ruling.mesh),
                    belongs,
                    decision
                ])?,
            None => self
                .conn
                .prepare_cached(
                    "DELETE FROM ruling WHERE connector = ?1 AND type = ?2 AND external_id = ?3 AND mesh = ?4",
                )?
                .execute(params![connector, object_type, external_id, uid_bytes(&ruling.mesh)])?,
        };
        Ok(())
    }

    fn audit(
        &mut self,
        batch: &JoinBatch,
        decision: i64,
        cause: &Cause,
        concerned: &[(MeshId, Uid)],
    ) -> Outcome<()> {
        // Each mesh object's row tells what concerns it, for a decision may be about thousands.
        let (mut moves, mut rulings) = (HashMap::<Uid, Vec<&Move>>::new(), HashMap::<Uid, Vec<_>>::new());
        for change in &batch.decision.moves {
            let (from, to) = (change.from.map(|bond| bond.mesh), change.to.map(|bond| bond.mesh));
            for uid in from.into_iter().chain(to.filter(|to| from != Some(*to))) {
                moves.entry(uid).or_default().push(change);
            }
        }
        for ruling in &batch.decision.rulings {
            rulings.entry(ruling.mesh).or_default().push(ruling);
        }
        let (kind, reason) = (batch.decision.kind, batch.reason.trim());
        let row = |(mesh, uid): &(MeshId, Uid)| {
            let of_moves = moves.get(uid).map_or(&[][..], Vec::as_slice);
            let of_rulings = rulings.get(uid).map_or(&[][..], Vec::as_slice);
            let told = json!({ "decision": decision, "kind": kind, "reason": reason,
                "reverts": batch.reverts, "moves": of_moves, "rulings": of_rulings });
            let (at, kind) = (cause.at, ChangeKind::Decide);
            ChangeRow::new(*mesh, *uid, cause.run, at, &cause.actor, kind, None, told.to_string(), None)
        };
        let rows: Vec<ChangeRow> = concerned.iter().map(row).collect();
        self.append_changes(&rows)
    }
}

fn refuse<T>(message: impl Into<String>) -> Outcome<T> {
    Err(StoreError::new("STO-019", StoreClass::Conflict, message.into())
        .advice("list decisions with `identitymesh joins decisions`")
        .into())
}
