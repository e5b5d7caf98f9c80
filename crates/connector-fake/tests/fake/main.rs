//! The connector contract, its deliberate breaches, and the made-up population.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod conformance;
mod faults;
mod generated;
mod subject;
