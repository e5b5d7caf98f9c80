//! The export queue: leasing items before the effect, settling them after it.
//!
//! A lease writes one narrow *intent* for each item and is durable before anything is sent. Settling deletes item and
//! intent and writes the expected management-space object, in one transaction. An intent that is found open belongs
//! to an exporter that went away between the two: its item is leased again with `unsettled` set, and the exporter
//! asks the target what happened. A lease belongs to the run that took it: once another run has leased the item, what the
//! first has to say of it is refused (STO-017).

use identitymesh_model::plan::{ItemAction, Operation, Turn};
use identitymesh_model::{
    ConnectorId, Finding, ItemId, MeshId, Name, RuleId, SpaceId, SpaceRecord, Text, Timestamp, Uid,
};

use crate::audit::ChangeRow;
use crate::{Cause, Counters, ExportedText, SpaceBody};

/// Asks for items to send.
#[derive(Clone, Debug)]
pub struct LeaseRequest {
    /// The run and who started it; `at` is now.
    pub cause: Cause,
    /// The target.
    pub connector: ConnectorId,
    /// Only items of this turn.
    pub turn: Turn,
    /// Only items after this one, so that a run sees each item once.
    pub after: Option<ItemId>,
    /// Only items up to this one: what is newer was not counted by the guard.
    pub upto: Option<ItemId>,
    /// How many at most.
    pub limit: usize,
    /// When the lease ends by itself.
    pub until: Timestamp,
}

/// Leased items in the order in which they should be sent: by item id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lease {
    /// The items; fewer than asked for when no more are due.
    pub items: Vec<LeasedItem>,
}

/// One leased item.
#[derive(Clone, Debug, PartialEq)]
pub struct LeasedItem {
    /// Which item.
    pub id: ItemId,
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
    /// For updates and deletes: the management-space object, `None` when it is not there any more. For creates that are
    /// unsettled: the one that was linked since, by which the target can be asked.
    pub space: Option<SpaceRecord>,
    /// How often it has been sent before.
    pub attempts: u32,
    /// Sent before without a settled answer: the target must be asked first.
    pub unsettled: bool,
}

/// What became of leased items, written in one transaction.
#[derive(Clone, Debug)]
pub struct SettleBatch {
    /// The run and who started it.
    pub cause: Cause,
    /// The target.
    pub connector: ConnectorId,
    /// One entry for each item.
    pub settled: Vec<Settled>,
    /// What was wrong with single items.
    pub findings: Vec<Finding>,
    /// What the run has counted up to here.
    pub counters: Counters,
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// Which item.
    pub item: ItemId,
    /// Its mesh object.
    pub mesh: MeshId,
    /// What to write.
    pub what: Settle,
}

/// What to write for one item.
#[derive(Clone, Debug, PartialEq)]
pub enum Settle {
    /// Created in the target, or found there as wanted: the expected object begins, linked, unconfirmed. When a
    /// management-space object with this external id exists already it is updated and linked instead.
    Created {
        /// The projection rule.
        rule: RuleId,
        /// The new object.
        state: ExportedState,
        /// This product made it, now or in an earlier attempt.
        is_ours: bool,
        /// It owes a password from now on.
        owes_password: bool,
        /// The audit row.
        row: ChangeRow,
    },
    /// Changed in the target: the expected object is replaced.
    Updated {
        /// Which object.
        space: SpaceId,
        /// As it is now.
        state: ExportedState,
        /// The audit row.
        row: ChangeRow,
    },
    /// Gone from the target: object and link go.
    Deleted {
        /// Which object.
        space: SpaceId,
        /// The audit row.
        row: ChangeRow,
    },
    /// To be sent again, not before `not_before`; nothing is known to have happened.
    Retry {
        /// When.
        not_before: Timestamp,
        /// The system's words.
        reason: String,
    },
    /// Leased and never sent: it goes back as it was before the lease, due at once. It was no attempt.
    Returned {
        /// As the lease said: the target has to be asked about an earlier attempt.
        unsettled: bool,
        /// Why it was not sent.
        reason: String,
    },
    /// The answer was lost: the next lease says `unsettled`.
    Unknown {
        /// Not before.
        not_before: Timestamp,
        /// What happened.
        reason: String,
    },
    /// Refused for good, or tried too often: kept with its reason until retried by hand or replaced by a newer plan.
    Dead {
        /// A stable code.
        code: String,
        /// The system's words.
        reason: String,
    },
    /// Nothing was sent and nothing is wanted any more; the mesh object is looked at again.
    Dropped,
}

/// A target's object as it must be after an export.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportedState {
    /// Its type.
    pub object_type: Name,
    /// Its external id.
    pub external_id: Text,
    /// Its content.
    pub body: SpaceBody,
    /// The attributes that we wrote, earlier exports included; no drift is left on those of this export.
    pub exported: ExportedText,
    /// References that were left out because the other object is not there yet: the mesh object is looked at again
    /// when it is.
    pub waits_for: Vec<Uid>,
    /// The answer showed more than was written, such as values that the target gave by itself: the mesh object is
    /// looked at again, because the next import finds nothing new there.
    pub is_news: bool,
}

/// What became of settling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettleReceipt {
    /// How many entries the to-do list gained.
    pub woken: u64,
}
