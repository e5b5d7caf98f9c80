//! AES-256-GCM with a fresh random nonce for every message, and keys that are wiped from memory.
//!
//! A sealed message is nonce (12 bytes), ciphertext, tag (16 bytes). Random nonces are safe up to 2³² messages
//! under one key, far beyond what a vault ever seals between rotations.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::error::SecretError;

pub(crate) const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// A key for AES-256-GCM.
pub(crate) struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl Key {
    /// A new key from the system's random source.
    pub(crate) fn random() -> Result<Self, SecretError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice())
            .map_err(|_| SecretError::Crypto { action: "make a random key" })?;
        Ok(Self(bytes))
    }

    /// The key with these bytes; `None` unless there are exactly [`KEY_BYTES`].
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Encrypts `plain`, bound to `associated`.
    pub(crate) fn seal(&self, associated: &[u8], plain: &[u8]) -> Result<Vec<u8>, SecretError> {
        // The full size is reserved at once: growing would leave plain text behind in freed memory.
        let mut in_out = Zeroizing::new(Vec::with_capacity(plain.len() + TAG_BYTES));
        in_out.extend_from_slice(plain);
        let nonce = self
            .cipher()?
            .seal_in_place_append_tag(Aad::from(associated), &mut *in_out)
            .map_err(|_| SecretError::Crypto { action: "encrypt" })?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + in_out.len());
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&in_out);
        Ok(sealed)
    }

    /// Decrypts what [`Key::seal`] made; `None` when the key, the associated data or any byte differs.
    pub(crate) fn open(
        &self,
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
        let Some((nonce, message)) = sealed.split_at_checked(NONCE_LEN) else { return Ok(None) };
        let Ok(nonce) = Nonce::try_assume_unique_for_key(nonce) else { return Ok(None) };
        let mut in_out = Zeroizing::new(message.to_vec());
        let Ok(plain) = self.cipher()?.open_in_place(nonce, Aad::from(associated), &mut in_out) else {
            return Ok(None);
        };
        let plain_bytes = plain.len();
        in_out.truncate(plain_bytes);
        Ok(Some(in_out))
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, SecretError> {
        RandomizedNonceKey::new(&AES_256_GCM, self.as_bytes())
            .map_err(|_| SecretError::Crypto { action: "take the key" })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_with_fresh_nonces() {
        let key = Key::random().expect("random");
        for plain in [&b""[..], b"x", &[7; 70_000]] {
            let (one, two) =
                (key.seal(b"aad", plain).expect("seals"), key.seal(b"aad", plain).expect("seals"));
            assert_ne!(one, two);
            assert_eq!(key.open(b"aad", &one).expect("works").expect("opens").as_slice(), plain);
        }
    }

    #[test]
    fn any_changed_or_missing_byte_fails() {
        let key = Key::random().expect("random");
        let sealed = key.seal(b"aad", b"a secret").expect("seals");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(b"aad", &changed).expect("works").is_none(), "byte {at}");
            assert!(key.open(b"aad", &sealed[..at]).expect("works").is_none(), "cut at {at}");
        }
        assert!(key.open(b"other", &sealed).expect("works").is_none());
        assert!(Key::random().expect("random").open(b"aad", &sealed).expect("works").is_none());
    }

    #[test]
    fn keys_do_not_print() {
        let key = Key::from_slice(&[65; KEY_BYTES]).expect("right size");
        assert_eq!(format!("{key:?}"), "Key([redacted])");
        assert!(Key::from_slice(&[65; KEY_BYTES - 1]).is_none());
    }
}
