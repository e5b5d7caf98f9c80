//! A relay between the product and a directory server, which understands LDAP and can spoil it on demand.
//!
//! It hands every message on, keeps what was asked, and lets a test decide about each message: hand it on, lose it, end
//! the connection at exactly this place, answer in the server's stead. So a test says "the answer to the seventh write
//! is lost" and means it, with any real server and over TLS too: the relay then has a certificate of its own on its side
//! and checks the server's on the other. What is sealed inside of LDAP (SASL, StartTLS) it cannot read.

mod ber;
mod connection;
mod message;
mod server;

pub use message::{Action, Message, Operation};
pub use server::Relay;
