//! LDIF (RFC 2849): content and change records.
//!
//! A value that names a URL is never fetched: an import reads the one file it was told to read and nothing else.

mod change;
mod entry;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::{LdifReader, entry_of, sample};
pub(crate) use write::{write_add, write_content, write_line, write_modify, write_plain};
