//! A database that begins as another one is and keeps what is written to it in a file of its own, page by page.
//!
//! SQLite reaches files through a table of functions. The one made here forwards all of them to the system's own, for a
//! new, empty file, but for what concerns content: a page that was not written yet is read from the file beneath, which
//! is open for reading only. So making such a database costs nothing, whatever the size of the other, and what it
//! takes is what changes. Locks, shared memory and the write-ahead log are those of the new file.
//!
//! The file beneath must not change meanwhile; see the crate's `scratch`.

mod base;
mod vfs;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use base::Base;
pub(crate) use vfs::NAME;

/// The databases that lie over others, by the file's name, which is given out once in a process.
static LAID: Mutex<BTreeMap<String, Arc<Base>>> = Mutex::new(BTreeMap::new());

/// Keeps a database over another one for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Overlay {
    name: String,
}

impl Overlay {
    /// Lets the database `name`, a file's name that nobody else uses in this process, lie over the one at `base`.
    pub(crate) fn lay(base: &Path, name: String) -> io::Result<Self> {
        vfs::register()?;
        let base = Arc::new(Base::at(base)?);
        LAID.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), base);
        Ok(Self { name })
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        LAID.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

/// What the database at `path` lies over.
fn beneath(path: &str) -> Option<Arc<Base>> {
    let name = path.rsplit(['/', '\\']).next()?;
    LAID.lock().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone)
}
