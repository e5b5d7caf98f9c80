//! CSV: strict reading, RFC 4180 writing.
//!
//! The reader is our own because it must be sure: common CSV readers accept a quote in the wrong place in silence and
//! let it swallow the rows that follow, and a row that is swallowed looks like a person who left.

mod read;
mod scan;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::{CsvReader, columns};
pub(crate) use write::{write_fields, write_table};
