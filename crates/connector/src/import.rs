//! Imports: requests, pages, watermarks and the proof that a read was complete.

use identitymesh_model::{Name, Text};
use serde::{Deserialize, Serialize};

use crate::Change;

/// What to import.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// Everything, or what changed.
    pub mode: ImportMode,
    /// Which object types; each is a partition with a certificate of its own.
    pub object_types: Vec<Name>,
    /// How many objects a page should have at most; a kind may use fewer.
    pub page_size_max: usize,
}

/// Everything, or what changed since a watermark.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportMode {
    /// Every object of the types.
    Full,
    /// Only what changed.
    Delta {
        /// The newest watermark that was committed.
        since: Watermark,
    },
}

/// Where the next delta import starts: opaque to everybody but the kind that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// The version of the body's form, so that a newer program can refuse or read an older mark.
    pub version: u32,
    /// The mark itself, at most 64 KiB.
    pub body: String,
}

/// Where and how to follow.
#[derive(Clone, Debug)]
pub struct FollowRequest {
    /// The newest watermark that was committed.
    pub since: Watermark,
    /// Which object types.
    pub object_types: Vec<Name>,
    /// How many objects a page should have at most; a kind may use fewer.
    pub page_size_max: usize,
}

/// A bounded part of an import.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What changed, in the order in which it has to be applied.
    pub changes: Vec<Change>,
    /// Objects that the system named as there and unchanged, without showing them. In a delta they and the changes are
    /// all there is of a type, once its certificate comes; without one they say nothing.
    pub present: Vec<(Name, Text)>,
    /// Objects that could not be read, or not whole. They count as seen: what is malformed is not gone.
    pub findings: Vec<ObjectFinding>,
    /// Only where resuming from here can miss nothing.
    pub watermark: Option<Watermark>,
    /// Partitions that this page ends: in a full import each; in a delta those of which everything that is there was
    /// named, because the system could not say what is gone.
    pub certificates: Vec<Certificate>,
    /// For the progress bar.
    pub progress: Progress,
}

/// How far an import is, as far as the system can say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Units read so far, this page included.
    pub done: u64,
    /// Units in all. Both are of one kind, objects or bytes, whatever the system knows.
    pub total: Option<u64>,
}

/// One object that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectFinding {
    /// A stable code such as `FIL-007`.
    pub code: &'static str,
    /// Its type, where known.
    pub object_type: Option<Name>,
    /// Its external id, where known: then it still counts as seen.
    pub external_id: Option<Text>,
    /// Where in the source: a line, a DN.
    pub location: Option<String>,
    /// What is wrong, one sentence in lower case.
    pub message: String,
}

/// What a connector can prove about one partition at the end of a read that named everything there is of it.
///
/// Only a certificate without gaps lets the runner infer that what was not seen is gone (sync semantics, section 2).
/// The runner adds its own checks: no external id seen twice, not empty where it was not empty before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The object type.
    pub object_type: Name,
    /// Objects delivered, malformed ones and those named as present included.
    pub objects: u64,
    /// How many the system itself says there are.
    pub expected: Option<u64>,
    /// Reasons why this read does not prove absence: an unread part, an error that was passed over, a malformed
    /// object without an id. Empty when it does.
    pub gaps: Vec<String>,
}

impl Certificate {
    /// Whether absence may be inferred, as far as the connector can tell.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty() && self.expected.is_none_or(|expected| expected == self.objects)
    }
}
