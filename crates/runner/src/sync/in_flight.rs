//! Parts of a plan that are handed to the store and not yet durable.
//!
//! Planning goes on meanwhile. What it may not do is read state that such a part changes; everything of that kind is
//! remembered here, and a question that touches it waits until the store has answered.

use std::collections::{HashSet, VecDeque};

use identitymesh_model::plan::{IndexKey, LinkChange, Plan};
use identitymesh_model::{ConnectorId, MeshId, SpaceId};
use identitymesh_store::{Cursor, StoreError, SyncReceipt, Ticket};

/// How many parts may be on their way: one being written, one waiting for its turn.
const PARTS_MAX: usize = 2;

/// How far a sync has come with a connector's touched objects.
pub(super) type Place = (ConnectorId, Cursor);

/// Parts on their way.
#[derive(Default)]
pub(super) struct InFlight {
    parts: VecDeque<Part>,
    /// How far the sync has come by what is known to be written, where that is not written itself yet. A part that is
    /// still on its way may be lost, and the place must not move past it.
    place: Option<Place>,
    has_failed: bool,
}

struct Part {
    ticket: Ticket<SyncReceipt>,
    touched: Touched,
    place: Option<Place>,
}

#[derive(Default)]
struct Touched {
    meshes: HashSet<MeshId>,
    keys: HashSet<IndexKey>,
    spaces: HashSet<SpaceId>,
    names: HashSet<IndexKey>,
}

impl InFlight {
    /// What the next part may write as its place, given the place that it comes to itself; and what has to wait until
    /// that part is known to be written.
    pub(super) fn places(&mut self, own: Option<Place>) -> (Option<Place>, Option<Place>) {
        let known = self.place.take();
        if self.parts.is_empty() { (own.or(known), None) } else { (known, own) }
    }

    /// The place that waited for the last parts, to be written when all of them are.
    pub(super) const fn place(&mut self) -> Option<Place> {
        self.place.take()
    }

    /// Remembers a part; waits for the oldest when there are too many.
    pub(super) fn push(
        &mut self,
        ticket: Ticket<SyncReceipt>,
        touched: PlanTouch,
        place: Option<Place>,
    ) -> Result<(), StoreError> {
        self.parts.push_back(Part { ticket, touched: touched.0, place });
        while self.parts.len() > PARTS_MAX {
            self.wait_one()?;
        }
        Ok(())
    }

    fn wait_one(&mut self) -> Result<(), StoreError> {
        let Some(part) = self.parts.pop_front() else { return Ok(()) };
        let waited = part.ticket.wait().map(drop);
        self.has_failed |= waited.is_err();
        if !self.has_failed {
            self.place = part.place.or(self.place.take());
        }
        waited
    }

    /// Waits for all parts, also after one of them failed; the first failure says why. Says whether there were any, so
    /// that readers know to look again.
    pub(super) fn drain(&mut self) -> Result<bool, StoreError> {
        let any = !self.parts.is_empty();
        let mut outcome = Ok(any);
        while !self.parts.is_empty() {
            let waited = self.wait_one();
            outcome = outcome.and_then(|any| waited.map(|()| any));
        }
        outcome
    }

    pub(super) fn touches_keys(&self, keys: &[IndexKey]) -> bool {
        self.any(|touched| keys.iter().any(|key| touched.keys.contains(key)))
    }

    pub(super) fn touches_meshes(&self, ids: &[MeshId]) -> bool {
        self.any(|touched| ids.iter().any(|id| touched.meshes.contains(id)))
    }

    pub(super) fn touches_spaces(&self) -> bool {
        self.any(|touched| !touched.spaces.is_empty())
    }

    pub(super) fn touches_name(&self, key: &IndexKey) -> bool {
        self.any(|touched| touched.names.contains(key))
    }

    fn any(&self, touches: impl Fn(&Touched) -> bool) -> bool {
        self.parts.iter().any(|part| touches(&part.touched))
    }
}

/// What a plan will change, taken down before the plan is handed over.
pub(super) struct PlanTouch(Touched);

impl PlanTouch {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut touched = Touched::default();
        for object in &plan.objects {
            touched.meshes.insert(object.id);
            touched.keys.extend(object.keys.iter().map(|change| change.key.clone()));
            touched.names.extend(object.names.iter().cloned());
            touched.spaces.extend(object.links.iter().map(|link| match link {
                LinkChange::Add { space, .. } | LinkChange::Remove { space, .. } => *space,
            }));
        }
        touched.spaces.extend(plan.spaces.iter().filter(|space| space.purge).map(|space| space.space));
        Self(touched)
    }
}
