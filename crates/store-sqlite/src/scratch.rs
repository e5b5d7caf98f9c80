//! A store that begins as another one is now and is thrown away, for previews.
//!
//! Its file lies over the other's ([`crate::overlay`]) and has a copy of the other's log. For as long as it is there a
//! read of the other is kept open. That read keeps the log from being begun anew, and keeps what is newer than itself
//! out of the file beneath; what a checkpoint may be writing there meanwhile stands in the copied log too, from where it
//! is taken first.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use identitymesh_store::{StoreClass, StoreError};
use rusqlite::Connection;

use crate::connection::{self, Place};
use crate::fault::Outcome;
use crate::overlay::Overlay;

/// What a scratch store stands on.
pub(crate) struct Ground {
    _overlay: Overlay,
    /// The read that keeps the other store as it is beneath; behind a lock so that several threads may have the store.
    _reading: Mutex<Connection>,
}

/// Lays a new store over the one at `from`, with its files in `directory`.
pub(crate) fn lay(from: &Path, directory: &Path) -> Result<(Place, Ground), StoreError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("scratch-{}.db", COUNT.fetch_add(1, Ordering::Relaxed));
    let path = directory.join(&name);
    let doing = || format!("laying a store over {}", from.display());
    let begin = || -> Outcome<Connection> {
        let conn = connection::reader(&Place::plain(from))?;
        conn.execute_batch("BEGIN")?;
        // Only the first read takes the state that the transaction keeps.
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
        Ok(conn)
    };
    let reading = begin().map_err(|fault| fault.into_store(&doing()))?;
    let files = || -> std::io::Result<Overlay> {
        let overlay = Overlay::lay(&fs::canonicalize(from)?, name)?;
        if log(from).exists() {
            fs::copy(log(from), log(&path))?;
        }
        Ok(overlay)
    };
    let overlay = files().map_err(|error| {
        StoreError::new("STO-007", StoreClass::Configuration, format!("{} failed", doing()))
            .advice("see that the volume has room, and that the directory may be written")
            .caused_by(error)
    })?;
    Ok((Place::laid_over(&path), Ground { _overlay: overlay, _reading: Mutex::new(reading) }))
}

/// The write-ahead log beside a store's file.
fn log(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}
