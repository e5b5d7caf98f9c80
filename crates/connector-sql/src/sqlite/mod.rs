//! SQLite through rusqlite.
//!
//! A session reads through one connection, opened read-only, and writes through another, opened at the first
//! export. Both block, so they work on the runtime's blocking pool; a cancelled or late call is interrupted.

mod create;
mod db;
mod discover;
mod export;
mod import;
mod kind;
mod named;
mod page;
mod row;
mod session;
mod update;
mod worker;

pub use kind::SqliteKind;
