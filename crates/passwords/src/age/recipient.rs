//! Who can open a sealed file.

use std::str::FromStr;

use super::bech32;
use crate::PasswordError;

/// A public key, as `age-keygen` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    text: String,
    pub(super) key: [u8; 32],
}

impl Recipient {
    /// All of `texts`.
    ///
    /// # Errors
    /// `PWD-002` for the first that is no key.
    pub fn all(texts: &[String]) -> Result<Vec<Self>, PasswordError> {
        texts.iter().map(|text| text.parse()).collect()
    }

    /// The key as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Recipient {
    type Err = PasswordError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match bech32::key(text.trim()) {
            Ok(key) => Ok(Self { text: text.trim().to_owned(), key }),
            // A private key that was pasted by mistake must not stand in an error.
            Err(why) if text.trim().to_ascii_uppercase().starts_with("AGE-SECRET-KEY") => {
                Err(PasswordError::Recipient { given: "AGE-SECRET-KEY-…".to_owned(), why })
            }
            Err(why) => Err(PasswordError::Recipient { given: text.to_owned(), why }),
        }
    }
}
