//! What can go wrong with secrets. No message ever holds a value, a key or a ciphertext.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::name::SecretName;

/// An error of the storage behind [`crate::SecretStorage`].
pub type StorageError = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the vault, a protector or a reference.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// SEC-001
    #[error("'{name}' is no name for a secret: use 1 to 128 of a-z, 0-9, '.', '_', '/' and '-'")]
    Name {
        /// The refused name, cut to the longest length.
        name: String,
    },
    /// SEC-002
    #[error("the value for secret '{name}' has {bytes} bytes; 1 to {bytes_max} are allowed")]
    ValueSize {
        /// Whose value.
        name: SecretName,
        /// Its size.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// SEC-003
    #[error("the secret reference at byte {at} is malformed: write {{{{secret:name}}}}")]
    Reference {
        /// Where in the text it begins.
        at: usize,
    },
    /// SEC-004
    #[error("{}", missing_text(names))]
    Missing {
        /// All that are missing.
        names: Vec<SecretName>,
    },
    /// SEC-005
    #[error(
        "these secrets were protected on another machine or with another key file (protected by {wrapped_by}; \
         here is {here}): bring the key file and machine id back, or set the secrets anew"
    )]
    ProtectedElsewhere {
        /// Which machine and key the data key was wrapped with, as fingerprints.
        wrapped_by: String,
        /// The machine and key at hand.
        here: String,
    },
    /// SEC-006
    #[error("{what} is damaged or was tampered with: restore the database, or set it anew")]
    Damaged {
        /// Which part, such as `secret 'ad/svc'` or `the data key`.
        what: String,
    },
    /// SEC-007
    #[error("key file {} can be reached by others (mode {mode:o}): run chmod 600 on it", path.display())]
    KeyFileMode {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// SEC-008
    #[error(
        "key file {} lies inside the data directory, where a copy of the data would take it along: name another \
         place in IDENTITYMESH_KEY_FILE",
        path.display()
    )]
    KeyFileInDataDirectory {
        /// The key file.
        path: PathBuf,
    },
    /// SEC-009
    #[error("key file {} is missing: restore it, or set the secrets anew if the data came from another machine", path.display())]
    KeyFileMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// SEC-010
    #[error("key file {} is not one: it should hold a single line written by this product", path.display())]
    KeyFileContent {
        /// The key file.
        path: PathBuf,
    },
    /// SEC-011
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// SEC-012
    #[error(
        "{} holds no machine id (32 hexadecimal digits): run systemd-machine-id-setup, or dbus-uuidgen --ensure={}",
        path.display(),
        path.display()
    )]
    MachineId {
        /// The machine-id file.
        path: PathBuf,
    },
    /// SEC-013
    #[error(
        "no default place for the key file: neither HOME nor XDG_CONFIG_HOME is an absolute path; set IDENTITYMESH_KEY_FILE"
    )]
    NoKeyFilePlace,
    /// SEC-014
    #[error("the data key was wrapped by protector '{wrapped_by}', but '{configured}' is configured")]
    OtherProtector {
        /// The protector that wrapped it.
        wrapped_by: String,
        /// The protector at hand.
        configured: String,
    },
    /// SEC-015
    #[error(
        "secrets are stored but their data key is not: restore the database, or remove the secrets and set them anew"
    )]
    DataKeyMissing,
    /// SEC-016
    #[error("{what} has {bytes} bytes; at most {bytes_max} are allowed")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Its size, or the size at which work was given up.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// SEC-017
    #[error("the store cannot {action}")]
    Storage {
        /// What was tried, as a verb.
        action: &'static str,
        /// Why not.
        source: StorageError,
    },
    /// SEC-018
    #[error("the cryptographic library refused to {action}")]
    Crypto {
        /// What was tried, as a verb.
        action: &'static str,
    },
}

impl SecretError {
    /// The stable code with a page in `docs/error-codes/`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name { .. } => "SEC-001",
            Self::ValueSize { .. } => "SEC-002",
            Self::Reference { .. } => "SEC-003",
            Self::Missing { .. } => "SEC-004",
            Self::ProtectedElsewhere { .. } => "SEC-005",
            Self::Damaged { .. } => "SEC-006",
            Self::KeyFileMode { .. } => "SEC-007",
            Self::KeyFileInDataDirectory { .. } => "SEC-008",
            Self::KeyFileMissing { .. } => "SEC-009",
            Self::KeyFileContent { .. } => "SEC-010",
            Self::File { .. } => "SEC-011",
            Self::MachineId { .. } => "SEC-012",
            Self::NoKeyFilePlace => "SEC-013",
            Self::OtherProtector { .. } => "SEC-014",
            Self::DataKeyMissing => "SEC-015",
            Self::TooLong { .. } => "SEC-016",
            Self::Storage { .. } => "SEC-017",
            Self::Crypto { .. } => "SEC-018",
        }
    }

    pub(crate) fn storage(action: &'static str) -> impl FnOnce(StorageError) -> Self {
        move |source| Self::Storage { action, source }
    }
}

fn missing_text(names: &[SecretName]) -> String {
    let mut text = String::from("not set: ");
    for (at, name) in names.iter().enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        let _ = write!(text, "{separator}secret '{name}' (run: identitymesh secrets set {name})");
    }
    text
}
