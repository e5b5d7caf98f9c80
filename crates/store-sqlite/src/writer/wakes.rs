//! Wakes of a plan: whose turn it is to be looked at again.
//!
//! A first load wakes the neighbours of every object, and has none. So each kind of wake first asks whether its
//! table has any row; what has to be known of objects that the plan removes is read before it is carried out.

use std::collections::{HashMap, HashSet};

use identitymesh_model::plan::{IndexKey, Plan, Wake};
use identitymesh_model::{ConnectorId, MeshId, SpaceId, Uid};
use identitymesh_store::Todo;
use rusqlite::{OptionalExtension as _, params};

use crate::codec::{OF_SPACE, SPACE_GONE, key_hash, uid, uid_bytes};
use crate::fault::Outcome;

use super::tx::Tx;

/// What was read before the plan was carried out.
#[derive(Default)]
pub(super) struct Resolved {
    /// Addresses by connector that referrers may hold.
    addresses: Vec<(i64, i64)>,
    /// Public ids that holders may hold.
    members: Vec<Uid>,
    /// Mesh objects of the plan, which saw what it changes.
    planned: HashSet<i64>,
}

impl Tx<'_> {
    pub(super) fn resolve_wakes(&mut self, plan: &Plan) -> Outcome<Resolved> {
        let mut resolved = Resolved::default();
        if self.has_rows("space_ref")? {
            let mut referred: HashMap<i64, bool> = HashMap::new();
            for wake in &plan.wakes {
                if let Wake::Referrers { space } = wake {
                    self.addresses_of(*space, &mut referred, &mut resolved.addresses)?;
                }
            }
            resolved.planned = plan.objects.iter().map(|object| object.id.0).collect();
        }
        let holders = || plan.wakes.iter().filter_map(holder_wake);
        let brings_edges = plan.objects.iter().any(|object| !object.edges.is_empty());
        if holders().next().is_some() && (brings_edges || self.has_rows("membership")?) {
            let planned: HashMap<MeshId, Uid> =
                plan.objects.iter().map(|object| (object.id, object.uid)).collect();
            for id in holders() {
                let known = match planned.get(&id) {
                    Some(uid) => Some(*uid),
                    None => self.uid_of(id)?,
                };
                resolved.members.extend(known);
            }
        }
        Ok(resolved)
    }

    /// The addresses of an object, unless nothing in its connector refers to anything.
    fn addresses_of(
        &self,
        space: SpaceId,
        referred: &mut HashMap<i64, bool>,
        out: &mut Vec<(i64, i64)>,
    ) -> Outcome<()> {
        let found: Option<(i64, String)> = self
            .conn
            .prepare_cached("SELECT connector, external_id FROM space_object WHERE id = ?1")?
            .query_row([space.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((connector, external_id)) = found else { return Ok(()) };
        let is_referred = match referred.get(&connector) {
            Some(known) => *known,
            None => {
                let mut any =
                    self.conn.prepare_cached("SELECT 1 FROM space_ref WHERE connector = ?1 LIMIT 1")?;
                let any = any.exists([connector])?;
                referred.insert(connector, any);
                any
            }
        };
        if is_referred {
            out.push((connector, key_hash(&external_id)));
            out.extend(self.names(OF_SPACE, space.0)?.iter().map(|name| (connector, key_hash(&name.key))));
        }
        Ok(())
    }

    pub(super) fn uid_of(&self, mesh: MeshId) -> Outcome<Option<Uid>> {
        let mut statement = self.conn.prepare_cached("SELECT uid FROM mesh_object WHERE id = ?1")?;
        Ok(statement.query_row([mesh.0], |row| uid(row, 0)).optional()?)
    }

    pub(super) fn carry_out_wakes(&mut self, wakes: &[Wake], resolved: Resolved) -> Outcome<u64> {
        let mut woken = self.wake(wakes.iter().filter_map(|wake| match wake {
            Wake::Mesh { id, at } => Some((Todo::Mesh(*id), *at)),
            _ => None,
        }))?;
        woken += self.wake_waiting(wakes)?;
        woken += self.wake_referrers(resolved.addresses, &resolved.planned)?;
        woken += self.wake_holders(&resolved.members)?;
        for wake in wakes {
            if let Wake::Address { connector, owner, member } = wake {
                woken += self.wait_for_address(*connector, *owner, member)?;
            }
        }
        Ok(woken)
    }

    fn wake_waiting(&self, wakes: &[Wake]) -> Outcome<u64> {
        if !self.has_rows("wait_key")? {
            return Ok(0);
        }
        let keys: HashSet<&IndexKey> = wakes.iter().filter_map(waiting_wake).collect();
        let mut statement =
            self.conn.prepare_cached("SELECT space FROM wait_key WHERE idx = ?1 AND key = ?2")?;
        let mut woken = 0;
        for key in keys {
            let spaces: Vec<i64> = statement
                .query_map(params![key.index, key.key.as_str()], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            woken += self.wake(spaces.into_iter().map(|space| (Todo::Space(SpaceId(space)), None)))?;
        }
        Ok(woken)
    }

    pub(super) fn wake_referrers(
        &self,
        mut addresses: Vec<(i64, i64)>,
        planned: &HashSet<i64>,
    ) -> Outcome<u64> {
        addresses.sort_unstable();
        addresses.dedup();
        let mut statement = self.conn.prepare_cached(
            "SELECT l.mesh FROM space_ref r INDEXED BY space_ref_key CROSS JOIN link l ON l.space = r.space \
             WHERE r.connector = ?1 AND r.key_hash = ?2",
        )?;
        let mut woken = 0;
        for (connector, hash) in addresses {
            let owners: Vec<i64> =
                statement.query_map([connector, hash], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            let mut others = Vec::with_capacity(owners.len());
            for owner in owners {
                // Of a traced object the plan may not have had this reference in sight.
                if !planned.contains(&owner) || self.is_traced(owner)? {
                    others.push(owner);
                }
            }
            woken += self.wake(others.into_iter().map(|owner| (Todo::Mesh(MeshId(owner)), None)))?;
        }
        Ok(woken)
    }

    pub(super) fn wake_holders(&self, members: &[Uid]) -> Outcome<u64> {
        let mut statement =
            self.conn.prepare_cached("SELECT DISTINCT owner FROM membership WHERE member = ?1")?;
        let mut woken = 0;
        for member in members {
            self.tell_holders(member)?;
            let owners: Vec<i64> = statement
                .query_map([uid_bytes(member)], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            woken += self.wake(owners.into_iter().map(|owner| (Todo::Mesh(MeshId(owner)), None)))?;
        }
        Ok(woken)
    }

    /// Remembers who waits. A member whose object was linked while the plan was made is there already, and its owner
    /// is looked at at once; nobody else would wake it.
    fn wait_for_address(&self, connector: ConnectorId, owner: MeshId, member: &Uid) -> Outcome<u64> {
        let mut there = self.conn.prepare_cached(
            "SELECT 1 FROM mesh_object m JOIN link l ON l.mesh = m.id JOIN space_object o ON o.id = l.space \
             WHERE m.uid = ?1 AND l.connector = ?2 AND o.flags & ?3 = 0",
        )?;
        if there.exists(params![uid_bytes(member), connector.0, SPACE_GONE])? {
            self.tell_member(owner.0, member)?;
            return self.wake([(Todo::Mesh(owner), None)]);
        }
        self.add_address_wait(connector, member, owner)?;
        Ok(0)
    }

    pub(super) fn add_address_wait(
        &self,
        connector: ConnectorId,
        member: &Uid,
        owner: MeshId,
    ) -> Outcome<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO address_wait (connector, member, owner) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?
            .execute(params![connector.0, uid_bytes(member), owner.0])?;
        Ok(())
    }

    /// As [`Tx::wait_for_address`], after an export.
    pub(super) fn wait_after_export(
        &self,
        connector: ConnectorId,
        owner: MeshId,
        members: &[Uid],
    ) -> Outcome<u64> {
        members
            .iter()
            .try_fold(0, |woken, member| Ok(woken + self.wait_for_address(connector, owner, member)?))
    }
}

const fn holder_wake(wake: &Wake) -> Option<MeshId> {
    match wake {
        Wake::Holders { id } => Some(*id),
        _ => None,
    }
}

const fn waiting_wake(wake: &Wake) -> Option<&IndexKey> {
    match wake {
        Wake::Waiting { key } => Some(key),
        _ => None,
    }
}
