//! Opening a database, running statements, and what SQLite's errors mean.

use std::path::Path;
use std::time::Duration;

use identitymesh_connector::{Class, ConnectorError};
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};
use tokio_util::sync::CancellationToken;

use crate::dialect::{Dialect, Sqlite};
use crate::raw::Raw;
use crate::statement::Sql;

/// Pause between two tries at a locked database.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// One connection, and how long it is patient.
pub(crate) struct Db {
    pub(crate) connection: Connection,
    /// Set when the call that is under way should end.
    pub(crate) stop: CancellationToken,
    patience: Duration,
}

impl ToSql for Raw {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A column of a row. Text that is no UTF-8 comes as bytes, which no text attribute takes.
pub(crate) fn raw(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Raw> {
    Ok(match row.get_ref(at)? {
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Raw::Text(text.to_owned()),
            Err(_) => Raw::Blob(bytes.to_vec()),
        },
        other => match SqlValue::try_from(other) {
            Ok(SqlValue::Integer(number)) => Raw::Integer(number),
            Ok(SqlValue::Real(number)) => Raw::Real(number),
            Ok(SqlValue::Blob(bytes)) => Raw::Blob(bytes),
            Ok(SqlValue::Text(text)) => Raw::Text(text),
            Ok(SqlValue::Null) | Err(_) => Raw::Null,
        },
    })
}

impl Db {
    /// Opens the file, which has to be there, and reads its first page.
    pub(crate) fn open(
        path: &Path,
        writes: bool,
        patience: Duration,
        stop: CancellationToken,
    ) -> Result<Self, ConnectorError> {
        let access =
            if writes { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
        let shown = path.display();
        let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|error| call_error(error, &format!("the database {shown} could not be opened")))?;
        let db = Self { connection, stop, patience };
        let setup = |db: &Self| {
            db.connection.busy_timeout(Duration::ZERO)?;
            db.connection.pragma_update(None, "foreign_keys", true)?;
            // A damaged or foreign file shows here and not in the middle of an import.
            db.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        };
        db.patiently(|| setup(&db))
            .map_err(|error| call_error(error, &format!("the database {shown} could not be read")))?;
        Ok(db)
    }

    /// Tries again for a while as long as the database is locked by somebody else.
    pub(crate) fn patiently<T>(&self, attempt: impl Fn() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let mut left = self.patience.as_millis() / BUSY_PAUSE.as_millis();
        loop {
            match attempt() {
                Err(error) if is_busy(&error) && left > 0 && !self.stop.is_cancelled() => {
                    left -= 1;
                    std::thread::sleep(BUSY_PAUSE);
                }
                outcome => return outcome,
            }
        }
    }

    /// Runs a query and hands each row to `take`.
    pub(crate) fn query<T>(
        &self,
        sql: &Sql,
        take: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        bind(&mut statement, sql)?;
        statement.raw_query().mapped(take).collect()
    }

    /// The single row of a query that always has one.
    pub(crate) fn one<T>(
        &self,
        sql: &Sql,
        take: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.query(sql, take)?.pop().ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) fn execute(&self, sql: &Sql) -> rusqlite::Result<usize> {
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        bind(&mut statement, sql)?;
        statement.raw_execute()
    }

    pub(crate) fn command(&self, text: &str) -> rusqlite::Result<()> {
        self.connection.execute_batch(text)
    }

    /// Ends whatever transaction is open, without effect.
    pub(crate) fn abandon(&self) {
        if !self.connection.is_autocommit() {
            // A connection that cannot even roll back says so at its next use, and closing it rolls back as well.
            drop(self.connection.execute_batch("ROLLBACK"));
        }
    }
}

fn bind(statement: &mut rusqlite::Statement<'_>, sql: &Sql) -> rusqlite::Result<()> {
    for (number, value) in (1..).zip(&sql.values) {
        // By name: a configured query may have parameters of its own before ours.
        if let Some(at) = statement.parameter_index(&Sqlite.parameter(number))? {
            statement.raw_bind_parameter(at, value)?;
        }
    }
    if let Some(at) = statement.parameter_index("@watermark")? {
        statement.raw_bind_parameter(at, sql.watermark.as_ref().unwrap_or(&Raw::Null))?;
    }
    Ok(())
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// An error that ends a whole call.
pub(crate) fn call_error(error: rusqlite::Error, attempted: &str) -> ConnectorError {
    let (code, class, what, advice) = match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => return ConnectorError::cancelled(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            let advice = "end the program that keeps the database locked, or use write-ahead logging";
            ("SQL-010", Class::Transient, "somebody else keeps it locked", advice)
        }
        Some(ErrorCode::DiskFull) => {
            ("SQL-011", Class::Transient, "the disk is full", "free space on the disk")
        }
        Some(ErrorCode::SystemIoFailure) => {
            ("SQL-011", Class::Transient, "the disk failed", "check the disk and the file system")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            let advice = "check settings.path, or restore the file from a backup";
            ("SQL-012", Class::Data, "the file is damaged or no SQLite database", advice)
        }
        Some(
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied,
        ) => {
            let advice = "give the service's account the right to write the file and its folder";
            ("SQL-013", Class::Denied, "it may not be written", advice)
        }
        Some(ErrorCode::CannotOpen) => {
            let advice =
                "check settings.path and the rights of the service's account; files are never created";
            ("SQL-001", Class::Configuration, "it is not there or may not be read", advice)
        }
        Some(ErrorCode::Unknown) | None => {
            let advice = "check the query or statement in the settings against the database";
            ("SQL-004", Class::Configuration, "SQLite does not accept the statement", advice)
        }
        Some(_) => ("SQL-015", Class::Data, "SQLite reported an error", "see the cause"),
    };
    ConnectorError::new(code, class, format!("{attempted}: {what}")).advice(advice).caused_by(error)
}
