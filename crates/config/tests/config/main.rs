//! The configuration page against the configuration: what is read is written down, and what is written down is read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod page;
mod trace;
