//! File connectors through their public contract: real files, real sessions.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise, helpers included")]

mod bad_input;
mod change_files;
mod export;
mod import;
mod support;
mod tree;
