//! The mass-change guard at work (sync semantics, section 8).
//!
//! An export counts the whole queue of its target before it sends the first change, and sends nothing that was queued
//! after the count. An import counts what it did not see, or was told of as gone, before it takes anything as gone. What is
//! over its limit becomes a hold that waits for a person; the rest goes on. A class that is within its limits again is
//! let go, unless somebody has decided on a part of it by then. The run that meets open holds is *held* and says what to do.

mod changes;
mod count;
mod export;
mod foresee;
mod gather;
mod import;
mod origin;
mod told;

pub(crate) use export::{Cleared, check_queue};
pub use foresee::Flow;
pub(crate) use foresee::foresee;
pub(crate) use import::{Missing, check_missing};
