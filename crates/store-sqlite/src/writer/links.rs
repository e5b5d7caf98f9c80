//! Links, join keys, edges, leave states and names of mesh objects.

use identitymesh_model::plan::{IndexKey, LeavePlan, LinkChange, MeshChange, ObjectPlan};
use identitymesh_model::{ConnectorId, LinkMode, MeshId, RuleId, SpaceId, Uid};
use identitymesh_store::{Cause, Todo};
use rusqlite::params;

use crate::codec::{OF_MESH, mode_number, uid_bytes};
use crate::fault::{Outcome, conflict};

use super::body::Age;
use super::tx::{Tx, unique};

impl Tx<'_> {
    /// Ends links, then begins links, so that an object may change hands within one plan.
    pub(super) fn change_links(&mut self, objects: &[ObjectPlan], cause: &Cause) -> Outcome<u64> {
        let mut purged = Vec::new();
        let mut delete = self.conn.prepare_cached("DELETE FROM link WHERE space = ?1 AND mesh = ?2")?;
        for object in objects {
            for link in &object.links {
                if let LinkChange::Remove { space, purge } = link {
                    self.keep_unlink(cause, space.0)?;
                    if delete.execute([space.0, object.id.0])? == 0 {
                        return Err(not_linked(*space, object.id));
                    }
                    if *purge {
                        purged.push(space.0);
                    }
                }
            }
        }
        let may_wait = self.has_rows("space_note")? || self.has_rows("wait_key")?;
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO link (space, mesh, connector, type, rule, mode, matched, run, at, place, score) \
             SELECT id, ?2, connector, type, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM space_object WHERE id = ?1",
        )?;
        for object in objects {
            for link in &object.links {
                if let LinkChange::Add { space, rule, mode, matched, score } = link {
                    let added = insert.execute(params![
                        space.0,
                        object.id.0,
                        rule.0,
                        mode_number(*mode),
                        matched,
                        cause.run.0,
                        cause.at.as_micros(),
                        self.state.chain.seq,
                        score
                    ]);
                    let added = unique(added, "STO-013", || already_linked(*space))?;
                    if added == 0 {
                        return Err(gone(*space));
                    }
                    if may_wait {
                        self.forget_notes(space.0)?;
                    }
                }
            }
        }
        for space in purged {
            self.purge_space(space, cause)?;
        }
        self.wake_waiters_of_links(objects)
    }

    /// Whoever waits for an address of a mesh object in a target is looked at when an object there is linked.
    fn wake_waiters_of_links(&self, objects: &[ObjectPlan]) -> Outcome<u64> {
        if !self.has_rows("address_wait")? {
            return Ok(0);
        }
        let mut woken = 0;
        let mut connector = self.conn.prepare_cached("SELECT connector FROM link WHERE space = ?1")?;
        for object in objects {
            for link in &object.links {
                if let LinkChange::Add { space, .. } = link {
                    let connector = ConnectorId(connector.query_row([space.0], |row| row.get(0))?);
                    woken += self.wake_waiters(connector, &object.uid)?;
                }
            }
        }
        Ok(woken)
    }

    /// Puts those on the to-do list that wait for the address of `member` in a target.
    pub(super) fn wake_waiters(&self, connector: ConnectorId, member: &Uid) -> Outcome<u64> {
        let mut delete = self.conn.prepare_cached(
            "DELETE FROM address_wait WHERE connector = ?1 AND member = ?2 RETURNING owner",
        )?;
        let owners: Vec<i64> = delete
            .query_map(params![connector.0, uid_bytes(member)], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for owner in &owners {
            self.tell_member(*owner, member)?;
        }
        self.wake(owners.into_iter().map(|owner| (Todo::Mesh(MeshId(owner)), None)))
    }

    /// Links an object that this product made or found in a target; says whose it was before, if another's.
    pub(super) fn link_exported(
        &mut self,
        space: i64,
        target: (ConnectorId, i64),
        link: (MeshId, RuleId, LinkMode),
        cause: &Cause,
    ) -> Outcome<Option<MeshId>> {
        use rusqlite::OptionalExtension as _;
        let before: Option<i64> = self
            .conn
            .prepare_cached("SELECT mesh FROM link WHERE space = ?1")?
            .query_row([space], |row| row.get(0))
            .optional()?;
        if before == Some(link.0.0) {
            return Ok(None);
        }
        self.keep_unlink(cause, space)?;
        self.add_exported(space, target, link, cause)?;
        Ok(before.map(MeshId))
    }

    /// Links an object that this product made or found in a target.
    pub(super) fn add_exported(
        &self,
        space: i64,
        (connector, object_type): (ConnectorId, i64),
        (mesh, rule, mode): (MeshId, RuleId, LinkMode),
        cause: &Cause,
    ) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO link (space, mesh, connector, type, rule, mode, matched, run, at, place) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', ?7, ?8, ?9)",
            )?
            .execute([
                space,
                mesh.0,
                connector.0,
                object_type,
                rule.0,
                mode_number(mode),
                cause.run.0,
                cause.at.as_micros(),
                self.state.chain.seq,
            ])?;
        self.tell_linked(mesh.0)
    }

    pub(super) fn change_keys(&self, objects: &[ObjectPlan]) -> Outcome<()> {
        let mut added: Vec<(&IndexKey, i64)> = Vec::new();
        for object in objects {
            for change in &object.keys {
                if change.add {
                    added.push((&change.key, object.id.0));
                } else {
                    self.remove_key(object.id.0, &change.key)?;
                }
            }
        }
        // In the order of the index, whose keys come at random.
        added.sort_unstable();
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO join_index (idx, key, mesh) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?;
        for (key, mesh) in added {
            insert.execute(params![key.index, key.key.as_str(), mesh])?;
        }
        Ok(())
    }

    pub(super) fn change_edges(&mut self, objects: &[ObjectPlan]) -> Outcome<()> {
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO membership (owner, attribute, member) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?;
        let mut delete = self
            .conn
            .prepare_cached("DELETE FROM membership WHERE owner = ?1 AND attribute = ?2 AND member = ?3")?;
        for object in objects {
            for edge in &object.edges {
                let row = params![object.id.0, self.name_id(edge.attribute)?, uid_bytes(&edge.member)];
                if edge.add {
                    insert.execute(row)?
                } else {
                    delete.execute(row)?
                };
            }
        }
        Ok(())
    }

    pub(super) fn change_leaving(&self, objects: &[ObjectPlan]) -> Outcome<()> {
        for object in objects {
            for leave in &object.leaving {
                match leave {
                    LeavePlan::Set { connector, rule, since, steps } => self
                        .conn
                        .prepare_cached(
                            "INSERT OR REPLACE INTO leave (mesh, connector, rule, since, steps) \
                             VALUES (?1, ?2, ?3, ?4, ?5)",
                        )?
                        .execute(params![object.id.0, connector.0, rule.0, since.as_micros(), steps])?,
                    LeavePlan::Clear { connector } => self
                        .conn
                        .prepare_cached("DELETE FROM leave WHERE mesh = ?1 AND connector = ?2")?
                        .execute([object.id.0, connector.0])?,
                };
            }
        }
        Ok(())
    }

    pub(super) fn change_names(&self, objects: &[ObjectPlan]) -> Outcome<()> {
        for object in objects {
            let age = match object.change {
                Some(MeshChange::Create { .. }) => Age::New,
                Some(MeshChange::Purge { .. }) => continue,
                _ => Age::Known,
            };
            self.set_names(OF_MESH, object.id.0, &object.names, age)?;
        }
        Ok(())
    }
}

fn not_linked(space: SpaceId, mesh: MeshId) -> crate::fault::Fault {
    conflict(
        "STO-013",
        format!("management-space object {space} is not linked to mesh object {mesh} any more"),
    )
}

fn already_linked(space: SpaceId) -> String {
    format!("management-space object {space} is linked already")
}

fn gone(space: SpaceId) -> crate::fault::Fault {
    conflict("STO-013", format!("management-space object {space} is not there any more"))
}
