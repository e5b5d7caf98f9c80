//! Sealing in the format `age-encryption.org/v1`, for X25519 public keys.
//!
//! A random file key encrypts the content; each recipient's key encrypts the file key. Only sealing is here: what opens
//! the files is `age` itself, and a test has it do so. Why this is not a library stands in
//! `docs/decisions/0008-sealed-files-by-age.md`.

mod bech32;
mod cipher;
mod header;
mod payload;
mod recipient;
mod seal;

pub use recipient::Recipient;
pub(crate) use seal::seal;
