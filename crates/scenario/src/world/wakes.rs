//! Wakes of a plan: whose turn it is to be looked at again.

use identitymesh_model::plan::{Plan, Wake};
use identitymesh_model::{ConnectorId, MeshId, Text, Uid, Value, Values};

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
                    if let Some(space) = self.state.spaces.get(space) {
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
                    let waiting = self.state.spaces.values().filter(|space| space.waits.contains(key));
                    let ids: Vec<_> = waiting.map(|space| space.record.id).collect();
                    ids.into_iter().for_each(|id| self.state.wake(Todo::Space(id), None));
                }
                Wake::Address { connector, owner, member } => {
                    self.state.wait_for_address(*connector, *owner, *member);
                }
                _ => {}
            }
        }
        self.wake_referrers(&resolved);
        let holders = self.state.edges.iter().filter(|(_, _, member)| resolved.members.contains(member));
        let holders: Vec<MeshId> = holders.map(|(owner, _, _)| *owner).collect();
        holders.into_iter().for_each(|id| self.state.wake(Todo::Mesh(id), None));
    }

    fn wake_referrers(&mut self, resolved: &Resolved) {
        let mut todos = Vec::new();
        for space in self.state.spaces.values() {
            let record = &space.record;
            let is_tree = self.rules.connector(record.connector).is_some_and(|known| known.hierarchical());
            let values = record.doc.iter().flat_map(|(_, values)| Values::as_slice(values));
            let refers = values.filter_map(reference).any(|key| {
                let by_address = identitymesh_engine::key::address_key(is_tree, key);
                let leads = |(connector, address): &(ConnectorId, Text)| {
                    *connector == record.connector && (address == key || *address == by_address)
                };
                resolved.addresses.iter().any(leads)
            });
            let mesh = record.link.map(|link| link.mesh).filter(|mesh| !resolved.planned.contains(mesh));
            if refers {
                todos.extend(mesh.map(Todo::Mesh));
            }
        }
        todos.into_iter().for_each(|todo| self.state.wake(todo, None));
    }
}

const fn reference(value: &Value) -> Option<&Text> {
    match value {
        Value::Reference(key) => Some(key),
        _ => None,
    }
}

impl State {
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
