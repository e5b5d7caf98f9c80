//! A store around the real one that fails at a chosen call, as disks and processes do.
//!
//! Calls count from one, reads among them. A call that fails keeps nothing, as the contract of stores says. A process
//! that dies keeps what it had written before, and for [`Failure::DiesAfter`] also what it was writing, without having
//! heard the answer. What is asked for is counted, for tests of how much work something is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use identitymesh_model::{ConnectorId, DecisionId, HoldId, ItemId, MeshId, RunId, Timestamp};
use identitymesh_store::{
    Cause, ConfigurationWrite, Configured, Counters, Decided, HoldBatch, HoldDecision, JoinBatch, Lease,
    LeaseRequest, PasswordBatch, PasswordOwed, Reader, RunStart, RunState, SecretRow, SettleBatch,
    SettleReceipt, StageBatch, StageReceipt, Store, StoreClass, StoreError, SyncBatch, SyncReceipt, Ticket,
    UndoBatch, UndoReceipt,
};

mod reader;

use reader::FailingReader;

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This call fails, the next ones work again.
    Once,
    /// The process ends before this call.
    DiesBefore,
    /// The process ends after this call, before it hears the answer.
    DiesAfter,
}

/// Which call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// The call with this number.
    Nth(u64),
    /// The next one that writes what became of queue items.
    Settle,
    /// The next one that writes a page of an import.
    Stage,
    /// The next one that writes what became of a password.
    Password,
}

#[derive(Debug, Default)]
struct State {
    calls: u64,
    fails: Option<(At, Failure)>,
    is_dead: bool,
    shows_all: bool,
    asked: Asked,
}

/// How much a store was asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Things that were asked for, by question: ids, keys, references.
    pub things: BTreeMap<&'static str, usize>,
    /// Values in the documents that came back for planning.
    pub values: usize,
}

/// What a test keeps in its hand: the store itself belongs to the mesh, so that it closes with it.
#[derive(Debug, Default)]
pub struct Control(Mutex<State>);

/// The store.
struct Failing {
    inner: Arc<dyn Store>,
    control: Arc<Control>,
}

/// What becomes of a call.
enum Fate {
    Works,
    Fails,
    IsLost,
}

impl Control {
    /// The `nth` call from now on fails.
    pub fn fail(&self, nth: u64, failure: Failure) {
        self.arm(At::Nth(nth), failure);
    }

    /// The next call fails that writes what became of queue items.
    pub fn fail_at_settle(&self, failure: Failure) {
        self.arm(At::Settle, failure);
    }

    /// The next call fails that writes a page of an import.
    pub fn fail_at_stage(&self, failure: Failure) {
        self.arm(At::Stage, failure);
    }

    /// The next write of what became of a password fails.
    pub fn fail_at_password(&self, failure: Failure) {
        self.arm(At::Password, failure);
    }

    fn arm(&self, at: At, failure: Failure) {
        let mut state = self.state();
        (state.calls, state.fails) = (0, Some((at, failure)));
    }

    /// Calls since the start or the last [`Control::fail`].
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// What was asked for since the last time this was asked.
    #[must_use]
    pub fn take_asked(&self) -> Asked {
        std::mem::take(&mut self.state().asked)
    }

    /// From now on sets of references are looked at as a whole, however little is known to have changed.
    pub fn show_all(&self) {
        self.state().shows_all = true;
    }

    /// Whether the process has died: every call fails until the store is opened anew.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fate(&self, kind: Option<At>) -> Fate {
        let mut state = self.state();
        state.calls += 1;
        if state.is_dead {
            return Fate::Fails;
        }
        match state.fails {
            Some((at, failure)) if at == At::Nth(state.calls) || Some(at) == kind => {
                (state.is_dead, state.fails) = (failure != Failure::Once, None);
                if failure == Failure::DiesAfter { Fate::IsLost } else { Fate::Fails }
            }
            _ => Fate::Works,
        }
    }
}

impl Failing {
    fn read_fate(&self) -> Result<(), StoreError> {
        match self.control.fate(None) {
            Fate::Works => Ok(()),
            Fate::Fails | Fate::IsLost => Err(failure()),
        }
    }

