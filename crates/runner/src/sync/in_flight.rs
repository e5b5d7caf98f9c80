//! Parts of a plan that are handed to the store and not yet durable.
//!
//! Planning goes on meanwhile. What it may not do is read state that such a part changes; everything of that kind is
//! remembered here, and a question that touches it waits until the store has answered.

use std::collections::{HashSet, VecDeque};

use identitymesh_model::plan::{IndexKey, LinkChange, Plan};
use identitymesh_model::{MeshId, SpaceId};
use identitymesh_store::{StoreError, SyncReceipt, Ticket};

/// How many parts may be on their way: one being written, one waiting for its turn.
const PARTS_MAX: usize = 2;

/// Parts on their way.
#[derive(Default)]
pub(super) struct InFlight {
    parts: VecDeque<(Ticket<SyncReceipt>, Touched)>,
}

#[derive(Default)]
struct Touched {
    meshes: HashSet<MeshId>,
    keys: HashSet<IndexKey>,
    spaces: HashSet<SpaceId>,
    names: HashSet<IndexKey>,
}

impl InFlight {
    /// Remembers a part; waits for the oldest when there are too many.
    pub(super) fn push(&mut self, ticket: Ticket<SyncReceipt>, touched: PlanTouch) -> Result<(), StoreError> {
        self.parts.push_back((ticket, touched.0));
        while self.parts.len() > PARTS_MAX {
            self.wait_one()?;
        }
        Ok(())
    }

    fn wait_one(&mut self) -> Result<(), StoreError> {
        match self.parts.pop_front() {
            Some((ticket, _)) => ticket.wait().map(drop),
            None => Ok(()),
        }
    }

    /// Waits for all parts. Says whether there were any, so that readers know to look again.
    pub(super) fn drain(&mut self) -> Result<bool, StoreError> {
        let any = !self.parts.is_empty();
        while !self.parts.is_empty() {
            self.wait_one()?;
        }
        Ok(any)
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
        self.parts.iter().any(|(_, touched)| touches(touched))
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
