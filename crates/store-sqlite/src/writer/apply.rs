//! Carrying out a part of a plan: the mesh objects themselves, and the order of everything else.

use identitymesh_model::plan::{IndexKey, MeshChange, ObjectPlan};
use identitymesh_model::{ContentHash, MeshState, Object, Provenance, Text, Value, Values, canonical};
use identitymesh_store::audit::ChangeRow;
use identitymesh_store::{StoreClass, StoreError, SyncBatch, SyncReceipt, Todo};
use rusqlite::params;

use crate::codec::{ANCHOR_INDEX, MESH_SETS, OF_MESH, state_columns, uid_bytes};
use crate::fault::{Fault, Outcome, conflict};

use super::body::Age;
use super::tx::{Tx, unique};

impl Tx<'_> {
    /// Carries out a part of a plan, table by table.
    pub(crate) fn apply(&mut self, batch: &SyncBatch) -> Outcome<SyncReceipt> {
        let hashes = match_rows(batch)?;
        let objects = &batch.plan.objects;
        let wakes = self.resolve_wakes(&batch.plan)?;
        self.tell_links(objects)?;
        // What the part has looked at goes first, so that whatever wakes it again below stays on the list.
        self.finish(&batch.done)?;
        let mut woken = 0;
        self.write_mesh(batch, &hashes)?;
        woken += self.change_links(objects, &batch.cause)?;
        self.change_keys(objects)?;
        self.change_edges(objects)?;
        let dropped = self.change_items(objects, batch.cause.run)?;
        woken += self.wake(dropped.iter().map(|mesh| (Todo::Mesh(*mesh), None)))?;
        self.change_leaving(objects)?;
        self.change_names(objects)?;
        self.note_spaces(&batch.plan.spaces, &batch.cause)?;
        self.append_changes(batch.approvals.iter().chain(&batch.rows))?;
        if let Some((connector, cursor)) = batch.cursor {
            self.conn
                .prepare_cached(
                    "INSERT OR REPLACE INTO cursor (connector, touched, space) VALUES (?1, ?2, ?3)",
                )?
                .execute([connector.0, cursor.touched, cursor.space])?;
        }
        self.tell_links(objects)?;
        woken += self.carry_out_wakes(&batch.plan.wakes, wakes)?;
        woken += self.keep_traces(&batch.traces, &dropped)?;
        self.report(&batch.cause, &batch.findings, &batch.counters)?;
        Ok(SyncReceipt { woken })
    }

    fn write_mesh(&mut self, batch: &SyncBatch, hashes: &[Option<ContentHash>]) -> Outcome<()> {
        let run = batch.cause.run.0;
        for (object, hash) in batch.plan.objects.iter().zip(hashes) {
            match (&object.change, hash) {
                (Some(MeshChange::Create { doc, provenance }), Some(hash)) => {
                    self.create_mesh(object, doc, provenance, *hash, run)?;
                }
                (Some(MeshChange::Update { version, doc, provenance, state, before }), Some(hash)) => {
                    self.update_mesh(object, *version, (doc, provenance, *state), *hash, run)?;
                    if let Some(anchor) = &before.anchor {
                        self.remove_key(object.id.0, &anchor_key(anchor))?;
                        self.add_key(object.id.0, &anchor_key(&object.anchor))?;
                    }
                }
                (Some(MeshChange::Purge { version, .. }), _) => self.purge_mesh(object, *version)?,
                (None, _) => {}
                (Some(_), None) => return Err(rows_differ()),
            }
        }
        Ok(())
    }

    fn create_mesh(
        &mut self,
        object: &ObjectPlan,
        doc: &Object,
        provenance: &Provenance,
        hash: ContentHash,
        run: i64,
    ) -> Outcome<()> {
        let mesh_type = self.name_id(object.mesh_type)?;
        let (text, flags) = stored_doc(doc);
        let written = self
            .conn
            .prepare_cached(
                "INSERT INTO mesh_object (id, uid, type, anchor, version, hash, state, since, run, flags, doc, prov) \
                 VALUES (?1, ?2, ?3, ?4, 1, ?5, 0, NULL, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                object.id.0,
                uid_bytes(&object.uid),
                mesh_type,
                object.anchor.as_str(),
                hash.0,
                run,
                flags,
                text,
                provenance.to_text()
            ]);
        unique(written, "STO-010", || {
            format!("mesh object {} was to be new and is there already", object.uid)
        })?;
        self.state.counters.mesh = self.state.counters.mesh.max(object.id.0);
        self.add_key(object.id.0, &anchor_key(&object.anchor))
    }

    fn update_mesh(
        &mut self,
        object: &ObjectPlan,
        version: i64,
        (doc, provenance, state): (&Object, &Provenance, MeshState),
        hash: ContentHash,
        run: i64,
    ) -> Outcome<()> {
        let mesh_type = self.name_id(object.mesh_type)?;
        let (text, flags) = stored_doc(doc);
        let (state, since) = state_columns(state);
        let changed = self
            .conn
            .prepare_cached(
                "UPDATE mesh_object SET type = ?3, anchor = ?4, version = version + 1, hash = ?5, state = ?6, \
                 since = ?7, run = ?8, flags = ?9, doc = ?10, prov = ?11 WHERE id = ?1 AND version = ?2",
            )?
            .execute(params![
                object.id.0,
                version,
                mesh_type,
                object.anchor.as_str(),
                hash.0,
                state,
                since,
                run,
                flags,
                text,
                provenance.to_text()
            ])?;
        if changed == 1 { Ok(()) } else { Err(moved(object, version)) }
    }

    fn purge_mesh(&mut self, object: &ObjectPlan, version: i64) -> Outcome<()> {
        let id = object.id.0;
        let changed = self
            .conn
            .prepare_cached("DELETE FROM mesh_object WHERE id = ?1 AND version = ?2")?
            .execute([id, version])?;
        if changed == 0 {
            return Err(moved(object, version));
        }
        self.remove_key(id, &anchor_key(&object.anchor))?;
        self.set_names(OF_MESH, id, &[], Age::Known)?;
        self.forget_trace(id)?;
        for sql in [
            "DELETE FROM membership WHERE owner = ?1",
            "DELETE FROM leave WHERE mesh = ?1",
            "DELETE FROM todo WHERE kind = 1 AND id = ?1",
        ] {
            self.conn.prepare_cached(sql)?.execute([id])?;
        }
        Ok(())
    }

    pub(super) fn add_key(&self, mesh: i64, key: &IndexKey) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO join_index (idx, key, mesh) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?
            .execute(params![key.index, key.key.as_str(), mesh])?;
        Ok(())
    }

    pub(super) fn remove_key(&self, mesh: i64, key: &IndexKey) -> Outcome<()> {
        self.conn
            .prepare_cached("DELETE FROM join_index WHERE idx = ?1 AND key = ?2 AND mesh = ?3")?
            .execute(params![key.index, key.key.as_str(), mesh])?;
        Ok(())
    }
}

