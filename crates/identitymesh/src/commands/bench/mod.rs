//! `bench`: how fast this machine carries out each stage, beside what the plain driver takes for the same bytes.
//!
//! A population made up as it is read goes through the whole product, with history and audit, into a target that takes
//! everything at once. Each stage is timed apart, first over a hundredth of the population and then over all of it, so
//! that growth shows. Every rate stands beside one measured without the product in the same run: ratios can be compared
//! between machines, rates cannot. With `--target` a directory is measured in the same way, beside a client with nothing
//! around it. Memory is the product's own peak, before any yardstick is measured.

mod cpu;
mod fuzzy;
mod laboratory;
mod leavers;
mod measured;
mod memory;
mod planning;
mod report;
mod run;
mod stages;
mod target;
mod yardsticks;

pub(crate) use run::run;
