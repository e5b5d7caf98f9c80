//! Blocking work on the runtime's blocking pool, ended when its call is cancelled, late or dropped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use identitymesh_connector::{Class, ConnectorError, Context};
use rusqlite::InterruptHandle;
use tokio_util::sync::CancellationToken;

use super::db::Db;

/// How often a call that has to end is interrupted again: the first time may fall between two statements.
const INTERRUPT_PAUSE: Duration = Duration::from_millis(5);

/// A connection and what belongs to it, used by one call at a time.
pub(crate) struct Worker<S> {
    inner: Arc<Mutex<(Db, S)>>,
    interrupt: Arc<InterruptHandle>,
    stop: CancellationToken,
    context: Context,
}

/// Ends the work when its call is dropped.
struct Ending<'w> {
    interrupt: &'w InterruptHandle,
    stop: &'w CancellationToken,
    armed: bool,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.stop.cancel();
            self.interrupt.interrupt();
        }
    }
}

impl<S: Send + 'static> Worker<S> {
    pub(crate) fn new(db: Db, state: S, context: &Context) -> Self {
        let interrupt = Arc::new(db.connection.get_interrupt_handle());
        let stop = db.stop.clone();
        Self { inner: Arc::new(Mutex::new((db, state))), interrupt, stop, context: context.clone() }
    }

    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db, &mut S) -> Result<T, ConnectorError> + Send + 'static,
    ) -> Result<T, ConnectorError> {
        if self.stop.is_cancelled() {
            return Err(ConnectorError::cancelled());
        }
        let inner = Arc::clone(&self.inner);
        let mut ending = Ending { interrupt: &self.interrupt, stop: &self.stop, armed: true };
        let mut task = tokio::task::spawn_blocking(move || {
            // A panic leaves at worst an open transaction, which the next call abandons.
            let (db, state) = &mut *inner.lock().unwrap_or_else(PoisonError::into_inner);
            work(db, state)
        });
        let late = tokio::time::sleep(self.context.request_timeout);
        let (done, is_late) = tokio::select! {
            done = &mut task => (Some(done), false),
            () = self.stop.cancelled() => (None, false),
            () = late => (None, true),
        };
        let done = match done {
            Some(done) => done,
            None => loop {
                self.interrupt.interrupt();
                if let Ok(done) = tokio::time::timeout(INTERRUPT_PAUSE, &mut task).await {
                    break done;
                }
            },
        };
        ending.armed = false;
        match done {
            Ok(Err(error)) if is_late && error.class == Class::Cancelled => Err(self.late()),
            Ok(outcome) => outcome,
            Err(panic) => {
                Err(ConnectorError::new("SQL-015", Class::Bug, "the database thread ended").caused_by(panic))
            }
        }
    }

    fn late(&self) -> ConnectorError {
        let message = format!("the database did not answer within {:?}", self.context.request_timeout);
        ConnectorError::new("SQL-014", Class::Transient, message)
            .advice("add an index on the key and watermark columns, or allow more time")
    }
}
