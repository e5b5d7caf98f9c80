//! `cargo xtask tidy`: the house rules that a machine can check; `docs/style.md` has the reasons.
//!
//! A rule takes a text and returns findings, one module for each rule, so that it is tested on a few lines
//! of text. Only the command knows that files exist.

mod code_map;
mod command;
mod error_codes;
mod markers;
mod module_docs;
mod paths;
mod re_exports;
mod size;
mod source;
mod whitespace;

pub(crate) use command::run;
