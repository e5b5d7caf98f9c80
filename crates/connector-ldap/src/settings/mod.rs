//! What a person says about a directory, read into what the connector works with.
//!
//! [`Config::read`] is the only reader: `validate` shows its problems, `connect` uses its result. It touches
//! nothing, so a file that is missing is not found here but when the connection is made.

mod config;
mod descriptor;
mod types;

pub(crate) use config::{Changes, Config, Kerberos, Server};
pub(crate) use descriptor::descriptor;
pub(crate) use types::{Family, TypeConfig};
