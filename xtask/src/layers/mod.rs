//! `cargo xtask check-layers`: the rings of `ARCHITECTURE.md`, enforced.
//!
//! Three families of rules: arrows between our own crates, libraries that the core must not reach, and
//! what every `Cargo.toml` states. The graph is the one that cargo resolved, not a guess from the text.

mod arrows;
mod command;
mod core_purity;
mod manifest;
mod ring;
mod workspace;

pub(crate) use command::run;
