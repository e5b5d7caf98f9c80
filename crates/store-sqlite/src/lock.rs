//! One process for each store: an exclusive lock of the operating system on a file beside it.
//!
//! The system releases the lock when the process ends, however it ends, so a crash leaves nothing to clean up. The
//! file holds the number of the process for whoever comes second; it stays, because removing it would race.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use identitymesh_store::{StoreClass, StoreError};

/// Held for as long as the store is open.
#[derive(Debug)]
pub(crate) struct StoreLock(#[expect(dead_code, reason = "dropping it releases the lock")] File);

/// The lock file of the store at `path`.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

impl StoreLock {
    /// Takes the store at `path` for this process.
    pub(crate) fn take(path: &Path) -> Result<Self, StoreError> {
        let at = lock_path(path);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&at)
            .map_err(|error| unusable(&at, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(unusable(&at, error)),
        }
        note_process(&mut file).map_err(|error| unusable(&at, error))?;
        Ok(Self(file))
    }
}

fn note_process(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn held(path: &Path, file: &mut File) -> StoreError {
    let mut text = String::new();
    // Some systems forbid reading a locked file; then the number stays unknown.
    let holder = match file.take(32).read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => format!("process {}", text.trim()),
        _ => "another process".to_owned(),
    };
    StoreError::new(
        "STO-002",
        StoreClass::Configuration,
        format!("the store {} is in use by {holder}", path.display()),
    )
    .advice("use that process's interface, end it, or choose another data directory")
}

fn unusable(path: &Path, error: std::io::Error) -> StoreError {
    StoreError::new(
        "STO-007",
        StoreClass::Configuration,
        format!("cannot lock the store through {}", path.display()),
    )
    .advice("check that the folder exists and that the product's user may write into it")
    .caused_by(error)
}
