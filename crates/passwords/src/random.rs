//! The system's random source.

use crate::PasswordError;

/// Fills `bytes` from the system's cryptographic random source.
///
/// # Errors
/// `PWD-001` when there is none.
pub fn fill_from_system(bytes: &mut [u8]) -> Result<(), PasswordError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| PasswordError::Crypto { what: "asking for random bytes" })
}
