//! Staging: writing what an import found different into a management space.

use identitymesh_model::plan::IndexKey;
use identitymesh_model::{ConnectorId, ContentHash, Finding, Name, SpaceId, Text};
use serde::Serialize;

use crate::audit::ChangeRow;
use crate::{Cause, Counters};

/// What is kept of a management-space object.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceBody {
    /// The hash of the whole object's canonical text, references included.
    pub hash: ContentHash,
    /// The canonical text without multi-valued references.
    pub doc: String,
    /// All references, single and multi-valued: attribute and the system's own address of the other object. The
    /// store keeps them as edges, and hands multi-valued ones back as part of the document.
    pub references: Vec<(Name, Text, ReferenceForm)>,
    /// Keys under which the object is found: its address, and attributes that have to be unique.
    pub names: Vec<IndexKey>,
}

/// Whether a reference stands in the document as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceForm {
    /// Single-valued: it does; the edge is there to be found from the other end.
    Single,
    /// One of a set: it does not.
    Set,
}

/// What was exported to an object, as stored beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExportedText {
    /// The attributes that were last exported, in order.
    pub names: Vec<Name>,
    /// The exported values where the system now says otherwise, as JSON (`null`: exported as absent); `None` when
    /// there is no drift.
    pub drift: Option<String>,
}

/// One page of an import, written in one transaction.
#[derive(Clone, Debug)]
pub struct StageBatch {
    /// The run and who started it.
    pub cause: Cause,
    /// The connector.
    pub connector: ConnectorId,
    /// New objects.
    pub inserts: Vec<StageInsert>,
    /// Known objects with other content.
    pub updates: Vec<StageUpdate>,
    /// Indexes by whose names references refer to objects: where one of those names comes or goes, whoever refers to
    /// it is looked at again.
    pub referred: Vec<i64>,
    /// Objects that are gone. They stay, marked, until a sync has taken them out of the mesh.
    pub deletes: Vec<SpaceId>,
    /// Where the next delta import starts, as JSON; committed with the page.
    pub watermark: Option<String>,
    /// Object types of which a read was to show everything and is at its end.
    pub covered: Vec<Covered>,
    /// Up to where references are in step with the names of what they mean, once this page is written.
    pub settled: Option<Moment>,
    /// What was wrong with single objects.
    pub findings: Vec<Finding>,
    /// What the run has counted up to here.
    pub counters: Counters,
}

/// A moment in the history of management-space objects: what was there by then, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The last change that is in the history, 0 for none.
    pub change: i64,
    /// The newest object.
    pub space: SpaceId,
}

/// The end of a read that was to show everything of one object type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The type.
    pub object_type: Name,
    /// Why it is not proved that everything was shown; `None` when it is.
    pub gap: Option<CoverageGap>,
}

/// Why a read did not prove that it showed everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CoverageGap {
    /// Objects that it did not show and that may be gone.
    pub missing: u64,
    /// The reason, in a sentence.
    pub why: String,
}

/// A new object.
#[derive(Clone, Debug, PartialEq)]
pub struct StageInsert {
    /// Its type.
    pub object_type: Name,
    /// Its external id.
    pub external_id: Text,
    /// Its content.
    pub body: SpaceBody,
}

/// A known object with other content, or one that came back.
#[derive(Clone, Debug, PartialEq)]
pub struct StageUpdate {
    /// Which object.
    pub id: SpaceId,
    /// Its content now.
    pub body: SpaceBody,
    /// What was exported to it, `None` to leave that as it is.
    pub exported: Option<ExportedText>,
    /// Whether a sync has to look at it.
    pub touch: bool,
    /// Whether the import showed the object. Where it only follows from something else, an object that waits for
    /// confirmation goes on waiting.
    pub shown: bool,
    /// For a target's object that somebody else changed: the row that says so.
    pub row: Option<ChangeRow>,
}

/// What became of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageReceipt {
    /// The ids of the new objects, in the order of `inserts`.
    pub inserted: Vec<SpaceId>,
}