    fn write<T>(&self, kind: Option<At>, act: impl FnOnce(&dyn Store) -> Ticket<T>) -> Ticket<T> {
        match self.control.fate(kind) {
            Fate::Works => act(self.inner.as_ref()),
            Fate::IsLost => {
                drop(act(self.inner.as_ref()).wait());
                failed()
            }
            Fate::Fails => failed(),
        }
    }
}

/// `inner` with a store around it that fails when `control` says so.
#[must_use]
pub fn over(inner: Arc<dyn Store>, control: Arc<Control>) -> Arc<dyn Store> {
    Arc::new(Failing { inner, control })
}

fn failure() -> StoreError {
    StoreError::new(
        "STO-015",
        StoreClass::Transient,
        "the disk failed to read or write, because a test said so",
    )
}

fn failed<T>() -> Ticket<T> {
    let (answer, ticket) = Ticket::new();
    answer.send(Err(failure())).expect("the ticket is still here to hear it");
    ticket
}

impl Store for Failing {
    fn read(&self) -> Result<Box<dyn Reader + '_>, StoreError> {
        self.read_fate()?;
        Ok(Box::new(FailingReader { inner: self.inner.read()?, store: self }))
    }

    fn reserve_mesh_ids(&self, count: u64) -> Result<MeshId, StoreError> {
        self.read_fate()?;
        self.inner.reserve_mesh_ids(count)
    }

    fn stage(&self, batch: StageBatch) -> Ticket<StageReceipt> {
        self.write(Some(At::Stage), |store| store.stage(batch))
    }

    fn apply(&self, batch: SyncBatch) -> Ticket<SyncReceipt> {
        self.write(None, |store| store.apply(batch))
    }

    fn lease(&self, request: LeaseRequest) -> Ticket<Lease> {
        self.write(None, |store| store.lease(request))
    }

    fn settle(&self, batch: SettleBatch) -> Ticket<SettleReceipt> {
        self.write(Some(At::Settle), |store| store.settle(batch))
    }

    fn owe_password(&self, owed: PasswordOwed, cause: Cause) -> Ticket<()> {
        self.write(None, |store| store.owe_password(owed, cause))
    }

    fn settle_passwords(&self, batch: PasswordBatch) -> Ticket<()> {
        self.write(Some(At::Password), |store| store.settle_passwords(batch))
    }

    fn retry_items(&self, cause: Cause, connector: Option<ConnectorId>, items: Vec<ItemId>) -> Ticket<u64> {
        self.write(None, |store| store.retry_items(cause, connector, items))
    }

    fn hold(&self, batch: HoldBatch) -> Ticket<Vec<HoldId>> {
        self.write(None, |store| store.hold(batch))
    }

    fn decide(&self, decision: HoldDecision) -> Ticket<Decided> {
        self.write(None, |store| store.decide(decision))
    }

    fn undo(&self, batch: UndoBatch) -> Ticket<UndoReceipt> {
        self.write(None, |store| store.undo(batch))
    }

    fn decide_join(&self, batch: JoinBatch) -> Ticket<DecisionId> {
        self.write(None, |store| store.decide_join(batch))
    }

    fn begin_run(&self, start: RunStart) -> Ticket<RunId> {
        self.write(None, |store| store.begin_run(start))
    }

    fn note_source(&self, run: RunId, source: String) -> Ticket<()> {
        self.write(None, |store| store.note_source(run, source))
    }

    fn end_run(
        &self,
        run: RunId,
        state: RunState,
        at: Timestamp,
        counters: Counters,
        message: Option<String>,
    ) -> Ticket<()> {
        self.write(None, |store| store.end_run(run, state, at, counters, message))
    }

    fn interrupt_runs(&self, at: Timestamp) -> Ticket<Vec<RunId>> {
        self.write(None, |store| store.interrupt_runs(at))
    }

    fn configure(&self, write: ConfigurationWrite) -> Ticket<Configured> {
        self.write(None, |store| store.configure(write))
    }

    fn put_secrets(&self, rows: Vec<SecretRow>, cause: Cause) -> Ticket<()> {
        self.write(None, |store| store.put_secrets(rows, cause))
    }

    fn remove_secret(&self, name: String, cause: Cause) -> Ticket<bool> {
        self.write(None, |store| store.remove_secret(name, cause))
    }

    fn put_note(&self, name: String, text: String) -> Ticket<()> {
        self.write(None, |store| store.put_note(name, text))
    }
}
