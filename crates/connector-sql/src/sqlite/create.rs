//! Creating one row, and the rows of its multi-valued attributes.

use identitymesh_connector::Outcome;
use identitymesh_model::{Name, Object, Text, Value, Values};

use super::db::Db;
use super::export::{Failure, conflict, refused, unreadable, written};
use super::named;
use super::page::row_by_key;
use super::row::objects;
use crate::dialect::Sqlite;
use crate::key;
use crate::layout::{Column, Layout, RelatedTable, Writes};
use crate::raw::Raw;
use crate::statement::Statements;
use crate::value::encode;

pub(crate) fn create(db: &Db, layout: &Layout, attributes: &Object) -> Result<Outcome, Failure> {
    let mut values = vec![Raw::Null; layout.columns.len()];
    let mut sets: Vec<(&RelatedTable, Vec<Raw>)> = Vec::new();
    for (name, given) in attributes.iter() {
        match (layout.column(name), layout.related(name)) {
            (Some(at), _) => values[at] = single(&layout.columns[at], Some(given))?,
            (None, Some(related)) => sets.push((related, members(related, given.as_slice())?)),
            (None, None) => return Err(unknown(layout, name)),
        }
    }
    let key: Vec<Raw> = layout.key.iter().map(|at| values[*at].clone()).collect();
    if key.iter().all(|part| !part.is_null()) {
        let external_id = external_id(&key)?;
        if let Some(outcome) = present(db, layout, &key, &external_id, attributes)? {
            return Ok(outcome);
        }
    }
    let key = insert(db, layout, &values, key)?;
    for (related, members) in sets {
        add_members(db, related, &key, members)?;
    }
    Ok(Outcome::Applied(written(&external_id(&key)?)))
}

/// The answer when a row with this key is there already.
fn present(
    db: &Db,
    layout: &Layout,
    key: &[Raw],
    external_id: &Text,
    attributes: &Object,
) -> Result<Option<Outcome>, Failure> {
    // The deleted ones among them too: their key is taken.
    let found =
        db.query(&Statements(&Sqlite).by_key(layout, key), |row| super::row::Row::take(row, layout, 1))?;
    let Some(row) = found.into_iter().next() else { return Ok(None) };
    if row.behind[0] == Raw::Integer(1) {
        return Err(conflict(
            "SQL-025",
            format!("a row with the key {external_id} is there, marked as deleted"),
        ));
    }
    let Some(Ok(there)) = objects(db, layout, &[row])?.pop() else {
        return Err(conflict(
            "SQL-025",
            format!("a row with the key {external_id} is there and cannot be read"),
        ));
    };
    match attributes.iter().find(|(name, values)| there.attributes.get(*name) != Some(values)) {
        None => Ok(Some(Outcome::AlreadySo(written(external_id)))),
        Some((name, _)) => {
            let reason = format!("a row with the key {external_id} is there, with another {name}");
            Err(conflict("SQL-025", reason))
        }
    }
}

/// Inserts the row and returns its key, which the database may have made.
fn insert(db: &Db, layout: &Layout, values: &[Raw], key: Vec<Raw>) -> Result<Vec<Raw>, Failure> {
    let returned = match &layout.named.insert {
        Some(text) => named::run(db, layout, text, None, values)?,
        None => {
            writable(layout)?;
            let given = layout.columns.iter().zip(values).filter(|(_, value)| !value.is_null());
            let assigned = given.map(|(column, value)| (column.sql.as_str(), value.clone())).collect();
            db.execute(&Statements(&Sqlite).insert(&layout.source, assigned))?;
            None
        }
    };
    if let Some(returned) = returned {
        return Ok(returned);
    }
    if key.iter().all(|part| !part.is_null()) {
        return Ok(key);
    }
    let missing = || refused("SQL-027", "the new row has no key, and the database made none", None);
    if layout.writes != Writes::Table {
        return Err(missing());
    }
    let sql = Statements(&Sqlite).key_of_new_row(layout, db.connection.last_insert_rowid());
    let count = layout.key.len();
    let keys = db.query(&sql, |row| (0..count).map(|at| super::db::raw(row, at)).collect())?;
    keys.into_iter()
        .next()
        .filter(|key: &Vec<Raw>| key.iter().all(|part| !part.is_null()))
        .ok_or_else(missing)
}

/// Adds values that are not there yet.
pub(crate) fn add_members(
    db: &Db,
    related: &RelatedTable,
    key: &[Raw],
    members: Vec<Raw>,
) -> Result<(), Failure> {
    for member in members {
        let names = related.key.iter().map(String::as_str).chain([related.value.sql.as_str()]);
        let assigned = names.zip(key.iter().cloned().chain([member])).collect();
        db.execute(&Statements(&Sqlite).insert(&related.table, assigned))?;
    }
    Ok(())
}

pub(crate) fn writable(layout: &Layout) -> Result<(), Failure> {
    match layout.writes {
        Writes::Nothing => {
            let reason =
                format!("{} comes from a query and has no statement to write it", layout.object_type);
            Err(refused("SQL-028", reason, None))
        }
        Writes::Table | Writes::View => Ok(()),
    }
}

pub(crate) fn external_id(key: &[Raw]) -> Result<Text, Failure> {
    key::join(key)
        .ok_or_else(|| refused("SQL-027", "the key is no external id: empty, too long, or no text", None))
}

/// What is bound for a single-valued attribute.
pub(crate) fn single(column: &Column, values: Option<&Values>) -> Result<Raw, Failure> {
    let name = column.attribute;
    if column.read_only {
        return Err(refused("SQL-026", format!("{name} is kept by the database"), Some(name)));
    }
    match values {
        None => Ok(Raw::Null),
        Some(Values::One(value)) => {
            encode(value, column).map_err(|why| refused("SQL-021", format!("{name} {why}"), Some(name)))
        }
        Some(Values::Set(_)) => Err(refused("SQL-021", format!("{name} holds one value"), Some(name))),
    }
}

pub(crate) fn members(related: &RelatedTable, values: &[Value]) -> Result<Vec<Raw>, Failure> {
    let encoded = values.iter().map(|value| encode(value, &related.value));
    let name = related.value.attribute;
    encoded.collect::<Result<_, _>>().map_err(|why| refused("SQL-021", format!("{name} {why}"), Some(name)))
}

pub(crate) fn unknown(layout: &Layout, name: Name) -> Failure {
    refused("SQL-026", format!("{} has no column {name}", layout.object_type), Some(name))
}

/// The live row with this key as an object, with its columns as they are stored.
pub(crate) fn current(db: &Db, layout: &Layout, key: &[Raw]) -> Result<Option<(Object, Vec<Raw>)>, Failure> {
    let Some(row) = row_by_key(db, layout, key)? else { return Ok(None) };
    let stored = row.columns.clone();
    match objects(db, layout, &[row])?.pop() {
        Some(Ok(object)) => Ok(Some((object.attributes, stored))),
        Some(Err(finding)) => Err(unreadable(finding)),
        None => Ok(None),
    }
}
