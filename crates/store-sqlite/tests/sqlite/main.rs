//! The SQLite backend from outside: the suite of the contract, and what is its own: files, locks, damage.

mod conformance;
mod files;
mod harness;
mod recovery;
