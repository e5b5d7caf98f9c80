//! Exports: the queue, to a simulated system, wave by wave.
//!
//! All due items are leased first, which is the intent to send them; then they are sent and settled one after the
//! other. An export that is stopped gives back what it has not sent; one that is killed leaves its intents open, and
//! the next asks the system about each of them before it sends it again.

use std::collections::BTreeSet;
use std::convert::Infallible;

use identitymesh_engine::export::{KnownAddresses, addressed, pending};
use identitymesh_model::plan::{ItemAction, Operation};
use identitymesh_model::{ConnectorId, ItemId, Uid};

use super::state::Item;
use super::{World, WorldNames};

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The mesh object, in words.
    pub whose: String,
    /// What was to be done.
    pub operation: Operation,
    /// What became of it, in words.
    pub what: String,
}

impl World {
    /// Sends what is due, each item once; items that refer to objects which this export creates come after those.
    /// With `stop_after` set it is stopped, or with `is_killed` ends without a word, after that many items.
    pub fn export(&mut self, connector: ConnectorId, is_killed: bool) -> Vec<Exported> {
        let mut told = Vec::new();
        let mut due = self.lease(connector);
        while !due.is_empty() {
            let (wave, later) = self.wave(due);
            due = later;
            for (at, id) in wave.iter().enumerate() {
                if self.is_stopped() {
                    if !is_killed {
                        due.extend(&wave[at..]);
                        self.give_back(&due);
                    }
                    return told;
                }
                told.extend(self.send(*id));
            }
        }
        told
    }

    /// Takes what is due. Whoever sees an item from now on has to reckon with its having been sent.
    fn lease(&mut self, connector: ConnectorId) -> Vec<ItemId> {
        let now = self.now;
        let due = self.state.items.iter_mut().filter(|(_, item)| {
            item.connector == connector && item.dead.is_none() && item.not_before.is_none_or(|at| at <= now)
        });
        due.map(|(id, item)| {
            item.unsettled = item.in_flight;
            (item.in_flight, item.attempts) = (true, item.attempts + 1);
            *id
        })
        .collect()
    }

    /// What was leased and not sent goes back; it was no attempt.
    fn give_back(&mut self, items: &[ItemId]) {
        for id in items {
            if let Some(item) = self.state.items.get_mut(id) {
                (item.in_flight, item.attempts) = (item.unsettled, item.attempts - 1);
            }
        }
    }

    /// The items that wait for no other of these, and the rest.
    fn wave(&self, due: Vec<ItemId>) -> (Vec<ItemId>, Vec<ItemId>) {
        let items = due.iter().filter_map(|id| self.state.items.get(id));
        let creates = items.filter(|item| matches!(item.action, ItemAction::Create { .. }));
        let coming: BTreeSet<Uid> = creates.map(|item| item.uid).collect();
        let is_ready = |id: &ItemId| self.state.items.get(id).is_some_and(|item| !self.waits(item, &coming));
        let (mut wave, mut later): (Vec<ItemId>, Vec<ItemId>) = due.into_iter().partition(is_ready);
        if wave.is_empty() {
            // They refer to each other in a circle: the first that makes one goes without its references.
            let makes = |id: &ItemId| self.state.items.get(id).is_some_and(|item| coming.contains(&item.uid));
            wave.push(later.remove(later.iter().position(makes).unwrap_or(0)));
        }
        (wave, later)
    }

    fn waits(&self, item: &Item, coming: &BTreeSet<Uid>) -> bool {
        // What is made is there before anything is deleted.
        if matches!(item.action, ItemAction::Delete { .. }) {
            return !coming.is_empty();
        }
        let known = self.known(item);
        pending(&item.action).iter().any(|uid| !known.holds(uid) && coming.contains(uid) && *uid != item.uid)
    }

    fn known(&self, item: &Item) -> KnownAddresses {
        let address = self.address(item.connector, item.object_type);
        let known = KnownAddresses::of([&item.action].into_iter(), |by, uids| {
            let of = |uid: &Uid| self.state.address_of(item.connector, by.or(address), *uid);
            Ok::<_, Infallible>(uids.iter().map(of).collect())
        });
        known.unwrap_or_else(|never| match never {})
    }

    fn send(&mut self, id: ItemId) -> Option<Exported> {
        let item = self.state.items.get(&id)?.clone();
        let (action, waits) = addressed(&item.action, &self.known(&item));
        let whose = WorldNames(self).mesh_called(item.mesh);
        let operation = item.operation;
        let what = self.deliver(id, &item, &action, waits);
        Some(Exported { whose, operation, what })
    }
}
