//! The content: chunks of 64 KiB, each numbered and the last one marked, so that none can be cut off or swapped.

use super::cipher::{FileKey, derive, encrypt};
use crate::{PasswordError, fill_from_system};

const CHUNK_BYTES: usize = 64 * 1024;
const NONCE_BYTES: usize = 16;

/// Appends the encrypted content.
pub(super) fn write(sealed: &mut Vec<u8>, file_key: &FileKey, plain: &[u8]) -> Result<(), PasswordError> {
    let mut nonce = [0; NONCE_BYTES];
    fill_from_system(&mut nonce)?;
    let key = derive(file_key.as_slice(), &nonce, b"payload")?;
    sealed.extend_from_slice(&nonce);
    // An empty content is one empty chunk; any other has no empty one.
    let count = plain.len().div_ceil(CHUNK_BYTES).max(1);
    for number in 0..count {
        let start = number * CHUNK_BYTES;
        let chunk = &plain[start..plain.len().min(start + CHUNK_BYTES)];
        sealed.extend(encrypt(&key, chunk_nonce(number as u64, number + 1 == count), chunk)?);
    }
    Ok(())
}

/// Eleven bytes that count, and one that says whether it is the last.
fn chunk_nonce(number: u64, is_last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(is_last);
    nonce
}
