//! The name of a secret, such as `ad/svc/password`.

use std::fmt;

use serde::Serialize;

use crate::error::SecretError;

/// Longest name of a secret.
pub const SECRET_NAME_BYTES_MAX: usize = 128;

/// A checked name: 1 to [`SECRET_NAME_BYTES_MAX`] of `a-z`, `0-9`, `.`, `_`, `/` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SecretName(String);

impl SecretName {
    /// Checks `name`.
    ///
    /// # Errors
    /// [`SecretError::Name`] when it is empty, too long, or has another character.
    pub fn new(name: &str) -> Result<Self, SecretError> {
        let is_good = (1..=SECRET_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_name_byte);
        match is_good {
            true => Ok(Self(name.to_owned())),
            false => Err(SecretError::Name { name: name.chars().take(SECRET_NAME_BYTES_MAX).collect() }),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'/' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let longest = "a".repeat(SECRET_NAME_BYTES_MAX);
        for good in ["a", "ad/svc/password", "x.y_z-0", longest.as_str()] {
            assert_eq!(SecretName::new(good).expect("good").as_str(), good);
        }
        let too_long = "a".repeat(SECRET_NAME_BYTES_MAX + 1);
        for bad in ["", "AD/svc", "a b", "a{b", "é", "a\n", too_long.as_str()] {
            assert_eq!(SecretName::new(bad).expect_err("bad").code(), "SEC-001", "{bad}");
        }
    }
}
