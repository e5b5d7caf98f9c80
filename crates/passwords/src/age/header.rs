//! The header: who can open the file, and a code over it under the file key.

use aws_lc_rs::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

use super::Recipient;
use super::cipher::{FileKey, derive, encrypt, failed};
use crate::PasswordError;

const VERSION_LINE: &str = "age-encryption.org/v1\n";
const X25519_INFO: &[u8] = b"age-encryption.org/v1/X25519";
const AGREEING: &str = "agreeing on a key with a recipient";

/// The header's bytes.
pub(super) fn write(recipients: &[Recipient], file_key: &FileKey) -> Result<Vec<u8>, PasswordError> {
    let mut header = VERSION_LINE.to_owned();
    for recipient in recipients {
        header.push_str(&stanza(recipient, file_key)?);
    }
    header.push_str("---");
    let key = derive(file_key.as_slice(), &[], b"header")?;
    let code = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()), header.as_bytes());
    header.push(' ');
    header.push_str(&BASE64.encode(code));
    header.push('\n');
    Ok(header.into_bytes())
}

/// The file key for one recipient. The body of 32 bytes fits one line.
fn stanza(recipient: &Recipient, file_key: &FileKey) -> Result<String, PasswordError> {
    let random = SystemRandom::new();
    let ours = EphemeralPrivateKey::generate(&X25519, &random).map_err(failed(AGREEING))?;
    let share = ours.compute_public_key().map_err(failed(AGREEING))?;
    let theirs = UnparsedPublicKey::new(&X25519, recipient.key);
    let salt = [share.as_ref(), recipient.key.as_slice()].concat();
    let failure = PasswordError::Crypto { what: AGREEING };
    let wrap_key = agree_ephemeral(ours, theirs, failure, |secret| derive(secret, &salt, X25519_INFO))?;
    let wrapped = encrypt(&wrap_key, [0; 12], file_key.as_slice())?;
    Ok(format!("-> X25519 {}\n{}\n", BASE64.encode(share.as_ref()), BASE64.encode(wrapped)))
}
