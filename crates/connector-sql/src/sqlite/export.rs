//! Writing: a batch is one transaction, each item a savepoint within it.

use identitymesh_connector::{ConnectorError, Operation, OperationKind, Outcome, Written};
use identitymesh_model::{ItemId, Name};
use rusqlite::ErrorCode;

use super::db::{Db, call_error};
use crate::layout::Layout;

/// Why one item came to nothing.
pub(crate) enum Failure {
    /// It has an answer.
    Answer(Outcome),
    /// SQLite said no.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

pub(crate) fn refused(code: &'static str, reason: impl Into<String>, attribute: Option<Name>) -> Failure {
    Failure::Answer(Outcome::Refused {
        code,
        reason: reason.into(),
        attributes: attribute.into_iter().collect(),
    })
}

pub(crate) fn conflict(code: &'static str, reason: impl Into<String>) -> Failure {
    Failure::Answer(Outcome::Conflict { code, reason: reason.into() })
}

/// Carries out the operations, durable when this returns.
pub(crate) fn export(
    db: &Db,
    layouts: &[Layout],
    operations: &[Operation],
) -> Result<Vec<(ItemId, Outcome)>, ConnectorError> {
    let failed = |error| call_error(error, "the changes could not be written");
    db.abandon();
    // Taking the write lock first means that nothing read below can change before it is written.
    if let Err(error) = db.patiently(|| db.command("BEGIN IMMEDIATE")) {
        return all_later(error, operations);
    }
    let mut answers = Vec::with_capacity(operations.len());
    for operation in operations {
        let outcome = if db.stop.is_cancelled() {
            Err(ConnectorError::cancelled())
        } else {
            item(db, layouts, operation)
        };
        match outcome {
            Ok(outcome) => answers.push((operation.item, outcome)),
            Err(error) => {
                db.abandon();
                return Err(error);
            }
        }
    }
    match db.patiently(|| db.command("COMMIT")) {
        Ok(()) => Ok(answers),
        Err(error) => {
            db.abandon();
            match (error.sqlite_error_code(), operations) {
                // A deferred constraint fails at the end and names nobody, so each item is tried by itself.
                (Some(ErrorCode::ConstraintViolation), [single]) => Ok(vec![(single.item, refusal(&error))]),
                (Some(ErrorCode::ConstraintViolation), _) => operations
                    .iter()
                    .map(|operation| export(db, layouts, std::slice::from_ref(operation)))
                    .try_fold(Vec::new(), |mut all, answers| {
                        all.extend(answers?);
                        Ok(all)
                    }),
                (Some(ErrorCode::DatabaseBusy), _) => all_later(error, operations),
                _ => Err(failed(error)),
            }
        }
    }
}

/// Nothing was written yet, so every item may simply be tried again.
fn all_later(
    error: rusqlite::Error,
    operations: &[Operation],
) -> Result<Vec<(ItemId, Outcome)>, ConnectorError> {
    later(call_error(error, "the changes could not be written"), operations)
}

/// Every item may be tried again when somebody else kept the database locked; other errors stay errors.
pub(crate) fn later(
    error: ConnectorError,
    operations: &[Operation],
) -> Result<Vec<(ItemId, Outcome)>, ConnectorError> {
    if error.code != "SQL-010" {
        return Err(error);
    }
    let later = Outcome::Transient { code: error.code, reason: error.message, retry_after_seconds: None };
    Ok(operations.iter().map(|operation| (operation.item, later.clone())).collect())
}

fn item(db: &Db, layouts: &[Layout], operation: &Operation) -> Result<Outcome, ConnectorError> {
    let failed = |error| call_error(error, "the changes could not be written");
    let Some(layout) = layouts.iter().find(|layout| layout.object_type == operation.object_type) else {
        let reason = format!("there is no object type {}", operation.object_type);
        return Ok(Outcome::Refused { code: "SQL-007", reason, attributes: Vec::new() });
    };
    db.command("SAVEPOINT item").map_err(failed)?;
    let outcome = match &operation.kind {
        OperationKind::Create { attributes, .. } => super::create::create(db, layout, attributes),
        OperationKind::Update { identity, new_address, changes, .. } => match new_address {
            Some(_) => Err(refused("SQL-026", "rows have no addresses", None)),
            None => super::update::update(db, layout, &identity.external_id, changes),
        },
        OperationKind::Delete { identity } => super::update::delete(db, layout, &identity.external_id),
    };
    let outcome = match outcome {
        Ok(outcome) => {
            db.command("RELEASE item").map_err(failed)?;
            return Ok(outcome);
        }
        Err(Failure::Answer(outcome)) => outcome,
        Err(Failure::Database(error)) if is_about_the_item(&error) => refusal(&error),
        Err(Failure::Database(error)) => return Err(failed(error)),
    };
    db.command("ROLLBACK TO item; RELEASE item").map_err(failed)?;
    Ok(outcome)
}

/// Whether the error is about this row alone, so that the others can go on.
fn is_about_the_item(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig | ErrorCode::Unknown
        )
    )
}

/// A refusal in SQLite's words, with the columns that they name.
fn refusal(error: &rusqlite::Error) -> Outcome {
    let reason = match error {
        rusqlite::Error::SqliteFailure(_, Some(words)) => words.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    let named = reason.split_once("constraint failed: ").map(|(_, named)| named).unwrap_or_default();
    let attributes =
        named.split(", ").filter_map(|column| Name::new(column.split_once('.')?.1).ok()).collect();
    Outcome::Refused { code: "SQL-020", reason, attributes }
}

pub(crate) fn written(external_id: &str) -> Written {
    Written { external_id: Some(external_id.into()), ..Written::default() }
}

/// A row that is there and cannot be read cannot be compared either.
pub(crate) fn unreadable(finding: identitymesh_connector::ObjectFinding) -> Failure {
    conflict(finding.code, format!("the row cannot be read: {}", finding.message))
}
