//! Everything that writes: one thread, one connection, one transaction at a time.
//!
//! A command is a closure over a [`Tx`]. It works table by table with one prepared statement in a loop, because that
//! is what SQLite does fastest, and it either succeeds as a whole or leaves nothing. What the writer keeps in memory
//! (dictionaries, high-water marks, the end of the audit chain) is read again whenever something was rolled back.

mod admin;
mod apply;
mod audit;
mod body;
mod history;
mod holds;
mod items;
mod joins;
mod lease;
mod links;
mod passwords;
mod runs;
mod settle;
mod spaces;
mod stage;
mod state;
mod thread;
mod todo;
mod traces;
mod tx;
mod undo;
mod wakes;

pub(crate) use thread::{Purpose, WriterThread, start};
pub(crate) use tx::Tx;
