//! The binary as its users meet it: real files, a real database, a real directory, and processes that are killed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod active_directory;
mod bad_files;
mod bench;
mod deletion;
mod demo;
mod faults;
mod first_mesh;
mod follow;
mod follow_domain;
mod full_disk;
mod history;
mod holds;
mod joins;
mod killed;
mod papers;
mod previews;
mod process;
mod trouble;
mod unix;
