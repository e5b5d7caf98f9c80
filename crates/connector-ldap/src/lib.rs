//! Imports from and exports to LDAP directories, in the dialects of their families.
//!
//! Ring 2. The protocol sits behind a thin seam (`transport`), so that everything above it can be met with faults.
//! Above the seam, reading and writing are split into pure decisions (filters, value conversion, the table of
//! result codes, the order of operations, what a conflict means) and the few places that wait for a server. What
//! differs between families of servers is in `dialect`.
//! Specification: connectors, row LDAP; sync semantics, sections 2, 5 and 6. `docs/connectors/ldap.md` is for the
//! person who sets it up.

mod below;
mod delta;
mod dialect;
mod error;
mod export;
mod filter;
mod follow;
mod import;
mod kind;
mod link;
mod log;
mod naming;
mod page;
mod passwords;
mod presence;
mod ranges;
pub mod raw;
mod read;
mod result;
mod schema;
mod scope;
mod session;
#[cfg(test)]
mod session_faults;
mod settings;
mod time;
mod transport;
mod value;

pub use kind::Ldap;