/// The content hash after the change for each object of the plan, from the audit rows that belong to them.
fn match_rows(batch: &SyncBatch) -> Outcome<Vec<Option<ContentHash>>> {
    let mut rows = batch.rows.iter();
    let mut hashes = Vec::with_capacity(batch.plan.objects.len());
    for object in &batch.plan.objects {
        hashes.push(match &object.change {
            None => None,
            Some(_) => match rows.next() {
                Some(ChangeRow { mesh, uid, after, .. }) if (*mesh, *uid) == (object.id, object.uid) => {
                    *after
                }
                _ => return Err(rows_differ()),
            },
        });
    }
    if rows.next().is_some() { Err(rows_differ()) } else { Ok(hashes) }
}

fn rows_differ() -> Fault {
    StoreError::new("STO-016", StoreClass::Bug, "the audit rows are not those of the plan's mesh objects")
        .advice("report this; nothing of the plan was carried out")
        .into()
}

fn moved(object: &ObjectPlan, version: i64) -> Fault {
    let message = format!(
        "mesh object {} ({} {:?}) is not at version {version} any more",
        object.uid, object.mesh_type, object.anchor
    );
    conflict("STO-010", message)
}

fn anchor_key(anchor: &str) -> IndexKey {
    IndexKey { index: ANCHOR_INDEX, key: Text::from(anchor.to_lowercase()) }
}

/// The text to store, without sets of references, which are edges; and the flags that say so.
fn stored_doc(doc: &Object) -> (String, i64) {
    if !doc.iter().any(|(_, values)| is_member_set(values)) {
        return (canonical::object_to_string(doc), 0);
    }
    let kept = doc.iter().filter(|(_, values)| !is_member_set(values));
    let kept: Object = kept.map(|(name, values)| (name, values.clone())).collect();
    (canonical::object_to_string(&kept), MESH_SETS)
}

fn is_member_set(values: &Values) -> bool {
    matches!(values, Values::Set(members) if members.iter().all(|value| matches!(value, Value::Reference(_))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use identitymesh_model::Name;

    #[test]
    fn only_sets_of_references_leave_the_document() {
        let mut doc = Object::new();
        doc.set(Name::literal("manager"), Value::reference("a"));
        doc.set(Name::literal("mails"), Values::set(vec!["x".into(), "y".into()]).unwrap());
        assert_eq!(stored_doc(&doc).1, 0);
        doc.set(Name::literal("member"), Values::set(vec![Value::reference("a")]).unwrap());
        assert_eq!(stored_doc(&doc), (r#"{"mails":["x","y"],"manager":{"$ref":"a"}}"#.to_owned(), MESH_SETS));
    }
}
