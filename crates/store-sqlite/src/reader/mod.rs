//! Answers to readers, all from one snapshot.
//!
//! Lists are read by key, never by offset, so a page deep in a list costs what the first does. Questions with many
//! ids or keys are one statement for the batch wherever the question has one column.

mod contract;
mod counts;
mod coverage;
mod history;
mod holds;
mod joins;
mod lists;
mod lookup;
mod passwords;
mod past;
mod referrers;
mod runs;
mod session;
mod staging;
mod sync;

pub(crate) use lookup::is_taken;
pub(crate) use session::SqliteReader;
