//! Signing in by Kerberos (SASL GSSAPI, RFC 4752), with the operating system's library.
//!
//! The library is loaded when it is first needed, so that neither building nor running without Kerberos needs it.
//! [`library`] is the only place with unsafe code; the rest of this folder is the mechanism's steps.

mod library;
mod mechanism;

pub(crate) use mechanism::sign_in;
