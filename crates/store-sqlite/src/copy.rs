//! A consistent copy of the store in another file, for previews.
//!
//! File and log are copied as they are while a read is open. The read keeps the log from being begun anew, and keeps
//! what is newer than itself out of the file; what a checkpoint may be writing into the file meanwhile stands in the
//! log too, from where the copy gets it when it is opened. Where the file system can share blocks nothing is copied.

use std::fs;
use std::path::{Path, PathBuf};

use identitymesh_store::{StoreClass, StoreError};

use crate::connection;
use crate::fault::Outcome;

/// Copies what is committed in the store at `from` to `to`, without stopping anybody.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let doing = || format!("copying the store to {}", to.display());
    let begin = || -> Outcome<_> {
        let conn = connection::reader(from)?;
        conn.execute_batch("BEGIN")?;
        // Only the first read takes the state that the transaction keeps.
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
        Ok(conn)
    };
    let reading = begin().map_err(|fault| fault.into_store(&doing()))?;
    let files = || -> std::io::Result<()> {
        fs::copy(from, to)?;
        if log(from).exists() {
            fs::copy(log(from), log(to))?;
        }
        Ok(())
    };
    files().map_err(|error| {
        StoreError::new("STO-007", StoreClass::Configuration, format!("{} failed", doing()))
            .advice("see that the volume has room for a second store, and that the directory may be written")
            .caused_by(error)
    })?;
    drop(reading);
    Ok(())
}

/// The write-ahead log beside a store's file.
fn log(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}
