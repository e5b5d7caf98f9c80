//! Mesh objects with everything that a plan for them has to know.

use std::collections::BTreeSet;

use identitymesh_model::{
    ConnectorId, ItemId, ItemRecord, LeaveRecord, MeshId, MeshRecord, MeshView, Name, Provenance, RuleId,
    Text, Uid, Value, Values,
};
use rusqlite::{Row, params};

use crate::codec::{self, MESH_SETS, uid_bytes};
use crate::fault::{Outcome, unreadable};

use super::memory::{Loader, id_array, place};
use super::space::{SPACE_ROWS, Sets};

impl Loader<'_> {
    /// Mesh objects with their surroundings, in the order of `ids`.
    pub(crate) fn views(&mut self, ids: &[MeshId]) -> Outcome<Vec<Option<MeshView>>> {
        let mut views = self.mesh_records(ids, None)?;
        self.add_linked(ids, &mut views, Sets::Whole)?;
        self.add_items(ids, &mut views)?;
        self.add_leaving(ids, &mut views)?;
        Ok(views)
    }

    /// Mesh objects alone, with all members of their sets or only with those that are `shown`.
    pub(super) fn mesh_records(
        &mut self,
        ids: &[MeshId],
        shown: Option<&BTreeSet<Uid>>,
    ) -> Outcome<Vec<Option<MeshView>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT k.rowid, o.id, o.uid, o.type, o.anchor, o.version, o.state, o.since, o.flags, o.doc, o.prov \
             FROM rarray(?1) k CROSS JOIN mesh_object o ON o.id = k.value",
        )?;
        let mut rows = statement.query([mesh_array(ids)])?;
        let mut views: Vec<Option<MeshView>> = ids.iter().map(|_| None).collect();
        while let Some(row) = rows.next()? {
            let record = self.mesh_row(row, shown)?;
            views[place(row.get(0)?)] = Some(MeshView {
                record,
                linked: Vec::new(),
                items: Vec::new(),
                leaving: Vec::new(),
                trace: None,
            });
        }
        Ok(views)
    }

    fn mesh_row(&mut self, row: &Row<'_>, shown: Option<&BTreeSet<Uid>>) -> Outcome<MeshRecord> {
        let id = MeshId(row.get(1)?);
        let failed = |what: &str, error: serde_json::Error| {
            unreadable(format!("the {what} of mesh object {id}"), error)
        };
        let text = row.get_ref(9)?.as_str().map_err(rusqlite::Error::from)?;
        let mut doc = self.memory.mesh_docs.read(text).map_err(|error| failed("document", error))?;
        if row.get::<_, i64>(8)? & MESH_SETS != 0 {
            // A single reference has an edge too, and stands in the document already.
            for (name, members) in self.sets_of(id, shown)? {
                if doc.get(name).is_none() {
                    doc.set(name, members);
                }
            }
        }
        let text = row.get_ref(10)?.as_str().map_err(rusqlite::Error::from)?;
        let provenance = Provenance::parse(text, doc.len()).map_err(|error| failed("provenance", error))?;
        Ok(MeshRecord {
            id,
            uid: codec::uid(row, 2)?,
            mesh_type: self.memory.dictionary.name(self.conn, row.get(3)?)?,
            anchor: Text::new(row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?),
            version: row.get(5)?,
            doc,
            provenance,
            state: codec::state(row.get(6)?, row.get(7)?)?,
        })
    }

    /// What an object refers to, in the order of attributes: everything, or only those that are `shown`.
    pub(super) fn sets_of(
        &mut self,
        owner: MeshId,
        shown: Option<&BTreeSet<Uid>>,
    ) -> Outcome<Vec<(Name, Values)>> {
        let mut sets: Vec<(i64, Vec<Value>)> = Vec::new();
        let mut take = |row: &Row<'_>| -> rusqlite::Result<()> {
            let mut buffer = uuid::Uuid::encode_buffer();
            let (attribute, member): (i64, Uid) = (row.get(0)?, codec::uid(row, 1)?);
            let member = Value::reference(&*member.0.hyphenated().encode_lower(&mut buffer));
            match sets.iter_mut().rev().find(|(known, _)| *known == attribute) {
                Some((_, values)) => values.push(member),
                None => sets.push((attribute, vec![member])),
            }
            Ok(())
        };
        match shown {
            None => {
                let mut statement = self.conn.prepare_cached(
                    "SELECT attribute, member FROM membership WHERE owner = ?1 ORDER BY attribute, member",
                )?;
                let mut rows = statement.query([owner.0])?;
                while let Some(row) = rows.next()? {
                    take(row)?;
                }
            }
            Some(shown) => {
                let attributes = self.set_attributes(owner)?;
                let mut statement = self.conn.prepare_cached(
                    "SELECT attribute, member FROM membership WHERE owner = ?1 AND attribute = ?2 AND member = ?3",
                )?;
                for (attribute, member) in
                    attributes.iter().flat_map(|at| shown.iter().map(move |uid| (at, uid)))
                {
                    let mut rows = statement.query(params![owner.0, attribute, uid_bytes(member)])?;
                    while let Some(row) = rows.next()? {
                        take(row)?;
                    }
                }
            }
        }
        let mut out = Vec::with_capacity(sets.len());
        for (attribute, members) in sets {
            let name = self.memory.dictionary.name(self.conn, attribute)?;
            out.extend(Values::set(members).map(|members| (name, members)));
        }
        Ok(out)
    }

    pub(super) fn add_linked(
        &mut self,
        ids: &[MeshId],
        views: &mut [Option<MeshView>],
        sets: Sets,
    ) -> Outcome<()> {
        let sql = format!(
            "SELECT k.rowid, {SPACE_ROWS} FROM rarray(?1) k CROSS JOIN link l INDEXED BY link_mesh ON l.mesh = k.value \
             CROSS JOIN space_object o ON o.id = l.space"
        );
        for (at, record) in self.space_rows_with(&sql, [mesh_array(ids)], sets)? {
            if let Some(view) = &mut views[place(at)] {
                view.linked.push(record);
            }
        }
        for view in views.iter_mut().flatten() {
            view.linked.sort_unstable_by_key(|record| record.id);
        }
        Ok(())
    }

    pub(super) fn add_items(&mut self, ids: &[MeshId], views: &mut [Option<MeshView>]) -> Outcome<()> {
        let mut statement = self.conn.prepare_cached(
            "SELECT k.rowid, i.id, i.connector, i.body, t.state, i.by_hand = 1 AND i.standing <> 3, i.rule FROM rarray(?1) k \
             CROSS JOIN export_item i INDEXED BY item_mesh ON i.mesh = k.value LEFT JOIN intent t ON t.item = i.id",
        )?;
        let mut rows = statement.query([mesh_array(ids)])?;
        while let Some(row) = rows.next()? {
            let id = ItemId(row.get(1)?);
            let intent: Option<i64> = row.get(4)?;
            let text = row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
            let item = ItemRecord {
                id,
                connector: ConnectorId(row.get(2)?),
                rule: RuleId(row.get(6)?),
                action: serde_json::from_str(text)
                    .map_err(|error| unreadable(format!("the action of queue item {id}"), error))?,
                in_flight: codec::is_in_flight(intent),
                dead: intent == Some(codec::INTENT_DEAD),
                by_hand: row.get(5)?,
            };
            if let Some(view) = &mut views[place(row.get(0)?)] {
                view.items.push(item);
            }
        }
        Ok(())
    }

    pub(super) fn add_leaving(&mut self, ids: &[MeshId], views: &mut [Option<MeshView>]) -> Outcome<()> {
        let mut statement = self.conn.prepare_cached(
            "SELECT k.rowid, v.connector, v.rule, v.since, v.steps \
             FROM rarray(?1) k CROSS JOIN leave v ON v.mesh = k.value",
        )?;
        let mut rows = statement.query([mesh_array(ids)])?;
        while let Some(row) = rows.next()? {
            let leaving = LeaveRecord {
                connector: ConnectorId(row.get(1)?),
                rule: RuleId(row.get(2)?),
                since: codec::timestamp(row.get(3)?)?,
                steps: row.get(4)?,
            };
            if let Some(view) = &mut views[place(row.get(0)?)] {
                view.leaving.push(leaving);
            }
        }
        Ok(())
    }
}

fn mesh_array(ids: &[MeshId]) -> std::rc::Rc<Vec<rusqlite::types::Value>> {
    id_array(ids.iter().map(|id| id.0))
}
