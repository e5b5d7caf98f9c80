//! The SQLite connector against the contract and against what goes wrong.

mod changes;
mod conformance;
mod export;
mod faults;
mod import;
mod subject;
