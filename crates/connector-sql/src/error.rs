//! Errors of whole calls; their codes have pages in `docs/error-codes`.

use identitymesh_connector::{Class, ConnectorError};

/// Names that are there, for errors about one that is not.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

pub(crate) fn configuration(code: &'static str, message: impl Into<String>) -> ConnectorError {
    ConnectorError::new(code, Class::Configuration, message)
}

pub(crate) fn no_table(table: &str, known: &[String]) -> ConnectorError {
    let known = listed(known.iter().map(String::as_str));
    configuration("SQL-002", format!("there is no table or view {table:?}; there is {known}"))
}

pub(crate) fn no_column(column: &str, of: &str, known: &[String]) -> ConnectorError {
    let known = listed(known.iter().map(String::as_str));
    configuration("SQL-003", format!("{of} has no column {column:?}; it has {known}"))
}

pub(crate) fn unknown_type<'a>(
    object_type: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> ConnectorError {
    let known = listed(known);
    configuration("SQL-007", format!("there is no object type {object_type}; settings.types has {known}"))
}

pub(crate) fn watermark_refused(why: impl Into<String>) -> ConnectorError {
    ConnectorError::new("CON-010", Class::Conflict, why).advice("run a full import")
}
