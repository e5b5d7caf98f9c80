//! The SQLite backend from outside: the suite of the contract, and what is its own: files, locks, damage.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod conformance;
mod files;
mod harness;
mod recovery;
mod scratch;
