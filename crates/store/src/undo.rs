//! Undo: queue items that lead back, and what must not simply be done again.
//!
//! An item of an undo is asked for by a person. A sync leaves it alone until it is sent, refused or rejected; then the
//! mesh object is looked at again. What the rules would do next is rejected beforehand, so that it is not done again
//! until it is another change: when what it comes from has changed.

use identitymesh_model::plan::{IndexKey, ItemAction, Operation};
use identitymesh_model::{ConnectorId, ContentHash, HoldId, MeshId, Name, RuleId, SpaceId, Uid};

use crate::Cause;

/// What leads back in one target, written in one transaction.
#[derive(Clone, Debug)]
pub struct UndoBatch {
    /// The run and who started it.
    pub cause: Cause,
    /// The target.
    pub connector: ConnectorId,
    /// One item for each mesh object.
    pub items: Vec<UndoItem>,
    /// What is undone, and why: `run 17: the file was cut`.
    pub reason: String,
}

/// What leads back for one mesh object.
#[derive(Clone, Debug, PartialEq)]
pub struct UndoItem {
    /// The mesh object.
    pub mesh: MeshId,
    /// Its public id.
    pub uid: Uid,
    /// The projection rule.
    pub rule: RuleId,
    /// The target's object type.
    pub object_type: Name,
    /// As people count it.
    pub operation: Operation,
    /// What to do.
    pub action: ItemAction,
    /// The object that it was planned from, with the hash of its content; `None` where there was none. Where that is
    /// not so any more the item is left out.
    pub seen: Option<(SpaceId, ContentHash)>,
    /// Names that it brings back and that nobody else may have. Where somebody has one, the item is left out.
    pub names: Vec<IndexKey>,
    /// What the rules would do next.
    pub next: Option<UndoNext>,
}

/// A change that is rejected beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoNext {
    /// The target's object type.
    pub object_type: Name,
    /// As people count it.
    pub operation: Operation,
    /// What would be done, as stored.
    pub action: String,
    /// Its content, as [`crate::item_hash`] has it.
    pub hash: ContentHash,
}

/// What became of an undo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoReceipt {
    /// Items that are queued.
    pub queued: u64,
    /// Mesh objects that moved since, so that nothing was done for them.
    pub moved: Vec<MeshId>,
    /// The holds that keep what was undone from being done again.
    pub holds: Vec<HoldId>,
}
