//! Writing: operations of a batch in waves, many in flight, each with an outcome of its own.
//!
//! [`order`] and [`changes`] decide without touching anything; [`create`], [`update`] and [`delete`] carry out.
//! Every write names the object it means by its external id where the server can check that (RFC 4528), so an entry
//! that took a name over is never changed in place of the one that had it. Specification: sync semantics, section 6.

mod account;
mod batch;
mod changes;
mod containers;
mod create;
mod delete;
mod members;
mod order;
mod pace;
mod password;
mod pieces;
mod update;
mod writer;

pub(crate) use batch::carry_out;
pub(crate) use pace::Pace;
pub(crate) use writer::Writer;

/// Most operations in a batch.
pub(crate) const BATCH_MAX: usize = 1_000;
