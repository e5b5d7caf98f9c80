//! The writing thread: takes commands in order, groups small ones into one commit, answers their tickets.
//!
//! The first command of a group runs straight in the transaction, so a large page pays for no savepoint. Those that
//! join it each get one, so one that fails takes nothing of the others with it. No ticket is answered before the
//! commit that its command is part of is on disk.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use identitymesh_model::IdSource;
use identitymesh_store::{StoreClass, StoreError, Ticket};
use rusqlite::Connection;

use crate::connection;
use crate::fault::{Fault, Outcome};
use crate::load::Memory;

use super::state::State;
use super::tx::Tx;

/// Commands that may wait; whoever hands in one more waits itself.
const WAITING_COUNT_MAX: usize = 16;
/// Rows that the commands of one group may write together.
const GROUP_WEIGHT_MAX: usize = 2_000;

/// What a command does.
type Run = dyn FnOnce(Result<&mut Tx<'_>, StoreError>) -> Done + Send;

/// A command. Given an error instead of a transaction it answers with that.
struct Job {
    doing: &'static str,
    weight: usize,
    run: Box<Run>,
}

/// A command that was run and waits for its commit; told an error, its write was lost after all.
struct Done {
    is_kept: bool,
    answer: Box<dyn FnOnce(Option<StoreError>)>,
}

/// The thread and the way to it.
pub(crate) struct WriterThread {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<Outcome<()>>>,
}

/// What becomes of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is there to stay.
    Keep,
    /// It is thrown away: nobody will ask how it came to be.
    Discard,
}

/// Starts writing through `conn`.
pub(crate) fn start(conn: Connection, ids: Arc<dyn IdSource>, purpose: Purpose) -> Outcome<WriterThread> {
    let state = State::load(&conn)?;
    let writer = Writer { conn, state, memory: Memory::default(), ids, purpose };
    let (jobs, queue) = sync_channel(WAITING_COUNT_MAX);
    let thread = std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || writer.work(&queue))
        .map_err(|error| {
            StoreError::new("STO-015", StoreClass::Transient, "cannot start the store's writing thread")
                .caused_by(error)
        })?;
    Ok(WriterThread { jobs: Some(jobs), thread: Some(thread) })
}

impl WriterThread {
    /// Hands in a command that writes about `weight` rows.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        doing: &'static str,
        weight: usize,
        act: impl FnOnce(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
    ) -> Ticket<T> {
        let (sender, ticket) = Ticket::new();
        let run = move |tx: Result<&mut Tx<'_>, StoreError>| -> Done {
            let result = tx.and_then(|tx| {
                let value = act(tx).and_then(|value| tx.save_counters().map(|()| value));
                value.map_err(|fault| fault.into_store(doing))
            });
            let is_kept = result.is_ok();
            let answer = move |lost: Option<StoreError>| {
                // Whoever asked may have gone; the write stays done.
                let _ = sender.send(lost.map_or(result, Err));
            };
            Done { is_kept, answer: Box::new(answer) }
        };
        if let Some(jobs) = &self.jobs {
            // When the thread is gone, so is the sender, and the ticket says that the store was closed.
            let _ = jobs.send(Job { doing, weight, run: Box::new(run) });
        }
        ticket
    }

    /// Waits for all commands and closes the file.
    pub(crate) fn end(mut self) -> Outcome<()> {
        self.jobs = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(StoreError::new(
                "STO-012",
                StoreClass::Bug,
                "the store's writing thread ended before its work was done",
            )
            .into()),
            None => Ok(()),
        }
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A failure here has no one left to be told; `close` is for those who want to know.
            let _ = thread.join();
        }
    }
}

struct Writer {
    conn: Connection,
    state: State,
    memory: Memory,
    ids: Arc<dyn IdSource>,
    purpose: Purpose,
}

impl Writer {
    fn work(mut self, queue: &Receiver<Job>) -> Outcome<()> {
        let mut held_over = None;
        while let Some(job) = held_over.take().or_else(|| queue.recv().ok()) {
            held_over = self.write_group(job, queue);
        }
        if self.purpose == Purpose::Keep {
            self.conn.execute_batch("PRAGMA optimize")?;
            self.conn.pragma_query(None, "wal_checkpoint", |_| Ok(()))?;
        }
        self.conn.close().map_err(|(_, error)| Fault::Sqlite(error))
    }

    /// One transaction. Hands back a command that was taken from the queue and does not fit any more.
    fn write_group(&mut self, first: Job, queue: &Receiver<Job>) -> Option<Job> {
        let mut weight = first.weight;
        if let Err(error) = connection::begin_write(&self.conn) {
            let error = Fault::from(error).into_store(first.doing);
            ((first.run)(Err(error)).answer)(None);
            return None;
        }
        let mut done = vec![self.run(first)];
        let mut outcome = Ok(());
        let mut held_over = None;
        while done[0].is_kept && outcome.is_ok() && held_over.is_none() && weight < GROUP_WEIGHT_MAX {
            let Ok(job) = queue.try_recv() else { break };
            weight += job.weight;
            if weight > GROUP_WEIGHT_MAX {
                held_over = Some(job);
            } else {
                outcome = self.run_beside(job, &mut done);
            }
        }
        self.end_group(done, outcome);
        held_over
    }

    fn run(&mut self, job: Job) -> Done {
        let Self { conn, state, memory, ids, purpose } = self;
        (job.run)(Ok(&mut Tx { conn, state, memory, ids: &**ids, purpose: *purpose }))
    }

    /// Runs a command so that it can be taken back alone.
    fn run_beside(&mut self, job: Job, done: &mut Vec<Done>) -> Outcome<()> {
        self.conn.execute_batch("SAVEPOINT job")?;
        let this = self.run(job);
        let is_kept = this.is_kept;
        done.push(this);
        if is_kept {
            self.conn.execute_batch("RELEASE job")?;
            return Ok(());
        }
        self.conn.execute_batch("ROLLBACK TO job; RELEASE job")?;
        self.reload()
    }

    /// Commits, or takes everything back, and answers.
    fn end_group(&mut self, done: Vec<Done>, outcome: Outcome<()>) {
        let is_wanted = done.iter().any(|done| done.is_kept);
        let outcome = outcome.and_then(|()| {
            if is_wanted {
                connection::commit(&self.conn)?;
            } else {
                self.take_back()?;
            }
            Ok(())
        });
        let lost = outcome.err().map(|fault| {
            // What was written must not join the next transaction, and its own error says more than this one's.
            let _ = self.take_back();
            fault.into_store("committing")
        });
        for done in done {
            let lost = lost.as_ref().filter(|_| done.is_kept).map(copy);
            (done.answer)(lost);
        }
    }

    fn take_back(&mut self) -> Outcome<()> {
        if !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK")?;
        }
        self.reload()
    }

    fn reload(&mut self) -> Outcome<()> {
        self.state = State::load(&self.conn)?;
        self.memory = Memory::default();
        Ok(())
    }
}

/// The same error for each command of a lost group.
fn copy(error: &StoreError) -> StoreError {
    let mut copied = StoreError::new(error.code, error.class, error.message.clone());
    copied.advice = error.advice;
    match &error.source {
        Some(cause) => copied.caused_by(cause.to_string()),
        None => copied,
    }
}
