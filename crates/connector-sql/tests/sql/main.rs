//! The SQLite connector against the contract and against what goes wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod changes;
mod conformance;
mod export;
mod faults;
mod import;
mod subject;
