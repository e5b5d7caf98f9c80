//! The seam between this connector and the LDAP protocol.
//!
//! A [`Transport`] is one signed-in connection: it sends one request, waits for its answer within the deadline, and
//! says honestly whether a lost request may have arrived. It decides nothing about what an answer means. Calls take
//! `&self`, because many requests are in flight on one connection; answers are matched below the seam.

mod ber;
mod dial;
#[cfg(test)]
pub(crate) mod fake;
mod ldap;
mod requests;
mod tls;

pub(crate) use dial::{Dial, Servers};
pub(crate) use requests::{
    Answer, Attribute, Bytes, Entry, Failure, Found, Modification, PageRequest, Reach, Search, Transport,
    Write, WriteRequest,
};
