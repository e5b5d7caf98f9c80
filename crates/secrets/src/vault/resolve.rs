//! Turns a setting with references into the text to use.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{Vault, open};
use crate::error::SecretError;
use crate::name::SecretName;
use crate::redactor::REDACTED;
use crate::reference::{Piece, TEXT_BYTES_MAX, split};
use crate::storage::SecretStorage;

/// A text in which references have become values. It does not print; it is wiped when dropped.
pub struct ResolvedString {
    text: SecretString,
    has_secrets: bool,
}

impl ResolvedString {
    /// The text itself, for handing to the connected system and for nothing else.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// Whether any reference stood in it.
    pub fn has_secrets(&self) -> bool {
        self.has_secrets
    }
}

impl fmt::Debug for ResolvedString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResolvedString({REDACTED})")
    }
}

impl fmt::Display for ResolvedString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<S: SecretStorage> Vault<S> {
    /// Expands every reference in `text`. Values are taken as they are: a reference inside one is not followed. A text
    /// without references needs no key. The values are known to the redactor from then on.
    ///
    /// # Errors
    /// [`SecretError::Missing`] with all names that are not set; a malformed reference; a result above
    /// [`TEXT_BYTES_MAX`]; whatever keeps the data key from opening.
    pub fn resolve(&self, text: &str) -> Result<ResolvedString, SecretError> {
        let pieces = split(text)?;
        let values = self.values(&pieces)?;
        let parts: Vec<&str> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(literal) => literal,
                Piece::Secret(name) => values[name].expose_secret(),
            })
            .collect();
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        if bytes > TEXT_BYTES_MAX {
            let what = "a text with its secrets";
            return Err(SecretError::TooLong { what, bytes, bytes_max: TEXT_BYTES_MAX });
        }
        // Joined into its full size at once: growing would leave values behind in freed memory.
        let mut joined = Zeroizing::new(String::with_capacity(bytes));
        parts.into_iter().for_each(|part| joined.push_str(part));
        Ok(ResolvedString { text: SecretString::from(joined.as_str()), has_secrets: !values.is_empty() })
    }

    fn values(&self, pieces: &[Piece<'_>]) -> Result<BTreeMap<SecretName, SecretString>, SecretError> {
        let mut records = BTreeMap::new();
        let mut missing = Vec::new();
        for piece in pieces {
            let Piece::Secret(name) = piece else { continue };
            if records.contains_key(name) || missing.contains(name) {
                continue;
            }
            match self.record(name)? {
                Some(record) => drop(records.insert(name.clone(), record)),
                None => missing.push(name.clone()),
            }
        }
        if !missing.is_empty() {
            return Err(SecretError::Missing { names: missing });
        }
        if records.is_empty() {
            return Ok(BTreeMap::new());
        }
        let data_key = self.data_key()?.ok_or(SecretError::DataKeyMissing)?;
        let mut values = BTreeMap::new();
        for (name, record) in records {
            let value = open(&data_key, &record)?;
            self.redactor.add(&value);
            values.insert(name, value);
        }
        Ok(values)
    }
}
