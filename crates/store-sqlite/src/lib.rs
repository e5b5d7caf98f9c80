//! The store in one SQLite file.
//!
//! Ring 2. One thread writes: commands reach it over a bounded channel, and small ones that wait together share a
//! commit. Readers come from a pool, each with a snapshot of its own. The file is in write-ahead mode with full
//! synchronisation, so what a ticket reports is on disk. The tables, the settings and why are in `docs/storage.md`.

mod codec;
mod connection;
mod dictionary;
mod fault;
mod load;
mod lock;
mod open;
mod overlay;
mod pool;
pub mod raw;
mod reader;
mod schema;
mod scratch;
mod store;
mod writer;

pub use open::{OpenMode, OpenOptions};
pub use store::SqliteStore;
