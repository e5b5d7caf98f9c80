//! A connected system in memory: deterministic, without delay, with faults on demand.
//!
//! Ring 2. Tests, demos and measurements hold a [`FakeSystem`] and look into it while the product talks to it through
//! the kind `fake`. There are three: one that stores objects, one that makes up a large population as it is read, and
//! one that takes exports and only counts them. It keeps the connector contract to the letter, and breaks it exactly
//! where a [`Fault`] says so (connectors, fake).

mod apply;
mod check;
mod faults;
mod generated;
mod kind;
mod lies;
mod links;
mod passwords;
mod reading;
mod session;
mod state;
mod system;
mod words;

pub use faults::Fault;
pub use generated::{ATTRIBUTE_COUNT_MAX, EPOCH_COUNT_MAX};
pub use kind::FakeKind;
pub use system::{ExportCounts, FakeSystem};
