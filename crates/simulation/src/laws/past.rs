//! *As it was at* a moment is as it was seen then: mesh objects, their links, and the objects of the systems.
//!
//! After each step some of what is there is taken down, and some of what was taken down earlier is read back from the
//! history. A moment counts with everything that happened at it, and a clock that was set back is taken at its word. So
//! what was seen at a time is forgotten when something happens at that time or an earlier one, and nothing is taken down
//! while something has happened that is yet to come.

use std::collections::BTreeMap;

use identitymesh_model::{MeshId, MeshState, Object, SpaceId, SpaceRecord, Text, Timestamp};
use identitymesh_store::past::{Cut, linked_at, mesh_at, space_at};
use identitymesh_store::{Reader, StoreError};

use super::store::Tables;
use super::{Verdict, broken, unreadable};

/// Of each kind, how many objects are taken down after a step.
const SEEN_COUNT: usize = 4;
/// How many moments are read back at the end of a life.
const MOMENTS_MAX: usize = 8;

/// What was seen, by time.
#[derive(Default)]
pub(crate) struct Past {
    moments: BTreeMap<Timestamp, Moment>,
    /// When something was written last, by the clock of that time.
    latest: Option<Timestamp>,
    turn: usize,
}

/// Some of what there was at a moment.
struct Moment {
    meshes: BTreeMap<MeshId, SeenMesh>,
    spaces: BTreeMap<SpaceId, SeenSpace>,
}

#[derive(Debug, PartialEq)]
struct SeenMesh {
    anchor: Text,
    state: MeshState,
    doc: Object,
    linked: Vec<SpaceId>,
}

#[derive(Debug, PartialEq)]
struct SeenSpace {
    external_id: Text,
    deleted: bool,
    doc: Object,
    mesh: Option<MeshId>,
}

impl From<SpaceRecord> for SeenSpace {
    fn from(record: SpaceRecord) -> Self {
        let SpaceRecord { external_id, deleted, doc, link, .. } = record;
        Self { external_id, deleted, doc, mesh: link.map(|link| link.mesh) }
    }
}

impl Past {
    pub(super) fn check(&mut self, reader: &mut dyn Reader, tables: &Tables, now: Timestamp) -> Verdict {
        self.turn += 1;
        // Whatever was seen at this time or later was not all that would be there.
        drop(self.moments.split_off(&now));
        if let Some((at, moment)) = self.moments.iter().nth(self.turn % self.moments.len().max(1)) {
            moment.is_still_known(reader, *at)?;
        }
        if self.latest.is_some_and(|latest| latest > now) {
            return Ok(());
        }
        self.latest = Some(now);
        let moment = Moment::see(reader, tables, self.turn).map_err(unreadable)?;
        // What was seen last is read back at once: what happens at a moment belongs to it.
        moment.is_still_known(reader, now)?;
        self.moments.insert(now, moment);
        Ok(())
    }

    pub(super) fn check_all(&self, reader: &mut dyn Reader) -> Verdict {
        let step = self.moments.len().div_ceil(MOMENTS_MAX).max(1);
        let mut moments = self.moments.iter().step_by(step);
        moments.try_for_each(|(at, moment)| moment.is_still_known(reader, *at))
    }
}

impl Moment {
    fn see(reader: &mut dyn Reader, tables: &Tables, turn: usize) -> Result<Self, StoreError> {
        let ids: Vec<MeshId> = some(&tables.meshes, turn).map(|row| row.id).collect();
        let meshes = reader.views(&ids)?.into_iter().flatten().map(|view| {
            let linked = view.linked.iter().map(|space| space.id).collect();
            let record = view.record;
            let seen = SeenMesh { anchor: record.anchor, state: record.state, doc: record.doc, linked };
            (record.id, seen)
        });
        let meshes = meshes.collect();
        let ids: Vec<SpaceId> = some(&tables.spaces, turn).map(|row| row.id).collect();
        let spaces = reader.spaces(&ids)?.into_iter().flatten().map(|space| (space.id, space.into()));
        Ok(Self { meshes, spaces: spaces.collect() })
    }

    fn is_still_known(&self, reader: &mut dyn Reader, at: Timestamp) -> Verdict {
        self.read_back(reader, at).map_err(unreadable)?
    }

    fn read_back(&self, reader: &mut dyn Reader, at: Timestamp) -> Result<Verdict, StoreError> {
        let cut = Cut::At(at);
        for (id, seen) in &self.meshes {
            let linked = linked_at(reader, *id, cut)?.into_iter().map(|space| space.id).collect();
            let told = mesh_at(reader, *id, cut)?.map(|past| {
                let (anchor, state, doc) = (past.anchor, past.state, past.doc);
                SeenMesh { anchor, state, doc, linked }
            });
            if told.as_ref() != Some(seen) {
                return Ok(other(at, seen, told));
            }
        }
        for (id, seen) in &self.spaces {
            let told = space_at(reader, *id, cut)?.map(SeenSpace::from);
            if told.as_ref() != Some(seen) {
                return Ok(other(at, seen, told));
            }
        }
        Ok(Ok(()))
    }
}

fn other<T: std::fmt::Debug>(at: Timestamp, seen: &T, told: Option<T>) -> Verdict {
    broken(
        "as it was is as it was seen",
        format_args!("at {at} it was {seen:?}, now it is said to have been {told:?}"),
    )
}

/// A few of many, others each time.
fn some<T>(all: &[T], turn: usize) -> impl Iterator<Item = &T> {
    let from = if all.is_empty() { 0 } else { turn * SEEN_COUNT % all.len() };
    all.iter().cycle().skip(from).take(SEEN_COUNT.min(all.len()))
}
