//! Parts of a plan that are handed to the store and not yet durable.
//!
//! Planning goes on meanwhile. What it may not do is read state that such a part changes; everything of that kind is
//! remembered here, and a question that touches it waits until the store has answered. Whom a management-space object
//! belongs to is asked for every reference, so that is answered from memory instead.

use std::collections::{HashMap, HashSet, VecDeque};

use identitymesh_model::plan::{IndexKey, LinkChange, Plan};
use identitymesh_model::{ConnectorId, MeshId, SpaceId, Uid};
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
    /// Public ids of mesh objects whose links change.
    relinked: HashSet<Uid>,
    keys: HashSet<IndexKey>,
    /// Whose a management-space object is from then on; `None` for nobody's.
    spaces: HashMap<SpaceId, Option<Uid>>,
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

    pub(super) fn touches_spaces(&self, ids: &[SpaceId]) -> bool {
        self.any(|touched| ids.iter().any(|id| touched.spaces.contains_key(id)))
    }

    pub(super) fn touches_links_of(&self, uids: &[Uid]) -> bool {
        self.any(|touched| uids.iter().any(|uid| touched.relinked.contains(uid)))
    }

    /// Whose the object is once everything on its way is written; `None` when nothing on its way says.
    pub(super) fn owner(&self, space: SpaceId) -> Option<Option<Uid>> {
        self.parts.iter().rev().find_map(|part| part.touched.spaces.get(&space).copied())
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
            if !object.links.is_empty() {
                touched.relinked.insert(object.uid);
            }
        }
        // Links that end come before links that begin: an object may change hands within one plan.
        let links =
            || plan.objects.iter().flat_map(|object| object.links.iter().map(|link| (object.uid, link)));
        for (_, link) in links() {
            if let LinkChange::Remove { space, .. } = link {
                touched.spaces.insert(*space, None);
            }
        }
        for (uid, link) in links() {
            if let LinkChange::Add { space, .. } = link {
                touched.spaces.insert(*space, Some(uid));
            }
        }
        let purged = plan.spaces.iter().filter(|space| space.purge);
        touched.spaces.extend(purged.map(|space| (space.space, None)));
        Self(touched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identitymesh_model::plan::{ObjectPlan, Reason};
    use identitymesh_model::{LinkMode, Name, RuleId};

    fn object(id: i64, uid: Uid, links: Vec<LinkChange>) -> ObjectPlan {
        ObjectPlan {
            id: MeshId(id),
            uid,
            mesh_type: Name::literal("user"),
            anchor: "a".into(),
            change: None,
            links,
            keys: Vec::new(),
            edges: Vec::new(),
            items: Vec::new(),
            cancelled: Vec::new(),
            leaving: Vec::new(),
            names: Vec::new(),
            reason: Reason { text: String::new(), rule: RuleId(0) },
        }
    }

    #[test]
    fn the_newest_part_on_its_way_says_whose_an_object_is() {
        let uid = |tail: u8| format!("018f0000-0000-7000-8000-0000000000{tail:02x}").parse::<Uid>().unwrap();
        let add = |space| LinkChange::Add {
            space: SpaceId(space),
            rule: RuleId(1),
            mode: LinkMode::Joined,
            matched: String::new(),
            score: None,
        };
        let remove = |space| LinkChange::Remove { space: SpaceId(space), purge: false };
        let plan = |objects| Plan { objects, ..Plan::default() };
        let mut in_flight = InFlight::default();
        // Changes hands within one plan, whichever object comes first.
        let first = plan(vec![object(1, uid(1), vec![add(7)]), object(2, uid(2), vec![remove(7), add(8)])]);
        let second = plan(vec![object(2, uid(2), vec![remove(8)])]);
        let (_first, ticket) = Ticket::new();
        in_flight.push(ticket, PlanTouch::of(&first), None).unwrap();
        let (_second, ticket) = Ticket::new();
        in_flight.push(ticket, PlanTouch::of(&second), None).unwrap();
        assert_eq!(in_flight.owner(SpaceId(7)), Some(Some(uid(1))));
        assert_eq!(in_flight.owner(SpaceId(8)), Some(None));
        assert_eq!(in_flight.owner(SpaceId(9)), None);
        assert!(
            in_flight.touches_spaces(&[SpaceId(9), SpaceId(8)]) && !in_flight.touches_spaces(&[SpaceId(9)])
        );
        assert!(in_flight.touches_links_of(&[uid(2)]) && !in_flight.touches_links_of(&[uid(3)]));
    }
}
