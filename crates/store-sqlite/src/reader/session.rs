//! A reader: a session on loan, given back when the reader is dropped.

use identitymesh_store::StoreError;

use crate::fault::Outcome;
use crate::load::Loader;
use crate::pool::{Pool, Session};

/// One consistent read.
pub(crate) struct SqliteReader<'s> {
    pool: &'s Pool,
    session: Option<Session>,
}

impl<'s> SqliteReader<'s> {
    pub(crate) const fn new(pool: &'s Pool, session: Session) -> Self {
        Self { pool, session: Some(session) }
    }

    /// Asks the store, and says what was being read when it fails.
    pub(super) fn ask<T>(
        &mut self,
        doing: &'static str,
        question: impl FnOnce(&mut Loader<'_>) -> Outcome<T>,
    ) -> Result<T, StoreError> {
        let session = self.session.as_mut().expect("a reader has its session until it is dropped");
        let mut loader = Loader { conn: &session.conn, memory: &mut session.memory };
        question(&mut loader).map_err(|fault| fault.into_store(doing))
    }
}

impl Drop for SqliteReader<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.pool.take_back(session);
        }
    }
}
