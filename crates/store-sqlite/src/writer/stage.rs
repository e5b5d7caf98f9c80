//! One page of an import.

use std::collections::HashSet;

use identitymesh_model::plan::SetBefore;
use identitymesh_model::{ConnectorId, Name, SpaceId};
use identitymesh_store::{Moment, SpaceChangeKind, StageBatch, StageInsert, StageReceipt, StageUpdate};
use rusqlite::params;

use crate::codec::{OF_SPACE, SPACE_DRIFT, SPACE_GONE, SPACE_UNCONFIRMED, key_hash, uid_bytes};
use crate::fault::{Outcome, conflict};

use super::body::{Age, body_flags};
use super::tx::{Tx, unique};

impl Tx<'_> {
    /// Writes a page and says which ids its new objects got.
    pub(crate) fn stage(&mut self, batch: &StageBatch) -> Outcome<StageReceipt> {
        let touched = self.next_commit();
        let inserted = self.stage_inserts(batch, touched)?;
        self.stage_updates(batch, touched)?;
        self.stage_deletes(batch, touched)?;
        self.append_changes(batch.updates.iter().filter_map(|update| update.row.as_ref()))?;
        if let Some(watermark) = &batch.watermark {
            self.conn
                .prepare_cached("INSERT OR REPLACE INTO watermark (connector, body) VALUES (?1, ?2)")?
                .execute(params![batch.connector.0, watermark])?;
        }
        if let Some(Moment { change, space }) = batch.settled {
            self.conn
                .prepare_cached(
                    "INSERT OR REPLACE INTO settled (connector, change, space) VALUES (?1, ?2, ?3)",
                )?
                .execute([batch.connector.0, change, space.0])?;
        }
        self.cover(batch)?;
        self.report(&batch.cause, &batch.findings, &batch.counters)?;
        Ok(StageReceipt { inserted })
    }

    fn cover(&mut self, batch: &StageBatch) -> Outcome<()> {
        for covered in &batch.covered {
            let object_type = self.name_id(covered.object_type)?;
            let (run, gap) = (batch.cause.run.0, covered.gap.as_ref());
            let (missing, why) = gap.map_or((0, ""), |gap| (gap.missing, gap.why.as_str()));
            self.conn
                .prepare_cached(
                    "INSERT INTO coverage (connector, type, whole, run, since, missing, why) \
                     VALUES (?1, ?2, ?3, ?4, iif(?3, NULL, ?4), ?5, ?6) \
                     ON CONFLICT (connector, type) DO UPDATE SET whole = excluded.whole, run = excluded.run, \
                     since = iif(excluded.whole, NULL, coalesce(since, excluded.run)), \
                     missing = excluded.missing, why = excluded.why",
                )?
                .execute(params![batch.connector.0, object_type, gap.is_none(), run, missing, why])?;
        }
        Ok(())
    }

    /// In the order of external ids, which is the order of the one large index with random keys.
    fn stage_inserts(&mut self, batch: &StageBatch, touched: i64) -> Outcome<Vec<SpaceId>> {
        let mut types = Vec::with_capacity(batch.inserts.len());
        let mut last: Option<(Name, i64)> = None;
        for insert in &batch.inserts {
            let id = match last {
                Some((name, id)) if name == insert.object_type => id,
                _ => self.partition(batch.connector, insert.object_type)?,
            };
            last = Some((insert.object_type, id));
            types.push(id);
        }
        let mut order: Vec<usize> = (0..batch.inserts.len()).collect();
        order.sort_unstable_by_key(|at| (types[*at], batch.inserts[*at].external_id.as_bytes()));
        let mut ids = vec![SpaceId(0); batch.inserts.len()];
        let mut statement = self.conn.prepare_cached(
            "INSERT INTO space_object (id, uid, connector, type, external_id, hash, touched, run, flags, doc) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        for at in &order {
            let insert = &batch.inserts[*at];
            let (id, uid) = (self.next_space(), self.ids.next_uid(batch.cause.at));
            let written = statement.execute(params![
                id,
                uid_bytes(&uid),
                batch.connector.0,
                types[*at],
                insert.external_id.as_str(),
                insert.body.hash.0,
                touched,
                batch.cause.run.0,
                body_flags(&insert.body, None),
                insert.body.doc
            ]);
            unique(written, "STO-013", || already_there(batch.connector, insert))?;
            ids[*at] = SpaceId(id);
        }
        for (insert, id) in batch.inserts.iter().zip(&ids) {
            self.set_references(batch.connector, id.0, &insert.body.references, Age::New)?;
            self.set_names(OF_SPACE, id.0, &insert.body.names, Age::New)?;
            self.tell_space(id.0)?;
        }
        Ok(ids)
    }

    fn stage_updates(&mut self, batch: &StageBatch, touched: i64) -> Outcome<()> {
        let run = batch.cause.run.0;
        for update in &batch.updates {
            let exported = match &update.exported {
                Some(exported) => Some(self.exported_id(exported)?),
                None => None,
            };
            let was = self.was(update.id.0)?;
            // What an import shows is neither gone nor unconfirmed; drift is only known anew with what was exported.
            let mut keep = if exported.is_some() { 0 } else { SPACE_DRIFT };
            if !update.shown {
                keep |= SPACE_UNCONFIRMED;
            }
            self.tell_returned(batch.connector.0, update.id.0)?;
            let changed = self
                .conn
                .prepare_cached(
                    "UPDATE space_object SET hash = ?2, doc = ?3, run = ?4, flags = (flags & ?5) | ?6, \
                     touched = CASE WHEN ?7 THEN ?8 ELSE touched END, \
                     exported = CASE WHEN ?9 THEN ?10 ELSE exported END WHERE id = ?1 AND connector = ?11",
                )?
                .execute(params![
                    update.id.0,
                    update.body.hash.0,
                    update.body.doc,
                    run,
                    keep,
                    body_flags(&update.body, update.exported.as_ref()),
                    update.touch,
                    touched,
                    exported.is_some(),
                    exported.flatten(),
                    batch.connector.0
                ])?;
            if changed == 0 {
                return Err(not_there(update.id, batch.connector));
            }
            let sets = self.stage_update_parts(batch, update)?;
            let kind = if update.shown { SpaceChangeKind::Import } else { SpaceChangeKind::Mended };
            self.keep_change(&batch.cause, kind, update.id.0, was, sets)?;
        }
        Ok(())
    }

    fn stage_update_parts(&mut self, batch: &StageBatch, update: &StageUpdate) -> Outcome<Vec<SetBefore>> {
        let sets = self.set_references(batch.connector, update.id.0, &update.body.references, Age::Known)?;
        let renamed = self.set_names(OF_SPACE, update.id.0, &update.body.names, Age::Known)?;
        let renamed = renamed.iter().filter(|name| batch.referred.contains(&name.index));
        let renamed: Vec<_> = renamed.map(|name| (batch.connector.0, key_hash(&name.key))).collect();
        if !renamed.is_empty() {
            self.wake_referrers(renamed, &HashSet::new())?;
        }
        if let Some(exported) = &update.exported {
            self.set_drift(update.id.0, exported.drift.as_deref(), Age::Known)?;
        }
        Ok(sets)
    }

    fn stage_deletes(&mut self, batch: &StageBatch, touched: i64) -> Outcome<()> {
        let mut statement = self.conn.prepare_cached(
            "UPDATE space_object SET flags = flags | ?2, touched = ?3, run = ?4 WHERE id = ?1 AND connector = ?5",
        )?;
        for id in &batch.deletes {
            let was = self.was(id.0)?;
            let changed =
                statement.execute([id.0, SPACE_GONE, touched, batch.cause.run.0, batch.connector.0])?;
            if changed == 0 {
                return Err(not_there(*id, batch.connector));
            }
            self.keep_change(&batch.cause, SpaceChangeKind::Import, id.0, was, Vec::new())?;
            self.tell_space(id.0)?;
        }
        Ok(())
    }
}

fn already_there(connector: ConnectorId, insert: &StageInsert) -> String {
    format!(
        "connector {connector} has {} {:?} already, which was to be staged as new",
        insert.object_type, insert.external_id
    )
}

fn not_there(space: SpaceId, connector: ConnectorId) -> crate::fault::Fault {
    conflict(
        "STO-013",
        format!("management-space object {space} of connector {connector} is not there any more"),
    )
}
