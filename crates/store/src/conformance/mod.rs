//! What every backend has to do, as clauses that each can fail alone.
//!
//! A backend's tests call `conformance_tests!` with an expression that makes a [`Harness`] on an empty store; it
//! becomes one test for each clause. Clauses only use the contract, so the same words hold for every backend; what is
//! a backend's own (files, locks, damage, settings) it tests itself.

#![allow(clippy::unwrap_used, reason = "a clause is a test: it fails where it stands")]
#![allow(missing_docs, reason = "a clause's name is its sentence")]

pub mod admin;
pub mod audit;
mod harness;
pub mod holds;
pub mod joins;
pub mod leases;
pub mod links;
pub mod lists;
pub mod lookups;
pub mod memberships;
pub mod mesh;
pub mod passwords;
pub mod past;
pub mod queue;
pub mod random;
mod reference;
mod sample;
pub mod settling;
pub mod staging;
pub mod todos;
pub mod undo;
pub mod wakes;

pub use harness::Harness;
