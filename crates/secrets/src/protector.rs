//! The seam to whatever binds secrets to a host: a key file now; DPAPI, a TPM or an external vault later.

use zeroize::Zeroizing;

use crate::error::SecretError;
use crate::storage::WrappedKey;

/// Wraps and unwraps the data key of a vault.
pub trait Protector: Send + Sync {
    /// A lasting name, stored beside each key it wraps: `key-file`.
    fn name(&self) -> &'static str;

    /// One line for an administrator: what it is and where it keeps what. It reveals nothing secret.
    fn describe(&self) -> String;

    /// Encrypts the data key. It may create what it needs for that, such as a key file.
    ///
    /// # Errors
    /// When the host lacks what the protector needs.
    fn wrap(&self, data_key: &[u8]) -> Result<WrappedKey, SecretError>;

    /// Decrypts the data key; creates nothing.
    ///
    /// # Errors
    /// [`SecretError::ProtectedElsewhere`] on another host or with another key, [`SecretError::Damaged`] when the
    /// wrapped key was changed, [`SecretError::OtherProtector`] when another protector made it.
    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, SecretError>;
}
