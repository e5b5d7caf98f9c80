//! `bench --target`: how fast a directory is written and read, beside a client with nothing around it.
//!
//! Everything happens in one container, which must not be there before and is removed at the end, however it ends. The
//! product works in one half of it: real runs over a mesh of its own, with queue, history and audit. Then the plain client
//! makes the same entries in the other half and changes them in the same way, over the same kind of connection and with
//! the same window. What the product reads is read by `ldapsearch` too, into a pipe.

mod ask;
mod cases;
mod container;
mod ldapsearch;
mod plain;
mod report;

pub(super) use ask::Asked;
pub(super) use cases::measure;
