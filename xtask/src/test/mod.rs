//! `cargo xtask test`: everything that must hold before a change is merged, on a machine that has nothing.
//!
//! Cheap checks come first and the first failure ends the run. The tests themselves come last, so that the
//! last lines are the test runner's own summary.

mod command;
mod real_systems;
mod stage;

pub(crate) use command::run;
