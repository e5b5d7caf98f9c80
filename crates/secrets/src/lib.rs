//! Secrets at rest and on their way to use.
//!
//! A [`Vault`] encrypts values under a random data key that a [`Protector`] wraps with what belongs to this host,
//! and keeps both in the caller's [`SecretStorage`]. Settings name secrets as `{{secret:name}}`; the vault resolves
//! them at use, and its [`Redactor`] takes their values out of any text that leaves the process. No interface
//! reads a value back. Pointer: security, section "Secrets".

mod cipher;
mod error;
#[cfg(unix)]
mod key_file;
pub mod memory;
mod name;
mod protector;
mod redactor;
mod reference;
mod storage;
mod vault;

pub use error::{SecretError, StorageError};
#[cfg(unix)]
pub use key_file::{
    KEY_FILE_VARIABLE, KeyFileProtector, MACHINE_ID_PATH, default_key_file_path, is_running_as_root,
};
pub use name::{SECRET_NAME_BYTES_MAX, SecretName};
pub use protector::Protector;
pub use redactor::{REDACTED, REDACTED_VALUE_CHARS_MIN, Redactor};
pub use reference::{TEXT_BYTES_MAX, references, rewrite};
pub use secrecy::SecretString;
pub use storage::{SecretChange, SecretInfo, SecretRecord, SecretStorage, WrappedKey};
pub use vault::{CheckReport, DESCRIPTION_BYTES_MAX, ResolvedString, SECRET_VALUE_BYTES_MAX, Vault};
