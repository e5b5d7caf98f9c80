//! What SQLite says, sorted into the store's codes.
//!
//! Inside the crate a failure is a [`Fault`]; it becomes a [`StoreError`] once, where a call of the contract ends and
//! it is known what was being done.

use identitymesh_store::{StoreClass, StoreError};
use rusqlite::ErrorCode;

/// A failure below the contract.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite's.
    Sqlite(rusqlite::Error),
    /// Ours, ready to be handed out.
    Store(Box<StoreError>),
}

/// What functions below the contract return.
pub(crate) type Outcome<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

/// SQLite's extended code for a file whose journal has to be rolled back by somebody who may write.
const READ_ONLY_ROLLBACK: std::ffi::c_int = 8 | (3 << 8);

impl Fault {
    /// Whether the file could only not be read because an unfinished write has to be rolled back first.
    pub(crate) fn needs_a_rollback(&self) -> bool {
        matches!(self, Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) if error.extended_code == READ_ONLY_ROLLBACK)
    }

    /// The contract's error for what failed while `doing`.
    pub(crate) fn into_store(self, doing: &str) -> StoreError {
        match self {
            Self::Store(error) => *error,
            Self::Sqlite(error) => from_sqlite(error, doing),
        }
    }
}

fn from_sqlite(error: rusqlite::Error, doing: &str) -> StoreError {
    let (code, class, what, advice) = sort(&error);
    StoreError::new(code, class, format!("{doing}: {what}")).advice(advice).caused_by(error)
}

type Sorted = (&'static str, StoreClass, &'static str, &'static str);

fn sort(error: &rusqlite::Error) -> Sorted {
    match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => UNREADABLE,
        other => other.sqlite_error_code().map_or(UNEXPECTED, sort_code),
    }
}

const UNREADABLE: Sorted = (
    "STO-011",
    StoreClass::Corrupt,
    "a stored row is not what this version writes",
    "restore the last backup, or repair the row with sqlite3 while the product is stopped",
);
const UNEXPECTED: Sorted = (
    "STO-012",
    StoreClass::Bug,
    "the database refused something that should have been possible",
    "report this with the whole message; nothing of the write was kept",
);

const fn sort_code(code: ErrorCode) -> Sorted {
    match code {
        ErrorCode::DiskFull => (
            "STO-005",
            StoreClass::Transient,
            "no space is left for the store",
            "free space on the volume or raise the store's size limit, then run again; nothing of the write was kept",
        ),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => (
            "STO-006",
            StoreClass::Corrupt,
            "the store's file is damaged",
            "stop the product, keep a copy of the file, and restore the last backup",
        ),
        ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::AuthorizationForStatementDenied => (
            "STO-007",
            StoreClass::Configuration,
            "the store's file or folder cannot be opened or written",
            "check that the folder exists and that the product's user may write into it",
        ),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => (
            "STO-008",
            StoreClass::Transient,
            "another program holds the store's file",
            "end other programs that have the file open, such as sqlite3 with an open transaction",
        ),
        ErrorCode::SystemIoFailure => (
            "STO-015",
            StoreClass::Transient,
            "the disk failed to read or write",
            "look at the system's log for errors of the volume, and at quotas and limits on the size of files; then run again: \
             nothing of the write was kept",
        ),
        _ => UNEXPECTED,
    }
}

/// A stored text that cannot be read back.
pub(crate) fn unreadable(
    what: impl std::fmt::Display,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Fault {
    StoreError::new(UNREADABLE.0, UNREADABLE.1, format!("cannot read back {what}"))
        .advice(UNREADABLE.3)
        .caused_by(cause)
        .into()
}

/// A stored number or text outside its list.
pub(crate) fn unknown_word(what: &str, word: impl std::fmt::Display) -> Fault {
    StoreError::new(
        UNREADABLE.0,
        UNREADABLE.1,
        format!("a stored {what} is {word}, which stands for nothing"),
    )
    .advice(UNREADABLE.3)
    .into()
}

/// The state is not what the caller's batch expects.
pub(crate) fn conflict(code: &'static str, message: String) -> Fault {
    StoreError::new(code, StoreClass::Conflict, message)
        .advice("plan again from the present state; nothing of the write was kept")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_code_and_class() {
        let fails = |code| {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            let error = Fault::from(error).into_store("staging a page");
            (error.code, error.class)
        };
        assert_eq!(fails(rusqlite::ffi::SQLITE_FULL), ("STO-005", StoreClass::Transient));
        assert_eq!(fails(rusqlite::ffi::SQLITE_NOTADB), ("STO-006", StoreClass::Corrupt));
        assert_eq!(fails(rusqlite::ffi::SQLITE_READONLY), ("STO-007", StoreClass::Configuration));
        assert_eq!(fails(rusqlite::ffi::SQLITE_BUSY), ("STO-008", StoreClass::Transient));
        assert_eq!(fails(rusqlite::ffi::SQLITE_IOERR), ("STO-015", StoreClass::Transient));
        assert_eq!(fails(rusqlite::ffi::SQLITE_CONSTRAINT), ("STO-012", StoreClass::Bug));
    }
}
