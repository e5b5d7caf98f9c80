//! The contract between the product and whatever keeps its state.
//!
//! Ring 1. Calls block: a backend that talks to a network hides its own runtime. Reads are short consistent units;
//! each write is one transaction, durable when its ticket says so, and carries who did it and why. The shape of the
//! tables, and why it is so, is in `docs/storage.md`; every backend mirrors it and passes the conformance suite.

mod admin;
pub mod audit;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod export;
mod history;
mod hold;
mod joins;
mod password;
pub mod past;
mod query;
mod read;
mod run;
mod stage;
mod store;
mod sync;
mod undo;

pub use admin::{ConfigurationWrite, Configured, SecretRow, StoredConfiguration};
pub use error::{StoreClass, StoreError};
pub use export::{
    ExportedState, Lease, LeaseRequest, LeasedItem, Settle, SettleBatch, SettleReceipt, Settled,
};
pub use history::{LinkEnd, LinkSpan, SpaceChange, SpaceChangeKind, SpaceIdentity};
pub use identitymesh_model::rules::HoldClass;

pub use hold::{
    Decided, DecisionRow, HoldBatch, HoldDecision, HoldFilter, HoldItem, HoldItemRow, HoldRow, HoldSide,
    HoldStanding, HoldState, NewHold, Queue, QueueClass, QueuedItem, hold_hash, item_hash,
};
pub use joins::{JoinBatch, JoinDecisionRow};
pub use password::{PasswordBatch, PasswordDue, PasswordOwed, PasswordSettle};
pub use query::{
    ChangeRecord, ConnectorCount, CoverageRow, DeletesUnseen, ItemCount, ItemFilter, ItemRow, ItemState,
    MeshFilter, MeshRow, Page, SpaceFilter, SpaceRow, Totals,
};
pub use read::{
    Cursor, GuardReader, Hashed, JoinReader, Known, ListReader, News, PastReader, Reader, Referred, Referrer,
    Todo, Traced,
};
pub use run::{Counters, FindingRow, REEVALUATION_STEP, RunRow, RunStart, RunState};
pub use stage::{
    CoverageGap, Covered, ExportedText, Moment, ReferenceForm, SpaceBody, StageBatch, StageInsert,
    StageReceipt, StageUpdate,
};
pub use store::{ReadOnly, Store, Ticket};
pub use sync::{Cause, SyncBatch, SyncReceipt, TraceWrite};
pub use undo::{UndoBatch, UndoItem, UndoNext, UndoReceipt};
