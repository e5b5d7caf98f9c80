//! Whole lives of a mesh from a seed.
//!
//! Three systems, people who change them and people who decide, sources that lie, a clock that also jumps, a disk and a network that fail, processes that die:
//! all of it is drawn from one number, and the runner, the engine and the SQLite store in between are the real ones.
//! After every step every law is checked ([`laws`]); at the end the disturbances stop, and the systems have to hold
//! what an independent reader computes from what happened outside ([`oracle`]). A broken law is told with its seed,
//! and the same seed plays the same life again.

mod acts;
mod die;
mod extent;
mod laws;
mod life;
mod oracle;
mod outside;
mod process;
mod rest;
mod said;
mod shorten;
mod step;
mod systems;

pub use extent::Extent;
pub use life::{Broken, Life, live};
