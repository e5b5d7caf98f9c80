//! The ciphers of the format, all from the one provider.

use zeroize::Zeroizing;

use crate::PasswordError;

/// The key that encrypts one file.
pub(super) type FileKey = Zeroizing<[u8; 16]>;

/// The error of a cipher that failed.
pub(super) fn failed(what: &'static str) -> impl Fn(aws_lc_rs::error::Unspecified) -> PasswordError {
    move |_| PasswordError::Crypto { what }
}

/// 32 bytes by HKDF with SHA-256.
pub(super) fn derive(secret: &[u8], salt: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, PasswordError> {
    use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};

    struct Bytes32;
    impl KeyType for Bytes32 {
        fn len(&self) -> usize {
            32
        }
    }
    let mut key = Zeroizing::new([0; 32]);
    let extracted = Salt::new(HKDF_SHA256, salt).extract(secret);
    let info = [info];
    let expanded = extracted.expand(&info, Bytes32).map_err(failed("deriving a key"))?;
    expanded.fill(key.as_mut_slice()).map_err(failed("deriving a key"))?;
    Ok(key)
}

/// Encrypts one message by ChaCha20-Poly1305 under a key that no other message of this nonce is encrypted with.
pub(super) fn encrypt(key: &[u8; 32], nonce: [u8; 12], plain: &[u8]) -> Result<Vec<u8>, PasswordError> {
    use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

    let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(failed("encrypting"))?;
    let mut sealed = Zeroizing::new(Vec::with_capacity(plain.len() + CHACHA20_POLY1305.tag_len()));
    sealed.extend_from_slice(plain);
    LessSafeKey::new(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut *sealed)
        .map_err(failed("encrypting"))?;
    Ok(std::mem::take(&mut *sealed))
}
