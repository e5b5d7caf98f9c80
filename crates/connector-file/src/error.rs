//! The codes of this crate, and the errors that end a whole call.
//!
//! A fault of one record is a finding and carries the code alone; what is here stops an import or an export. Each
//! code has a page in `docs/error-codes`. Which class an operating system error has decides whether the runner tries
//! again, so that is decided in one place.

use std::io;
use std::path::Path;

use identitymesh_connector::{Class, ConnectorError};

/// The file or folder cannot be opened or read.
pub(crate) const UNREADABLE: &str = "FIL-001";
/// The file changed while it was read, or somebody is still writing it.
pub(crate) const CHANGING: &str = "FIL-002";
/// The header lacks a column, names one twice, or is no text.
pub(crate) const HEADER: &str = "FIL-003";
/// One record is larger than any record may be.
pub(crate) const RECORD_SIZE: &str = "FIL-004";
/// A quote stands where none may, or is never closed.
pub(crate) const QUOTE: &str = "FIL-005";
/// Bytes that are no text in the file's encoding.
pub(crate) const ENCODING: &str = "FIL-006";
/// A record without a usable external id.
pub(crate) const NO_KEY: &str = "FIL-007";
/// The external id of an earlier record again.
pub(crate) const DUPLICATE: &str = "FIL-008";
/// A row with more or fewer fields than the header.
pub(crate) const FIELD_COUNT: &str = "FIL-009";
/// A value that does not fit its attribute's type or size.
pub(crate) const VALUE: &str = "FIL-010";
/// An attribute or object type that the schema does not know.
pub(crate) const UNKNOWN_NAME: &str = "FIL-011";
/// An LDIF record that is malformed.
pub(crate) const LDIF: &str = "FIL-012";
/// A JSON record that is malformed.
pub(crate) const JSON: &str = "FIL-013";
/// A record whose object type is unclear.
pub(crate) const TYPE: &str = "FIL-014";
/// More objects than memory is set aside for.
pub(crate) const TOO_MANY: &str = "FIL-015";
/// The present file has faults, and writing it again would lose what is faulty.
pub(crate) const FAULTY_TARGET: &str = "FIL-016";
/// The file cannot be written.
pub(crate) const UNWRITABLE: &str = "FIL-017";
/// The object exists already, with other content.
pub(crate) const EXISTS: &str = "FIL-018";
/// The object is not in the file.
pub(crate) const MISSING: &str = "FIL-019";
/// The file does not hold the old value.
pub(crate) const OLD_VALUE: &str = "FIL-020";
/// The format cannot hold the value.
pub(crate) const UNWRITABLE_VALUE: &str = "FIL-021";
/// The container is missing or not empty, or the address is taken.
pub(crate) const TREE: &str = "FIL-022";
/// A change record that cannot be used.
pub(crate) const CHANGE_RECORD: &str = "FIL-023";
/// The settings do not fit what is on disk.
pub(crate) const SETTINGS: &str = "FIL-024";

/// The thread that works on the file ended early.
pub(crate) const LOST_THREAD: &str = "FIL-025";

/// Reading `path` failed.
pub(crate) fn unreadable(path: &Path, error: io::Error) -> ConnectorError {
    let (class, advice) = match error.kind() {
        io::ErrorKind::NotFound => {
            (Class::Configuration, "check the setting path, and that the file is delivered")
        }
        io::ErrorKind::PermissionDenied => (
            Class::Configuration,
            "let the account that runs IdentityMesh read the file and enter its folders",
        ),
        _ => (Class::Transient, "check the disk or the network share"),
    };
    ConnectorError::new(UNREADABLE, class, format!("{} cannot be read", path.display()))
        .advice(advice)
        .caused_by(error)
}

/// Writing `path` failed; what was there before is still there.
pub(crate) fn unwritable(path: &Path, error: io::Error) -> ConnectorError {
    let (class, advice) = match error.kind() {
        io::ErrorKind::NotFound => (Class::Configuration, "create the folder first"),
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotADirectory => {
            (Class::Configuration, "let the account that runs IdentityMesh write to the folder")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            (Class::Transient, "make room on the disk; the export is tried again")
        }
        _ => (Class::Transient, "check the disk or the network share; the export is tried again"),
    };
    let message = format!("{} cannot be written; its old content is unchanged", path.display());
    ConnectorError::new(UNWRITABLE, class, message).advice(advice).caused_by(error)
}

/// The content makes it impossible to go on.
pub(crate) fn data(code: &'static str, message: impl Into<String>, advice: &str) -> ConnectorError {
    ConnectorError::new(code, Class::Data, message).advice(advice)
}

/// The settings do not fit what is on disk.
pub(crate) fn configuration(message: impl Into<String>, advice: &str) -> ConnectorError {
    ConnectorError::new(SETTINGS, Class::Configuration, message).advice(advice)
}

/// Somebody is writing `path`.
pub(crate) fn changing(path: &Path, when: &str) -> ConnectorError {
    ConnectorError::new(CHANGING, Class::Transient, format!("{} changed {when}", path.display())).advice(
        "the next run reads it; let the program that delivers the file write it under another name and rename it",
    )
}

/// The blocking thread that did the file work panicked.
pub(crate) fn lost_thread(error: tokio::task::JoinError) -> ConnectorError {
    ConnectorError::new(LOST_THREAD, Class::Bug, "the thread that works on the file ended early")
        .caused_by(error)
}
