//! The seam between this connector and the LDAP protocol.
//!
//! A [`Transport`] is one signed-in connection: it sends one request, waits for its answer within the deadline, and
//! says honestly whether a lost request may have arrived. It decides nothing about what an answer means. Calls take
//! `&self`, because many requests are in flight on one connection; answers are matched below the seam. Everything that
//! a server sends is bounded before memory is given to it. Why the client is our own: decision 0005.

pub(crate) mod ber;
mod connection;
mod dial;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod filter;
mod frames;
mod gssapi;
mod message;
mod requests;
mod tls;
mod wire;

pub(crate) use dial::{Dial, Servers};
pub(crate) use message::{Arrived, page_of, search as encode_search, write as encode_write};
pub(crate) use requests::{
    Answer, Attribute, Bytes, Control, Entry, Failure, Found, Item, Items, Modification, PageRequest, Reach,
    Search, Transport, Write, WriteRequest,
};
pub(crate) use wire::Wire;
