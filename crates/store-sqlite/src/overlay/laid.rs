//! Which databases lie over which files.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::base::Base;
use super::vfs;

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
pub(super) fn beneath(path: &str) -> Option<Arc<Base>> {
    let name = path.rsplit(['/', '\\']).next()?;
    LAID.lock().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone)
}
