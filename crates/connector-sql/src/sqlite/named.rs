//! Statements that a person wrote: `:column` is bound to the object's value, `:external_id` to its external id.

use identitymesh_connector::ConnectorError;
use identitymesh_model::Name;

use super::db::{Db, call_error};
use crate::error::{configuration, listed};
use crate::layout::Layout;
use crate::raw::Raw;

/// The parameter that stands for the external id.
const EXTERNAL_ID: &str = "external_id";

/// Prepares the statements of a layout and looks at their parameters.
pub(crate) fn check(db: &Db, layout: &Layout) -> Result<(), ConnectorError> {
    let named = &layout.named;
    for (word, text) in [
        ("insert_statement", &named.insert),
        ("update_statement", &named.update),
        ("delete_statement", &named.delete),
    ] {
        let Some(text) = text else { continue };
        let title = format!("the {word} of {}", layout.object_type);
        let statement = db
            .connection
            .prepare(text)
            .map_err(|error| call_error(error, &format!("{title} could not be prepared")))?;
        for at in 1..=statement.parameter_count() {
            let parameter = statement.parameter_name(at).unwrap_or("?");
            if place(layout, parameter).is_none() {
                let known = layout.columns.iter().map(|column| column.attribute.as_str());
                let message = format!(
                    "{title} has the parameter {parameter}; there is :{EXTERNAL_ID} and, each with a colon, {}",
                    listed(known)
                );
                return Err(configuration("SQL-005", message));
            }
        }
    }
    Ok(())
}

/// What a parameter stands for.
enum Place {
    ExternalId,
    Column(usize),
}

fn place(layout: &Layout, parameter: &str) -> Option<Place> {
    let word = parameter.strip_prefix(':')?;
    let column = Name::new(word).ok().and_then(|name| layout.column(name));
    match column {
        Some(at) => Some(Place::Column(at)),
        None => (word == EXTERNAL_ID).then_some(Place::ExternalId),
    }
}

/// Runs the statement with the object's columns; the key columns that it returns, when it returns any.
pub(crate) fn run(
    db: &Db,
    layout: &Layout,
    text: &str,
    external_id: Option<&str>,
    values: &[Raw],
) -> rusqlite::Result<Option<Vec<Raw>>> {
    let mut statement = db.connection.prepare_cached(text)?;
    for at in 1..=statement.parameter_count() {
        let parameter = statement.parameter_name(at).unwrap_or_default().to_owned();
        match place(layout, &parameter) {
            Some(Place::Column(column)) => statement.raw_bind_parameter(at, &values[column])?,
            Some(Place::ExternalId) => statement.raw_bind_parameter(at, external_id)?,
            // The statement was checked when the session opened.
            None => return Err(rusqlite::Error::InvalidParameterName(parameter)),
        }
    }
    let count = statement.column_count();
    let mut rows = statement.raw_query();
    let mut returned = None;
    while let Some(row) = rows.next()? {
        let key = (0..count).map(|at| super::db::raw(row, at)).collect::<rusqlite::Result<Vec<Raw>>>()?;
        returned.get_or_insert(key);
    }
    Ok(returned.filter(|key| key.len() == layout.key.len()))
}
