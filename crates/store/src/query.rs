//! What people ask a store: lists, counts, history.

use identitymesh_model::plan::{ItemAction, Note, Operation};
use identitymesh_model::{
    ConnectorId, ContentHash, HoldId, ItemId, MeshId, MeshState, Name, RuleId, RunId, SpaceId, Text,
    Timestamp, Uid,
};
use serde::{Deserialize, Serialize};

use crate::CoverageGap;
use crate::audit::ChangeKind;

/// A part of a list, and where the next part starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T, K> {
    /// The rows.
    pub items: Vec<T>,
    /// The last row's key, when there may be more.
    pub next: Option<K>,
}

/// Which mesh objects to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeshFilter {
    /// Of this type.
    pub mesh_type: Option<Name>,
    /// With this text somewhere in the document or anchor, whatever its case.
    pub contains: Option<String>,
}

/// A mesh object in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshRow {
    /// Its id.
    pub id: MeshId,
    /// Its public id.
    pub uid: Uid,
    /// Its type.
    pub mesh_type: Name,
    /// Its anchor.
    pub anchor: Text,
    /// Whether it is alive.
    pub state: MeshState,
    /// Its canonical document, without multi-valued references.
    pub doc: String,
}

/// Which management-space objects to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpaceFilter {
    /// Of this connector.
    pub connector: Option<ConnectorId>,
    /// Of this type.
    pub object_type: Option<Name>,
    /// With or without a mesh object.
    pub linked: Option<bool>,
    /// Whether what was exported waits to be seen by an import.
    pub unconfirmed: Option<bool>,
}

/// A management-space object in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceRow {
    /// Its id.
    pub id: SpaceId,
    /// Its public id.
    pub uid: Uid,
    /// Its connector.
    pub connector: ConnectorId,
    /// Its type.
    pub object_type: Name,
    /// Its external id.
    pub external_id: Text,
    /// Its mesh object.
    pub mesh: Option<MeshId>,
    /// It is marked as gone.
    pub deleted: bool,
    /// It was exported and not yet seen by an import.
    pub unconfirmed: bool,
    /// Why it has no mesh object.
    pub note: Option<Note>,
}

/// A change as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeRecord {
    /// Its place in the chain, from 1.
    pub seq: i64,
    /// The mesh object.
    pub mesh: MeshId,
    /// Its public id.
    pub uid: Uid,
    /// The run.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What kind of change.
    pub kind: ChangeKind,
    /// For exports and drift: the target.
    pub connector: Option<ConnectorId>,
    /// The reverse change as JSON text.
    pub before: String,
    /// The content hash after the change.
    pub after: Option<ContentHash>,
    /// The leaf hash as stored; it differs from the row's own after an erasure.
    pub leaf: [u8; 32],
    /// The chain value as stored.
    pub chain: [u8; 32],
}

/// Which queue items to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemFilter {
    /// Of this target.
    pub connector: Option<ConnectorId>,
    /// In this state.
    pub state: Option<ItemState>,
    /// Of this mesh object.
    pub mesh: Option<MeshId>,
}

/// The states of a live queue item. What was exported or replaced is history, not queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// It waits to be sent.
    Pending,
    /// It is being sent.
    Leased,
    /// It waits to be sent again.
    RetryWait,
    /// The mass-change guard holds it, or somebody rejected it.
    Held,
    /// Refused for good or tried too often.
    Dead,
}

impl ItemState {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Leased => "leased",
            Self::RetryWait => "retry_wait",
            Self::Held => "held",
            Self::Dead => "dead",
        }
    }
}

/// A queue item in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemRow {
    /// Its id.
    pub id: ItemId,
    /// Its target.
    pub connector: ConnectorId,
    /// Its mesh object.
    pub mesh: MeshId,
    /// The projection rule.
    pub rule: RuleId,
    /// As people count it.
    pub operation: Operation,
    /// Its state.
    pub state: ItemState,
    /// How often it was sent.
    pub attempts: u32,
    /// Not before.
    pub not_before: Option<Timestamp>,
    /// Why it exists.
    pub reason: String,
    /// What the target last said.
    pub answer: Option<String>,
    /// The hold that covers it, whatever was decided there.
    pub hold: Option<HoldId>,
    /// Somebody rejected it.
    pub rejected: bool,
    /// What to do.
    pub action: ItemAction,
}

/// Counts for an overview.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Mesh objects that are alive, by type.
    pub mesh: Vec<(Name, u64)>,
    /// Management spaces.
    pub spaces: Vec<ConnectorCount>,
    /// Live queue items.
    pub items: Vec<ItemCount>,
    /// Entries of the to-do list.
    pub todos: u64,
    /// Rows of the audit.
    pub changes: u64,
}

/// What the last read that was to show everything of one object type proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CoverageRow {
    /// The connector.
    #[serde(skip)]
    pub connector: ConnectorId,
    /// The type.
    pub object_type: Name,
    /// The import that read it.
    pub run: RunId,
    /// What is not proved; `None` when deletes are seen.
    pub unseen: Option<DeletesUnseen>,
}

/// Since when deletes of an object type are unseen, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeletesUnseen {
    /// The first import since the last proof that did not prove it.
    pub since_run: RunId,
    /// When that import began.
    pub since: Timestamp,
    /// What the last import said.
    #[serde(flatten)]
    pub gap: CoverageGap,
}

/// The objects of one connector and type.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorCount {
    /// The connector.
    pub connector: ConnectorId,
    /// The type.
    pub object_type: Name,
    /// Objects that are there.
    pub present: u64,
    /// Of these, with a mesh object.
    pub linked: u64,
}

/// The live items of one target, operation and state.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemCount {
    /// The target.
    pub connector: ConnectorId,
    /// The operation.
    pub operation: Operation,
    /// The state.
    pub state: ItemState,
    /// How many.
    pub count: u64,
}
