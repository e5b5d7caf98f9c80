//! A store in a directory that vanishes with the test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use identitymesh_model::{CountingIds, Timestamp};
use identitymesh_store::conformance::Harness;
use identitymesh_store::{Store, StoreError};
use identitymesh_store_sqlite::{OpenOptions, SqliteStore};

pub(crate) struct SqliteHarness {
    folder: tempfile::TempDir,
    store: Option<SqliteStore>,
}

pub(crate) fn options() -> OpenOptions {
    OpenOptions::exclusive(Arc::new(CountingIds::default()), Timestamp::EPOCH)
}

pub(crate) fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, options())
}

impl SqliteHarness {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Some(open(&folder.path().join("store.db")).unwrap());
        Self { folder, store }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// Closes the store and leaves it closed.
    pub(crate) fn close(&mut self) {
        if let Some(store) = self.store.take() {
            store.close().unwrap();
        }
    }
}

impl Harness for SqliteHarness {
    fn store(&self) -> &dyn Store {
        self.store.as_ref().unwrap()
    }

    fn reopen(&mut self) {
        self.close();
        self.store = Some(open(&self.path()).unwrap());
    }
}
