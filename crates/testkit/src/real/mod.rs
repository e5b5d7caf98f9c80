//! Real systems, started by a test for itself: loopback addresses only, data in a temporary directory.
//!
//! A test begins with `let Some(server) = Slapd::start(options) else { return };`. Where the system is not
//! installed it is skipped and says so, unless `IDENTITYMESH_REAL_SYSTEMS=required` demands it, as the
//! project's own test command does.

mod age_key;
mod certificates;
mod client;
mod daemon;
mod ds389;
mod ldif;
mod ports;
mod relay;
mod require;
mod samba_ad;
mod slapd;
mod wire;

pub use age_key::AgeKey;
pub use ds389::{Ds389, Ds389Options};
pub use ldif::{Attributes, Entries, parse_ldif};
pub use relay::{Action, Message, Operation, Relay};
pub use require::{System, require, require_as_root};
pub use samba_ad::{SambaAd, SambaAdOptions};
pub use slapd::{SessionLog, Slapd, SlapdOptions};
pub use wire::Wire;
