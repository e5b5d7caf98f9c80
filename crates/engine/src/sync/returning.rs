//! Source objects that come back within their grace (sync semantics, section 7).
//!
//! What an object contributed went with it. Where its mesh object lived on, the keys that join rules look for may have
//! gone too, so no rule finds it any more. The past says whose the object was: within the grace of its type's leave rule
//! it belongs there again. Rules come first, and only who would be left without a mesh object is asked about.

use identitymesh_model::{Link, Ruling, SpaceRecord};

use super::join::Decider;
use super::neighbours::Neighbours;
use super::part::Part;
use super::probe::Probe;

impl<N: Neighbours> Part<'_, '_, N> {
    /// Reads whose the objects were that would be left without a mesh object; those mesh objects come to work.
    pub(super) fn read_former(&mut self, unlinked: &[SpaceRecord], probes: &[Probe]) -> Result<(), N::Error> {
        let asked: Vec<SpaceRecord> = unlinked
            .iter()
            .zip(probes)
            .filter(|(space, probe)| self.grace_seconds(space) > 0 && !self.may_create(space, probe))
            .map(|(space, _)| space.clone())
            .collect();
        if asked.is_empty() {
            return Ok(());
        }
        let found = self.neighbours.former(&asked)?;
        for (space, former) in asked.iter().zip(found) {
            let Some(former) = former else { continue };
            let end = former.ended.saturating_add_seconds(self.grace_seconds(space));
            if self.context.now < end {
                self.former.insert(space.id, former.link);
            }
        }
        self.load_missing(self.former.values().map(|link| link.mesh).collect())
    }

    /// How long an object of this type may be away; recomputed, so that a changed rule counts.
    fn grace_seconds(&self, space: &SpaceRecord) -> i64 {
        let object_type = self.rules.object_type(space.connector, space.object_type);
        object_type.and_then(|known| known.leave.as_ref()).map_or(0, |leave| leave.grace.as_seconds())
    }

    /// Whether a create rule could make a mesh object, because nobody has the anchor.
    fn may_create(&self, space: &SpaceRecord, probe: &Probe) -> bool {
        let object_type = self.rules.object_type(space.connector, space.object_type);
        let key = object_type.and_then(|object_type| probe.create_key(self.rules, object_type));
        key.is_some_and(|key| self.index.find(&key).is_empty())
    }
}

impl Decider<'_> {
    /// The link that an object comes back to: its mesh object is alive, has room for it, and nobody said that the two do
    /// not belong together.
    pub(super) fn returns_to(&self, space: &SpaceRecord) -> Option<Link> {
        let link = *self.former.get(&space.id)?;
        let never = Ruling { mesh: link.mesh, belongs: false };
        let is_barred = self.rulings.get(&space.id).is_some_and(|rulings| rulings.contains(&never));
        (self.is_alive(link.mesh) && !is_barred && !self.is_taken(link.mesh, space)).then_some(link)
    }
}
