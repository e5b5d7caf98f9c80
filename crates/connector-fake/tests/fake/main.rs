//! The connector contract, its deliberate breaches, and the made-up population.

mod conformance;
mod faults;
mod generated;
mod subject;
