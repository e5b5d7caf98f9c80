//! Reading connections, kept for the next reader.
//!
//! A connection is lent to one reader at a time and comes back without a transaction. As many are opened as read at
//! once; only a few are kept, because each holds a page cache.

use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use crate::connection::{self, Place};
use crate::fault::Outcome;
use crate::load::Memory;
use crate::schema;

/// Idle connections kept; at 16 MiB of cache each.
const IDLE_COUNT_MAX: usize = 6;

/// A connection with what it remembers.
pub(crate) struct Session {
    pub(crate) conn: Connection,
    pub(crate) memory: Memory,
}

/// Lends sessions.
pub(crate) struct Pool {
    place: Place,
    idle: Mutex<Vec<Session>>,
}

impl Pool {
    /// A pool for the store at `place`.
    pub(crate) const fn new(place: Place) -> Self {
        Self { place, idle: Mutex::new(Vec::new()) }
    }

    /// The store's file.
    pub(crate) fn path(&self) -> &std::path::Path {
        self.place.path()
    }

    /// A session with a snapshot that stays as it is until the session comes back.
    pub(crate) fn lend(&self) -> Outcome<Session> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let session = match idle {
            Some(session) => session,
            None => self.open()?,
        };
        connection::begin_read(&session.conn)?;
        // The snapshot is taken by the first read, so read something.
        let mut first = session.conn.prepare_cached("SELECT value FROM counter WHERE name = 'commit'")?;
        first.query_row([], |_| Ok(()))?;
        drop(first);
        Ok(session)
    }

    fn open(&self) -> Outcome<Session> {
        let conn = connection::reader(&self.place)?;
        schema::check_owner(&conn, self.path())?;
        schema::check_version(&conn, self.path())?;
        Ok(Session { conn, memory: Memory::default() })
    }

    /// Takes a session back.
    pub(crate) fn take_back(&self, session: Session) {
        // A connection that cannot even end its read is closed instead, which ends it.
        if connection::commit(&session.conn).is_err() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_COUNT_MAX {
            idle.push(session);
        }
    }
}
