//! What can go wrong, without any password in the words.

use std::path::PathBuf;

/// Why no password was made or delivered.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The random source or a cipher failed.
    #[error("PWD-001: {what} failed; nothing was sent")]
    Crypto {
        /// What was tried.
        what: &'static str,
    },
    /// No password fits the rule and avoids the object's own words.
    #[error(
        "PWD-001: no password of {length} characters fits the rule without the words of the object's own attributes; \
         allow more characters or classes"
    )]
    NoneFits {
        /// How long it should be.
        length: u16,
    },
    /// Not a public key.
    #[error(
        "PWD-002: {given:?} is no age public key ({why}); it begins with age1, as `age-keygen` prints it"
    )]
    Recipient {
        /// What was written.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The folder for sealed files cannot be used.
    #[error("PWD-003: the folder {} for sealed files cannot be used: {why}", path.display())]
    Directory {
        /// The folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A sealed file could not be written.
    #[error("PWD-003: the sealed file {} could not be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
