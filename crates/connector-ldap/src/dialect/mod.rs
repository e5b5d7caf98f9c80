//! What servers do differently, in one folder for each family of servers.
//!
//! A server says in its root entry what it is; [`Dialect::of`] recognises it. A dialect is facts (the attribute that
//! identifies an entry, how passwords are set) and, where the family has one, a way of reading only what changed.
//! Everything outside of these folders asks here and never for a product's name.

pub(crate) mod active_directory;
pub(crate) mod ds389;
mod family;
pub(crate) mod openldap;

pub(crate) use family::{Dialect, Facts, Password};
