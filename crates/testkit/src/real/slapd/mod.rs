//! OpenLDAP's `slapd`, the directory that the LDAP connector is proved against.
//!
//! Each server has data, ports, an administrator and a certificate authority of its own. It can be killed and
//! started again, frozen and thawed, and read back with `ldapsearch`, which shares no code with the product.
//! No overlay is loaded unless asked for: this directory keeps no references intact and computes no `memberOf`, so
//! what the product promises about them it has to do itself.

mod files;
mod options;
mod search;
mod server;

pub use options::{SessionLog, SlapdOptions};
pub use server::Slapd;
