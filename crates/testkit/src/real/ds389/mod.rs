//! 389 Directory Server's `ns-slapd`, the second directory that the LDAP connector is proved against.
//!
//! The set-up program of the distribution wants a system manager and half a minute; this one fills in the same
//! templates, loads the entries offline and needs neither, nor root. The retro changelog (`cn=changelog`) is on and
//! carries each entry's unique id. Everything lies in one folder, and only loopback addresses are listened on.

mod files;
mod options;
mod server;

pub use options::Ds389Options;
pub use server::Ds389;
