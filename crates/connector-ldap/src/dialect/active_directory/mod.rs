//! Active Directory, as Microsoft's and Samba's domain controllers speak it.

mod changed;
pub(crate) mod codes;
mod controller;
mod delta;
mod dirsync;
mod facts;
mod referrers;
pub(crate) mod schema;
mod usn;
pub(crate) mod values;
mod watch;

pub(crate) use facts::{FACTS, delta, is_it};
use facts::{changing_attributes, classes_filter};
