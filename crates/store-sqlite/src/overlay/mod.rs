//! A database that begins as another one is and keeps what is written to it in a file of its own, page by page.
//!
//! SQLite reaches files through a table of functions. The one made here forwards all of them to the system's own, for a
//! new, empty file, but for what concerns content: a page that was not written yet is read from the file beneath, which
//! is open for reading only. So making such a database costs nothing, whatever the size of the other, and what it
//! takes is what changes. Locks, shared memory and the write-ahead log are those of the new file.
//!
//! The file beneath must not change meanwhile; see the crate's `scratch`.

mod base;
mod laid;
mod vfs;

pub(crate) use laid::Overlay;
pub(crate) use vfs::NAME;
