//! The suite that every connector runs against its real system: the contract, checked clause by clause.
//!
//! A connector describes its system to the suite as a [`Subject`]: how to empty it, and how to read and change it by
//! the system's own means, so that nothing a connector says is taken on trust. Clauses carry the numbers of
//! `docs/connector-contract.md`; [`conformance_tests!`](crate::conformance_tests) makes each one a test of its own,
//! and [`run`] walks all of them. A clause about something that the kind does not offer says so; it does not pass.

mod bench;
mod clause;
mod create;
mod delta;
mod describe;
mod follow;
mod hostile;
mod import;
mod passwords;
mod rewrite;
mod stop;
mod subject;

pub use clause::{CLAUSES, Clause, Report, Verdict, check, run};
pub use stop::Stop;
pub use subject::{Form, Subject};
