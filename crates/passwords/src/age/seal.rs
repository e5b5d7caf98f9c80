//! From content to sealed bytes.

use zeroize::Zeroizing;

use super::cipher::FileKey;
use super::{Recipient, header, payload};
use crate::{PasswordError, fill_from_system};

/// `plain`, so that only those who hold the private key of one of `recipients` can read it.
pub(crate) fn seal(recipients: &[Recipient], plain: &[u8]) -> Result<Vec<u8>, PasswordError> {
    let mut file_key: FileKey = Zeroizing::new([0; 16]);
    fill_from_system(file_key.as_mut_slice())?;
    let mut sealed = header::write(recipients, &file_key)?;
    payload::write(&mut sealed, &file_key, plain)?;
    Ok(sealed)
}
