//! Exports: the queue, to a connected system (sync semantics, section 9).
//!
//! Items are leased, which records the intent to send them, then sent, then settled. Items that refer to objects
//! which this batch creates are sent after those, wave by wave; a circle is broken by leaving the reference out until
//! the other object is there. An answer that was lost is found out by asking the target, never by sending again.

mod owner;
mod recorded;
mod send;
mod settle;
mod state;
mod work;

pub(crate) use recorded::{Recorded, recorded};
pub use work::export;
