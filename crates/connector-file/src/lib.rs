//! Connects files: the kinds `csv`, `ldif` and `json`.
//!
//! Ring 2. Imports stream, page by page, in memory that does not grow with the file but for 16 bytes an object; they
//! give a certificate only for a file that was read whole, held still and had no record whose owner is unknown.
//! Exports replace the whole file atomically, or write change files. See *Files* in the connector specification, and
//! `docs/connectors` for each kind with an example.

mod apply;
mod atomic;
mod changes;
mod config;
mod convert;
mod csv;
mod encoding;
mod error;
mod export;
mod import;
mod json;
mod kind;
mod layout;
mod ldif;
mod lines;
mod record;
mod session;
mod settings;
mod source;
mod table;
#[cfg(test)]
mod testing;
mod tree;

pub use kind::FileKind;
