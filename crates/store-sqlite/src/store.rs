//! The contract on top of writer thread and reader pool.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use identitymesh_model::{ConnectorId, DecisionId, HoldId, IdSource, ItemId, MeshId, RunId, Timestamp};
use identitymesh_store::{
    Cause, ConfigurationWrite, Configured, Counters, Decided, HoldBatch, HoldDecision, JoinBatch, Lease,
    LeaseRequest, PasswordBatch, PasswordOwed, Reader, RunStart, RunState, SecretRow, SettleBatch,
    SettleReceipt, StageBatch, StageReceipt, Store, StoreClass, StoreError, SyncBatch, SyncReceipt, Ticket,
    UndoBatch, UndoReceipt,
};

use crate::connection::{self, Place};
use crate::fault::{Fault, Outcome};
use crate::lock::StoreLock;
use crate::open::{OpenMode, OpenOptions};
use crate::pool::Pool;
use crate::reader::SqliteReader;
use crate::schema;
use crate::scratch::{self, Ground};
use crate::writer::{self, Purpose, Tx, WriterThread};

/// Mesh ids taken at a time, so that reserving some does not wait for a commit.
const MESH_ID_BLOCK: u64 = 1 << 16;

/// A store in one SQLite file. Dropping it waits for the writes that were handed in.
pub struct SqliteStore {
    pool: Pool,
    // Declared before the lock, so that the thread has ended when the lock is released.
    writer: Option<WriterThread>,
    mesh_ids: Mutex<std::ops::Range<i64>>,
    // Likewise before what a scratch store stands on.
    _ground: Option<Ground>,
    _lock: Option<StoreLock>,
}

impl SqliteStore {
    /// Opens the store in the file at `path`; its lock file stands beside it.
    ///
    /// # Errors
    /// `STO-002` when another process has it, `STO-003` when the file is something else, `STO-004` when it is newer
    /// than this program, `STO-006` when it is damaged, `STO-007` when it cannot be opened or written.
    pub fn open(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        let doing = || format!("opening the store {}", path.display());
        match options.mode {
            OpenMode::Exclusive | OpenMode::Scratch => Self::open_exclusive(path, options),
            OpenMode::ReadOnly => Self::open_read_only(path),
        }
        .map_err(|fault| fault.into_store(&doing()))
    }

    fn open_exclusive(path: &Path, options: OpenOptions) -> Outcome<Self> {
        let (lock, place) = (StoreLock::take(path)?, Place::plain(path));
        // Looked at without write access first: a foreign file must not even be turned to another journal.
        if std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
            let looked = connection::look(&place)
                .map_err(crate::fault::Fault::from)
                .and_then(|conn| schema::check_owner(&conn, path));
            // A process that was killed while it made the store left a journal that only a writer may roll back;
            // the owner is checked again before anything is migrated.
            if let Err(fault) = looked
                && !fault.needs_a_rollback()
            {
                return Err(fault);
            }
        }
        let mut conn = match options.mode {
            OpenMode::Scratch => connection::scratch_writer(&place, options.size_bytes_max)?,
            _ => connection::writer(&place, options.size_bytes_max)?,
        };
        schema::migrate(&mut conn, path, options.at)?;
        let writer = writer::start(conn, options.ids, Purpose::Keep)?;
        Ok(Self { writer: Some(writer), _lock: Some(lock), ..Self::reading(Pool::new(place)) })
    }

    fn open_read_only(path: &Path) -> Outcome<Self> {
        let pool = Pool::new(Place::plain(path));
        let session = pool.lend()?;
        pool.take_back(session);
        Ok(Self::reading(pool))
    }

    const fn reading(pool: Pool) -> Self {
        Self { pool, writer: None, mesh_ids: Mutex::new(0..0), _ground: None, _lock: None }
    }

    /// A store to try things out in: it begins as this one is now, and what is written to it goes into `directory`, is
    /// in nobody's way, and is worth nothing once it is dropped. What only people read afterwards, audit and history, is
    /// not written at all. It costs what is written and not what is there; meanwhile the log of this store only grows.
    ///
    /// # Errors
    /// `STO-004` when the file is older than this program, `STO-006` when it is damaged, `STO-007` when something cannot
    /// be opened or written.
    pub fn scratch(&self, directory: &Path, ids: Arc<dyn IdSource>) -> Result<Self, StoreError> {
        let (place, ground) = scratch::lay(self.pool.path(), directory)?;
        let open = || -> Outcome<Self> {
            let conn = connection::scratch_writer(&place, None)?;
            schema::check_version(&conn, self.pool.path())?;
            let writer = writer::start(conn, ids, Purpose::Discard)?;
            let reading = Self::reading(Pool::new(place.clone()));
            Ok(Self { writer: Some(writer), _ground: Some(ground), ..reading })
        };
        open().map_err(|fault| fault.into_store("opening a store to try things out in"))
    }

    /// Carries out what was handed in, copies the write-ahead log into the file and lets the store go.
    ///
    /// # Errors
    /// When the log cannot be copied; what was answered is kept all the same.
    pub fn close(mut self) -> Result<(), StoreError> {
        match self.writer.take() {
            Some(writer) => writer.end().map_err(|fault| fault.into_store("closing the store")),
            None => Ok(()),
        }
    }

    fn submit<T: Send + 'static>(
        &self,
        doing: &'static str,
        weight: usize,
        act: impl FnOnce(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
    ) -> Ticket<T> {
        match &self.writer {
            Some(writer) => writer.submit(doing, weight, act),
            None => refuse(doing),
        }
    }
}

