//! 389 Directory Server.

mod changelog;
mod facts;
mod record;

pub(crate) use facts::{FACTS, delta, is_it};
