//! State as the engine sees it: objects with their links, queue items and leave states.
//!
//! Records are what a store keeps, after reading: references stand in the documents again although a store keeps
//! sets of them as edges.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::plan::ItemAction;
use crate::{
    ConnectorId, ContentHash, ItemId, MeshId, Name, Object, Provenance, RuleId, SpaceId, Text, Timestamp,
    Uid, Values,
};

/// An object as a connector last saw it, or as it was last exported.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceRecord {
    /// Its id in the store.
    pub id: SpaceId,
    /// Whose object it is.
    pub connector: ConnectorId,
    /// Its type in the connected system.
    pub object_type: Name,
    /// Its external id.
    pub external_id: Text,
    /// Its attributes; references hold the system's own addresses.
    pub doc: Object,
    /// It is gone in the connected system, and the next sync takes it out of the mesh.
    pub deleted: bool,
    /// It was exported and no import has shown it since.
    pub unconfirmed: bool,
    /// The attributes that were last exported; their values stand in `doc` unless `drift` has them.
    pub exported: Arc<[Name]>,
    /// What was last exported, where the system now says otherwise; `None` when it was exported as absent. An entry
    /// that `doc` agrees with was written over a foreign change and has to be kept by the system yet; one that
    /// `exported` does not name was not kept.
    pub drift: Vec<(Name, Option<Values>)>,
    /// Its mesh object.
    pub link: Option<Link>,
}

impl SpaceRecord {
    /// Whether `name` was written over a foreign change, and no import has shown since whether that lasts.
    #[must_use]
    pub fn is_rewritten(&self, name: Name) -> bool {
        let written = self.drift.iter().find(|(drifted, _)| *drifted == name);
        self.unconfirmed && written.is_some_and(|(_, written)| written.as_ref() == self.doc.get(name))
    }

    /// Whether the system did not keep what was written to `name` even when it was written again.
    #[must_use]
    pub fn is_undone(&self, name: Name) -> bool {
        !self.exported.contains(&name) && self.drift.iter().any(|(drifted, _)| *drifted == name)
    }

    /// What was last exported to `name`: outer `None` when the attribute never was.
    #[must_use]
    pub fn snapshot(&self, name: Name) -> Option<Option<&Values>> {
        if !self.exported.contains(&name) {
            return None;
        }
        match self.drift.iter().find(|(drifted, _)| *drifted == name) {
            Some((_, exported)) => Some(exported.as_ref()),
            None => Some(self.doc.get(name)),
        }
    }
}

/// Why a management-space object belongs to a mesh object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The mesh object.
    pub mesh: MeshId,
    /// The rule that linked them; rule 0 for a manual link.
    pub rule: RuleId,
    /// How it came about.
    pub mode: LinkMode,
    /// For a fuzzy join: 0 to 100.
    pub score: Option<u8>,
}

/// What people decided about a management-space object and a mesh object, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ruling {
    /// The mesh object.
    pub mesh: MeshId,
    /// The two belong together; else no rule may ever link them.
    pub belongs: bool,
}

/// How a link came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkMode {
    /// A join rule found the mesh object.
    Joined,
    /// A create rule made the mesh object from this object.
    Created,
    /// This product made the object in the target.
    Projected,
    /// An export was to make the object and found it in the target as wanted: somebody else had made it.
    Adopted,
    /// An operator linked them.
    Manual,
}

impl LinkMode {
    /// Whether an export linked them: no join rule and nobody by hand.
    #[must_use]
    pub const fn is_by_export(self) -> bool {
        matches!(self, Self::Projected | Self::Adopted)
    }
}

/// The link that a management-space object without one had last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormerLink {
    /// The link as it was.
    pub link: Link,
    /// When it ended.
    pub ended: Timestamp,
}

/// A mesh object.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshRecord {
    /// Its id in the store.
    pub id: MeshId,
    /// Its public id.
    pub uid: Uid,
    /// Its type.
    pub mesh_type: Name,
    /// Its anchor.
    pub anchor: Text,
    /// Counts its changes from 1.
    pub version: i64,
    /// Its resolved attributes; references hold public ids of mesh objects.
    pub doc: Object,
    /// Where the attributes come from, in the order of `doc`.
    pub provenance: Provenance,
    /// Whether it is alive.
    pub state: MeshState,
}

/// A mesh object alone, without what is around it: what a fuzzy join compares.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshCard {
    /// Its type.
    pub mesh_type: Name,
    /// Whether it is alive.
    pub state: MeshState,
    /// Its resolved attributes; sets of references may be missing.
    pub doc: Object,
}

/// Whether a mesh object is alive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeshState {
    /// It is.
    #[default]
    Active,
    /// Its sources are gone. Its attributes stay as they were, it is in no projection's scope, and within the grace
    /// period a returning source object brings it back.
    Leaving {
        /// Since when.
        since: Timestamp,
    },
    /// The grace period is over. It only exists until its targets are done with it.
    Deleted {
        /// When it left.
        since: Timestamp,
    },
}

/// A mesh object with everything that a plan for it has to know.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshView {
    /// The object.
    pub record: MeshRecord,
    /// All management-space objects linked to it, sources and targets, in the order of their ids.
    pub linked: Vec<SpaceRecord>,
    /// Its live queue items.
    pub items: Vec<ItemRecord>,
    /// Targets that it is leaving.
    pub leaving: Vec<LeaveRecord>,
    /// What is remembered of its large sets of references, where it has such.
    pub trace: Option<Trace>,
}

/// What is remembered of a mesh object with large sets of references since it was last looked at, so that only the
/// members in question have to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Under what circumstances its sets were last looked at as a whole; `None` when they have to be again.
    pub shape: Option<ContentHash>,
    /// The newest entry of what happened since that this view takes in.
    pub upto: i64,
    /// The members, in order, of whom this view shows everything, in the mesh object and in all objects linked to it,
    /// where it leaves others out; `None` when it shows all.
    pub shown: Option<Vec<Uid>>,
}

/// A live item of the export queue.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemRecord {
    /// Its id in the store.
    pub id: ItemId,
    /// The target.
    pub connector: ConnectorId,
    /// The projection rule that wants it.
    pub rule: RuleId,
    /// What to do.
    pub action: ItemAction,
    /// It has been sent, or may have been; a newer plan has to wait for the answer.
    pub in_flight: bool,
    /// It was refused for good or failed too often; a plan that differs replaces it.
    pub dead: bool,
    /// A person asked for it: no plan replaces it while it may still be sent.
    pub by_hand: bool,
}

/// How far a mesh object is on its way out of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaveRecord {
    /// The target.
    pub connector: ConnectorId,
    /// The projection rule whose policy applies.
    pub rule: RuleId,
    /// When it left the rule's scope.
    pub since: Timestamp,
    /// How many steps of the policy have been planned.
    pub steps: u16,
}
