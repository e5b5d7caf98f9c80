//! What a store kept of the past beside the audit: management-space objects, links, and what is gone for good.
//!
//! A change is kept in reverse and in order; its `place` says how many rows the audit had when it was written, so that
//! both can be read as one history. What began keeps no row: its public id says when it began, its link when it was
//! linked.

use std::sync::Arc;

use identitymesh_model::{
    ConnectorId, Name, Object, PastLink, RunId, SpaceId, SpaceRecord, Text, Timestamp, Uid,
};
use serde::Serialize;

/// What changed a management-space object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpaceChangeKind {
    /// An import showed it otherwise, or did not show it any more.
    Import,
    /// Its system let its references follow others, and did not say so: it followed from what an import showed of those.
    Mended,
    /// We wrote to it.
    Export,
    /// Somebody decided that it is gone.
    Decision,
    /// Its link ended.
    Unlink,
    /// It went for good.
    Purge,
}

impl SpaceChangeKind {
    const ALL: [Self; 6] =
        [Self::Import, Self::Mended, Self::Export, Self::Decision, Self::Unlink, Self::Purge];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Mended => "mended",
            Self::Export => "export",
            Self::Decision => "decision",
            Self::Unlink => "unlink",
            Self::Purge => "purge",
        }
    }

    /// The kind that `word` names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A change of a management-space object as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceChange {
    /// Its place among all of them, from 1.
    pub seq: i64,
    /// How many rows the audit had.
    pub place: i64,
    /// The object.
    pub space: SpaceId,
    /// The run.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// What changed it.
    pub kind: SpaceChangeKind,
    /// What it was before: an [`identitymesh_model::SpaceBefore`] as text.
    pub before: String,
}

/// What a management-space object is or was, whatever became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceIdentity {
    /// Its id.
    pub id: SpaceId,
    /// Its public id.
    pub uid: Uid,
    /// Its connector.
    pub connector: ConnectorId,
    /// Its type.
    pub object_type: Name,
    /// Its external id, the last that it had.
    pub external_id: Text,
    /// It is not there any more.
    pub purged: bool,
}

impl SpaceIdentity {
    /// The object with nothing in it, from which what it was is put together.
    #[must_use]
    pub fn empty(&self) -> SpaceRecord {
        SpaceRecord {
            id: self.id,
            connector: self.connector,
            object_type: self.object_type,
            external_id: self.external_id.clone(),
            doc: Object::new(),
            deleted: false,
            unconfirmed: false,
            exported: Arc::from([]),
            drift: Vec::new(),
            link: None,
        }
    }
}

/// A link from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSpan {
    /// The management-space object.
    pub space: SpaceId,
    /// The link.
    pub link: PastLink,
    /// When it ended, `None` while it lasts.
    pub end: Option<LinkEnd>,
}

/// The end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkEnd {
    /// When.
    pub at: Timestamp,
    /// How many rows the audit had.
    pub place: i64,
    /// The run that ended it.
    pub run: RunId,
}
