//! A store in a few maps, as the sentence of the contract reads: what random histories are compared with.

use std::collections::{BTreeMap, BTreeSet};

/// What a queue item is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flight {
    Pending,
    Sent,
    Retry,
    Unknown,
    Dead,
}

/// Everything that a history can change.
#[derive(Clone, Debug, Default)]
pub(super) struct Reference {
    /// External id to content and whether it is gone; the source's objects.
    pub(super) spaces: BTreeMap<u8, (u8, bool)>,
    /// External id to mesh object.
    pub(super) links: BTreeMap<u8, u64>,
    /// Mesh object to version and content.
    pub(super) mesh: BTreeMap<u64, (i64, u8)>,
    /// Mesh object to the content of its item, how often it was sent, and how it is.
    pub(super) items: BTreeMap<u64, (u8, u32, Flight)>,
    /// Mesh objects to look at again.
    pub(super) todos: BTreeSet<u64>,
    /// Rows of the audit.
    pub(super) changes: i64,
}

impl Reference {
    /// A newer item takes the place of one that cannot have arrived, else its mesh object is looked at again.
    pub(super) fn enqueue(&mut self, mesh: u64, content: u8) {
        match self.items.get(&mesh) {
            Some((_, _, Flight::Sent | Flight::Unknown)) => {
                self.todos.insert(mesh);
            }
            _ => {
                self.items.insert(mesh, (content, 0, Flight::Pending));
            }
        }
    }

    /// All but dead and sent ones; their leases do not end within a history.
    pub(super) fn lease(&mut self) -> Vec<u64> {
        let due = |flight: Flight| !matches!(flight, Flight::Sent | Flight::Dead);
        let mut leased = Vec::new();
        for (mesh, (_, attempts, flight)) in &mut self.items {
            if due(*flight) {
                *flight = Flight::Sent;
                *attempts += 1;
                leased.push(*mesh);
            }
        }
        leased
    }
}
