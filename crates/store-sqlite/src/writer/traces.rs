//! What is taken down about the sets of mesh objects that are traced.
//!
//! A large set is looked at as a whole once; from then on a sync looks at the members that are named here. So whatever
//! can make one member of a traced set come out otherwise has to end in one of the `tell_` functions: an edge that
//! comes or goes, an object that is found under another address or is another's, a member with another address. To
//! tell too much costs a look; to tell too little would be a wrong plan. Without traces all of them cost one step.

use std::collections::HashSet;

use identitymesh_model::plan::{LinkChange, ObjectPlan};
use identitymesh_model::{MeshId, Uid};
use identitymesh_store::{Todo, TraceWrite};
use rusqlite::{OptionalExtension as _, params};

use crate::codec::{NEWS_OF_ALL, NEWS_OF_MEMBER, OF_SPACE, key_hash, uid, uid_bytes};
use crate::fault::Outcome;

use super::tx::Tx;

impl Tx<'_> {
    /// Whether anything is traced at all.
    pub(super) fn is_tracing(&self) -> Outcome<bool> {
        self.ask_traced(|connectors| !connectors.is_empty())
    }

    /// Whether a traced mesh object has objects in a connector; elsewhere nothing can matter to its sets.
    fn traces_in(&self, connector: i64) -> Outcome<bool> {
        self.ask_traced(|connectors| connectors.contains(&connector))
    }

    fn ask_traced(&self, question: impl Fn(&HashSet<i64>) -> bool) -> Outcome<bool> {
        let mut traced = self.state.traced.borrow_mut();
        if let Some(known) = &*traced {
            return Ok(question(known));
        }
        let mut statement = self.conn.prepare_cached(
            "SELECT DISTINCT l.connector FROM trace t CROSS JOIN link l ON l.mesh = t.mesh",
        )?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(question(traced.insert(rows.collect::<rusqlite::Result<_>>()?)))
    }

    /// A mesh object has an object more, perhaps in a connector where nothing was traced yet.
    pub(super) fn tell_linked(&self, mesh: i64) -> Outcome<()> {
        if self.is_tracing()? && self.is_traced(mesh)? {
            self.state.traced.replace(None);
        }
        Ok(())
    }

    /// The traced mesh object that a management-space object belongs to.
    pub(super) fn traced_owner(&self, space: i64) -> Outcome<Option<i64>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT t.mesh FROM link l JOIN trace t ON t.mesh = l.mesh WHERE l.space = ?1")?;
        Ok(statement.query_row([space], |row| row.get(0)).optional()?)
    }

    pub(super) fn is_traced(&self, mesh: i64) -> Outcome<bool> {
        Ok(self.conn.prepare_cached("SELECT 1 FROM trace WHERE mesh = ?1")?.exists([mesh])?)
    }

    /// An edge of an object of a traced mesh object came or went.
    pub(super) fn tell_edge(&self, owner: i64, space: i64, key: &str) -> Outcome<()> {
        self.conn
            .prepare_cached("INSERT OR REPLACE INTO trace_news (mesh, space, key) VALUES (?1, ?2, ?3)")?
            .execute(params![owner, space, key.as_bytes()])?;
        Ok(())
    }

    /// Something about one member of a set may be different, if the set is traced.
    pub(super) fn tell_member(&self, owner: i64, member: &Uid) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO trace_news (mesh, space, key) SELECT mesh, ?3, ?2 FROM trace WHERE mesh = ?1",
            )?
            .execute(params![owner, uid_bytes(member), NEWS_OF_MEMBER])?;
        Ok(())
    }

    /// Something about a member may be different for all sets that hold it.
    pub(super) fn tell_holders(&self, member: &Uid) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO trace_news (mesh, space, key) SELECT DISTINCT t.mesh, ?2, ?1 \
                 FROM membership m JOIN trace t ON t.mesh = m.owner WHERE m.member = ?1",
            )?
            .execute(params![uid_bytes(member), NEWS_OF_MEMBER])?;
        Ok(())
    }

    /// An address of a connector may lead elsewhere.
    pub(super) fn tell_address(&self, connector: i64, address: &str) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO trace_news (mesh, space, key) SELECT t.mesh, r.space, CAST(r.key AS BLOB) \
                 FROM space_ref r INDEXED BY space_ref_key CROSS JOIN link l ON l.space = r.space \
                 CROSS JOIN trace t ON t.mesh = l.mesh WHERE r.connector = ?1 AND r.key_hash = ?2",
            )?
            .execute([connector, key_hash(address)])?;
        Ok(())
    }

    /// Whatever leads to an object, or to whom it belongs, may be different.
    pub(super) fn tell_space(&self, space: i64) -> Outcome<()> {
        if !self.is_tracing()? {
            return Ok(());
        }
        let found: Option<(i64, String)> = self
            .conn
            .prepare_cached("SELECT connector, external_id FROM space_object WHERE id = ?1")?
            .query_row([space], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((connector, external_id)) = found else { return Ok(()) };
        if !self.traces_in(connector)? {
            return Ok(());
        }
        self.tell_address(connector, &external_id)?;
        for name in self.names(OF_SPACE, space)? {
            self.tell_address(connector, &name.key)?;
        }
        let owner: Option<Uid> = self
            .conn
            .prepare_cached(
                "SELECT m.uid FROM link l JOIN mesh_object m ON m.id = l.mesh WHERE l.space = ?1",
            )?
            .query_row([space], |row| uid(row, 0))
            .optional()?;
        owner.map_or(Ok(()), |owner| self.tell_holders(&owner))
    }

    /// As [`Tx::tell_space`], of an object that may have been gone until now.
    pub(super) fn tell_returned(&self, connector: i64, space: i64) -> Outcome<()> {
        if !self.traces_in(connector)? {
            return Ok(());
        }
        let mut gone =
            self.conn.prepare_cached("SELECT 1 FROM space_object WHERE id = ?1 AND flags & 1 <> 0")?;
        if gone.exists([space])? { self.tell_space(space) } else { Ok(()) }
    }

    /// An object is about to be found under another id.
    pub(super) fn tell_renamed(&self, space: i64, external_id: &str) -> Outcome<()> {
        if !self.is_tracing()? {
            return Ok(());
        }
        let found: Option<(i64, String)> = self
            .conn
            .prepare_cached("SELECT connector, external_id FROM space_object WHERE id = ?1")?
            .query_row([space], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match found {
            Some((connector, before)) if before != external_id => {
                self.tell_address(connector, external_id)?;
                self.tell_space(space)
            }
            _ => Ok(()),
        }
    }

    /// Objects of a plan that change hands; asked before and after they do.
    pub(super) fn tell_links(&self, objects: &[ObjectPlan]) -> Outcome<()> {
        if !self.is_tracing()? {
            return Ok(());
        }
        for object in objects.iter().filter(|object| !object.links.is_empty()) {
            self.tell_linked(object.id.0)?;
        }
        for link in objects.iter().flat_map(|object| &object.links) {
            let (LinkChange::Add { space, .. } | LinkChange::Remove { space, .. }) = link;
            self.tell_space(space.0)?;
        }
        Ok(())
    }

    /// The sets of a mesh object have to be looked at as a whole. News like any other, so that a look that began before
    /// does not count for it.
    pub(super) fn distrust(&self, mesh: i64) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO trace_news (mesh, space, key) SELECT mesh, ?2, x'' FROM trace WHERE mesh = ?1",
            )?
            .execute([mesh, NEWS_OF_ALL])?;
        Ok(())
    }

    /// The same, for whomever an object belongs to.
    pub(super) fn distrust_owner(&self, space: i64) -> Outcome<()> {
        if !self.is_tracing()? {
            return Ok(());
        }
        let owner = self.traced_owner(space)?;
        owner.map_or(Ok(()), |owner| self.distrust(owner))
    }

    /// A queue item of a mesh object was carried out, as it was planned or not quite.
    pub(super) fn end_item(&self, mesh: MeshId, is_news: bool) -> Outcome<()> {
        if is_news {
            return self.distrust(mesh.0);
        }
        self.conn
            .prepare_cached("UPDATE trace SET open = open - 1 WHERE mesh = ?1 AND open > 0")?
            .execute([mesh.0])?;
        Ok(())
    }

    pub(super) fn forget_trace(&self, mesh: i64) -> Outcome<()> {
        self.conn.prepare_cached("DELETE FROM trace WHERE mesh = ?1")?.execute([mesh])?;
        self.conn.prepare_cached("DELETE FROM trace_news WHERE mesh = ?1")?.execute([mesh])?;
        Ok(())
    }

    /// Keeps what a plan remembers; the wakes of objects that are traced from now on.
    pub(super) fn keep_traces(&self, traces: &[TraceWrite], dropped: &[MeshId]) -> Outcome<u64> {
        let mut again = Vec::new();
        for write in traces {
            let mesh = write.mesh.0;
            let shape = write.shape.filter(|_| !dropped.contains(&write.mesh)).map(|shape| shape.0);
            let known = self
                .conn
                .prepare_cached(
                    "UPDATE trace SET rules = ?2, shape = ?3, \
                     open = (SELECT count(*) FROM export_item WHERE mesh = ?1) WHERE mesh = ?1",
                )?
                .execute(params![mesh, write.rules, shape])?;
            if known == 1 {
                self.conn
                    .prepare_cached("DELETE FROM trace_news WHERE mesh = ?1 AND seq <= ?2")?
                    .execute([mesh, write.upto])?;
                continue;
            }
            let begun = self
                .conn
                .prepare_cached(
                    "INSERT INTO trace (mesh, rules, shape, open) SELECT id, ?2, NULL, 0 FROM mesh_object WHERE id = ?1",
                )?
                .execute(params![mesh, write.rules])?;
            if begun == 1 {
                self.state.traced.replace(None);
                again.push(write.mesh);
            }
        }
        self.wake(again.into_iter().map(|mesh| (Todo::Mesh(mesh), None)))
    }
}
