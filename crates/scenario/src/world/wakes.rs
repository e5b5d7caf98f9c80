//! Wakes of a plan: whose turn it is to be looked at again.

use identitymesh_model::plan::{Plan, Wake};
use identitymesh_model::{ConnectorId, MeshId, Text, Uid};

use super::state::Todo;
use super::{State, World};

/// What has to be known of objects that the plan may remove.
#[derive(Default)]
pub(super) struct Resolved {
    /// Addresses by connector that referrers may hold: external ids and keys of addresses.
    addresses: Vec<(ConnectorId, Text)>,
    /// Public ids that holders may hold.
    members: Vec<Uid>,
    /// Mesh objects of the plan, which saw what it changes.
    planned: Vec<MeshId>,
}

impl World {
    pub(super) fn resolve_wakes(&self, plan: &Plan) -> Resolved {
        let planned = plan.objects.iter().map(|object| object.id).collect();
        let mut resolved = Resolved { planned, ..Resolved::default() };
        for wake in &plan.wakes {
            match wake {
                Wake::Referrers { space } => {
                    if let Some(space) = self.state.space(*space) {
                        let connector = space.record.connector;
                        resolved.addresses.push((connector, space.record.external_id.clone()));
                        let keys = space.names.iter().map(|name| (connector, name.key.clone()));
                        resolved.addresses.extend(keys);
                    }
                }
                Wake::Holders { id } => {
                    let planned =
                        plan.objects.iter().find(|object| object.id == *id).map(|object| object.uid);
                    let known = self.state.mesh.get(id).map(|record| record.uid);
                    resolved.members.extend(planned.or(known));
                }
                _ => {}
            }
        }
        resolved
    }

    pub(super) fn carry_out_wakes(&mut self, wakes: &[Wake], resolved: Resolved) {
        for wake in wakes {
            match wake {
                Wake::Mesh { id, at } if self.state.mesh.contains_key(id) => {
                    self.state.wake(Todo::Mesh(*id), *at);
                }
                Wake::Waiting { key } => {
                    let ids: Vec<_> = self.state.index.waiting(key).collect();
                    ids.into_iter().for_each(|id| self.state.wake(Todo::Space(id), None));
                }
                Wake::Address { connector, owner, member } => {
                    self.state.wait_for_address(*connector, *owner, *member);
                }
                _ => {}
            }
        }
        for (connector, address) in &resolved.addresses {
            self.wake_referrers(*connector, address, &resolved.planned);
        }
        for member in resolved.members {
            self.state.wake_holders(member);
        }
    }

    /// Wakes who refers to `address`, but those of a plan that saw it. An object without a mesh object follows its
    /// references when it is linked.
    pub(super) fn wake_referrers(&mut self, connector: ConnectorId, address: &Text, planned: &[MeshId]) {
        let found = self.state.index.referrers(connector, address);
        let links = found.filter_map(|id| self.state.space(id)?.record.link);
        let todos: Vec<MeshId> = links.map(|link| link.mesh).filter(|mesh| !planned.contains(mesh)).collect();
        todos.into_iter().for_each(|mesh| self.state.wake(Todo::Mesh(mesh), None));
    }
}

impl State {
    /// Wakes those that refer to a mesh object.
    pub(super) fn wake_holders(&mut self, member: Uid) {
        let owners: Vec<MeshId> =
            self.holders.get(&member).into_iter().flatten().map(|(owner, _)| *owner).collect();
        owners.into_iter().for_each(|id| self.wake(Todo::Mesh(id), None));
    }

    /// Remembers who waits; a member that is there already wakes its owner at once.
    pub(super) fn wait_for_address(&mut self, connector: ConnectorId, owner: MeshId, member: Uid) {
        if self.address_of(connector, None, member).is_some() {
            self.wake(Todo::Mesh(owner), None);
        } else {
            self.address_waits.insert((connector, member, owner));
        }
    }

    /// Wakes those that wait for the address of `member` in a target.
    pub(super) fn wake_waiters(&mut self, connector: ConnectorId, member: Uid) {
        let (woken, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.address_waits)
            .into_iter()
            .partition(|(known, uid, _)| (*known, *uid) == (connector, member));
        self.address_waits = rest.into_iter().collect();
        woken.into_iter().for_each(|(_, _, owner)| self.wake(Todo::Mesh(owner), None));
    }
}
