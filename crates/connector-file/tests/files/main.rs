//! File connectors through their public contract: real files, real sessions.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise, helpers included")]

mod bad_input;
mod change_files;
mod conformance;
mod export;
mod formats;
mod import;
mod subject;
mod support;
mod tree;