fn refuse<T>(doing: &str) -> Ticket<T> {
    let (answer, ticket) = Ticket::new();
    let error = StoreError::new(
        "STO-009",
        StoreClass::Configuration,
        format!("{doing}: the store was opened to read only"),
    )
    .advice("do this in the process that has the store open for writing");
    // The ticket is held right here, so the answer always has a receiver.
    let _ = answer.send(Err(error));
    ticket
}

impl Store for SqliteStore {
    fn read(&self) -> Result<Box<dyn Reader + '_>, StoreError> {
        match self.pool.lend() {
            Ok(session) => Ok(Box::new(SqliteReader::new(&self.pool, session))),
            Err(fault) => Err(fault.into_store("beginning a read")),
        }
    }

    fn reserve_mesh_ids(&self, count: u64) -> Result<MeshId, StoreError> {
        let count = i64::try_from(count).map_err(|_| too_many_ids())?;
        let mut block = self.mesh_ids.lock().unwrap_or_else(PoisonError::into_inner);
        if block.end - block.start < count {
            let size = count.max(i64::try_from(MESH_ID_BLOCK).expect("a small constant"));
            let first = self.submit("reserving ids", 1, move |tx| tx.reserve_mesh_ids(size)).wait()?;
            *block = first..first + size;
        }
        let first = block.start;
        block.start += count;
        Ok(MeshId(first))
    }

    fn stage(&self, batch: StageBatch) -> Ticket<StageReceipt> {
        let weight = batch.inserts.len() + batch.updates.len() + batch.deletes.len();
        self.submit("staging a page", weight, move |tx| tx.stage(&batch))
    }

    fn apply(&self, batch: SyncBatch) -> Ticket<SyncReceipt> {
        let weight = batch.plan.objects.len() + batch.plan.spaces.len() + batch.plan.wakes.len();
        self.submit("carrying out a plan", weight, move |tx| tx.apply(&batch))
    }

    fn lease(&self, request: LeaseRequest) -> Ticket<Lease> {
        self.submit("leasing queue items", request.limit, move |tx| tx.lease(&request))
    }

    fn settle(&self, batch: SettleBatch) -> Ticket<SettleReceipt> {
        self.submit("settling queue items", batch.settled.len(), move |tx| tx.settle(&batch))
    }

    fn owe_password(&self, owed: PasswordOwed, cause: Cause) -> Ticket<()> {
        self.submit("recording that a password is owed", 1, move |tx| tx.owe_password(&owed, cause.at))
    }

    fn settle_passwords(&self, batch: PasswordBatch) -> Ticket<()> {
        self.submit("settling passwords", batch.settled.len(), move |tx| tx.settle_passwords(&batch))
    }

    fn retry_items(&self, cause: Cause, connector: Option<ConnectorId>, items: Vec<ItemId>) -> Ticket<u64> {
        self.submit("retrying queue items", 1, move |tx| tx.retry_items(&cause, connector, &items))
    }

    fn hold(&self, batch: HoldBatch) -> Ticket<Vec<HoldId>> {
        let weight =
            batch.rejected.len() + batch.holds.iter().map(|hold| hold.items.len()).sum::<usize>() + 1;
        self.submit("holding changes", weight, move |tx| tx.hold(&batch))
    }

    fn decide(&self, decision: HoldDecision) -> Ticket<Decided> {
        self.submit("deciding on a hold", 1, move |tx| tx.decide(&decision))
    }

    fn undo(&self, batch: UndoBatch) -> Ticket<UndoReceipt> {
        self.submit("queueing an undo", batch.items.len() + 1, move |tx| tx.undo(&batch))
    }

    fn decide_join(&self, batch: JoinBatch) -> Ticket<DecisionId> {
        let weight = batch.sync.plan.objects.len() + batch.decision.moves.len() + 1;
        self.submit("deciding about joins", weight, move |tx| tx.decide_join(&batch))
    }

    fn begin_run(&self, start: RunStart) -> Ticket<RunId> {
        self.submit("beginning a run", 1, move |tx| tx.begin_run(&start))
    }

    fn note_source(&self, run: RunId, source: String) -> Ticket<()> {
        self.submit("noting what a run reads from", 1, move |tx| tx.note_source(run, &source))
    }

    fn end_run(
        &self,
        run: RunId,
        state: RunState,
        at: Timestamp,
        counters: Counters,
        message: Option<String>,
    ) -> Ticket<()> {
        self.submit("ending a run", 1, move |tx| tx.end_run(run, state, at, &counters, message.as_deref()))
    }

    fn interrupt_runs(&self, at: Timestamp) -> Ticket<Vec<RunId>> {
        self.submit("marking interrupted runs", 1, move |tx| tx.interrupt_runs(at))
    }

    fn configure(&self, write: ConfigurationWrite) -> Ticket<Configured> {
        self.submit("putting a configuration in force", 1, move |tx| tx.configure(&write))
    }

    fn put_secrets(&self, rows: Vec<SecretRow>, cause: Cause) -> Ticket<()> {
        self.submit("keeping secrets", 1, move |tx| tx.put_secrets(&rows, &cause))
    }

    fn remove_secret(&self, name: String, _cause: Cause) -> Ticket<bool> {
        self.submit("removing a secret", 1, move |tx| tx.remove_secret(&name))
    }

    fn put_note(&self, name: String, text: String) -> Ticket<()> {
        self.submit("keeping a note", 1, move |tx| tx.put_note(&name, &text))
    }
}

fn too_many_ids() -> StoreError {
    Fault::from(StoreError::new("STO-012", StoreClass::Bug, "more ids were asked for than there are"))
        .into_store("reserving ids")
}
