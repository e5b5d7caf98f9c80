//! How a store is opened.

use std::sync::Arc;

use identitymesh_model::{IdSource, Timestamp};

/// For what a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// To read and write, by this process alone. Makes the file when it is not there, and brings an older one up to
    /// date.
    Exclusive,
    /// As exclusive, for a file that is thrown away: nothing waits for the disk, and a crash may spoil it.
    Scratch,
    /// To read, while another process may write. Every write is refused.
    ReadOnly,
}

/// What opening a store takes.
#[derive(Clone)]
pub struct OpenOptions {
    /// For what.
    pub mode: OpenMode,
    /// Where public ids of new management-space objects and runs come from.
    pub ids: Arc<dyn IdSource>,
    /// Now; noted beside migrations that are carried out.
    pub at: Timestamp,
    /// Most bytes that the file may grow to; without it the volume is the limit.
    pub size_bytes_max: Option<u64>,
}

impl OpenOptions {
    /// To read and write, by this process alone.
    #[must_use]
    pub const fn exclusive(ids: Arc<dyn IdSource>, at: Timestamp) -> Self {
        Self { mode: OpenMode::Exclusive, ids, at, size_bytes_max: None }
    }

    /// To read only.
    #[must_use]
    pub const fn read_only(ids: Arc<dyn IdSource>, at: Timestamp) -> Self {
        Self { mode: OpenMode::ReadOnly, ids, at, size_bytes_max: None }
    }
}

impl std::fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOptions").field("mode", &self.mode).finish_non_exhaustive()
    }
}
