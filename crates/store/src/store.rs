//! The store itself: readers, and writes that are answered by tickets.

use std::sync::{Arc, mpsc};

use identitymesh_model::{DecisionId, HoldId, ItemId, MeshId, RunId, Timestamp};

use crate::{
    Cause, ConfigurationWrite, Configured, Counters, Decided, HoldBatch, HoldDecision, JoinBatch, Lease,
    LeaseRequest, PasswordBatch, PasswordOwed, Reader, RunStart, RunState, SecretRow, SettleBatch,
    SettleReceipt, StageBatch, StageReceipt, StoreClass, StoreError, SyncBatch, SyncReceipt, UndoBatch,
    UndoReceipt,
};

/// The answer to a write, when it comes. Writes are carried out in the order in which they were handed in, so a
/// caller may prepare the next one before it waits for this one.
#[derive(Debug)]
#[must_use = "a write may fail; its ticket says so"]
pub struct Ticket<T>(mpsc::Receiver<Result<T, StoreError>>);

impl<T> Ticket<T> {
    /// A ticket and the end that answers it.
    pub fn new() -> (mpsc::SyncSender<Result<T, StoreError>>, Self) {
        let (sender, receiver) = mpsc::sync_channel(1);
        (sender, Self(receiver))
    }

    /// Waits until the write is durable.
    ///
    /// # Errors
    /// When it failed; nothing of it was kept. Also when the store was closed underneath.
    pub fn wait(self) -> Result<T, StoreError> {
        self.0.recv().unwrap_or_else(|_| {
            Err(StoreError::new(
                "STO-001",
                StoreClass::Transient,
                "the store was closed before the write was done",
            ))
        })
    }
}

/// A store that can be read and in no way written: all that a preview gets to see of the real one.
#[derive(Clone)]
pub struct ReadOnly(Arc<dyn Store>);

impl ReadOnly {
    /// Keeps everything but reading from whoever gets this.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// As [`Store::read`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(&self) -> Result<Box<dyn Reader + '_>, StoreError> {
        self.0.read()
    }
}

/// Keeps the state of one mesh.
pub trait Store: Send + Sync {
    /// A consistent read. Keep it short: it holds back the reuse of space.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn read(&self) -> Result<Box<dyn Reader + '_>, StoreError>;

    /// Ids for `count` new mesh objects: the first of a row. Unused ones are lost.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn reserve_mesh_ids(&self, count: u64) -> Result<MeshId, StoreError>;

    /// Writes one page of an import.
    fn stage(&self, batch: StageBatch) -> Ticket<StageReceipt>;

    /// Carries out a part of a plan. Refused with `STO-010`, class conflict, when a mesh object has another version
    /// than the plan expects.
    fn apply(&self, batch: SyncBatch) -> Ticket<SyncReceipt>;

    /// Takes due items out of the queue's front and records the intent to send them.
    fn lease(&self, request: LeaseRequest) -> Ticket<Lease>;

    /// Records what became of leased items.
    fn settle(&self, batch: SettleBatch) -> Ticket<SettleReceipt>;

    /// Records that an object owes a password, due at once, whatever it owed before.
    fn owe_password(&self, owed: PasswordOwed, cause: Cause) -> Ticket<()>;

    /// Records what became of passwords. An object that owes none is no error: a password may be set without that.
    fn settle_passwords(&self, batch: PasswordBatch) -> Ticket<()>;

    /// Lets dead and waiting items be sent again at once; all of a target's when none is named. Says how many.
    fn retry_items(
        &self,
        cause: Cause,
        connector: Option<identitymesh_model::ConnectorId>,
        items: Vec<ItemId>,
    ) -> Ticket<u64>;

    /// Holds what is over its limits. Says which holds were made, in the order asked.
    fn hold(&self, batch: HoldBatch) -> Ticket<Vec<HoldId>>;

    /// Carries out what a person decided on a hold, with an audit row for each mesh object: approved items are due,
    /// rejected ones stay where they are, approved objects of an import are gone. Refused with `STO-018` when there
    /// is no such hold, a named subject does not wait in it, or the reason is empty.
    fn decide(&self, decision: HoldDecision) -> Ticket<Decided>;

    /// Queues what leads back, with an audit row for each item. Items whose object or mesh object is not what it was
    /// when the undo was planned, and those of which an answer is awaited, are left out and named.
    fn undo(&self, batch: UndoBatch) -> Ticket<UndoReceipt>;

    /// Carries out a decision about joins: its part of a plan, what it says for good, and an audit row for each mesh
    /// object that it is about. Refused as [`Store::apply`] is; with `STO-019` when the reason is empty or the decision
    /// that it takes back is not there or was taken back already.
    fn decide_join(&self, batch: JoinBatch) -> Ticket<DecisionId>;

    /// Begins a run.
    fn begin_run(&self, start: RunStart) -> Ticket<RunId>;

    /// Records what a run that is at work reads from.
    fn note_source(&self, run: RunId, source: String) -> Ticket<()>;

    /// Ends a run.
    fn end_run(
        &self,
        run: RunId,
        state: RunState,
        at: Timestamp,
        counters: Counters,
        message: Option<String>,
    ) -> Ticket<()>;

    /// Marks runs that were at work as interrupted and ends their leases; called once when a process takes the store
    /// over. Says which.
    fn interrupt_runs(&self, at: Timestamp) -> Ticket<Vec<RunId>>;

    /// Puts a configuration in force.
    fn configure(&self, write: ConfigurationWrite) -> Ticket<Configured>;

    /// Puts rows of secrets in place of all of the same name.
    fn put_secrets(&self, rows: Vec<SecretRow>, cause: Cause) -> Ticket<()>;

    /// Removes a secret's row; says whether there was one.
    fn remove_secret(&self, name: String, cause: Cause) -> Ticket<bool>;

    /// Keeps a small named text.
    fn put_note(&self, name: String, text: String) -> Ticket<()>;
}
