//! From rows to objects, their multi-valued attributes included.

use std::collections::HashMap;

use identitymesh_connector::{ImportedObject, ObjectFinding};
use identitymesh_model::{Name, Object, Text, Value, Values};

use super::db::{Db, raw};
use crate::dialect::Sqlite;
use crate::key;
use crate::layout::Layout;
use crate::raw::Raw;
use crate::statement::Statements;
use crate::value::decode;

/// How many keys one query for related rows names; SQLite bounds the depth of expressions to a thousand.
const OWNERS_MAX: usize = 100;

/// The columns of one row, and what stands behind them.
pub(crate) struct Row {
    pub(crate) columns: Vec<Raw>,
    pub(crate) behind: Vec<Raw>,
}

impl Row {
    pub(crate) fn take(row: &rusqlite::Row<'_>, layout: &Layout, behind: usize) -> rusqlite::Result<Self> {
        let count = layout.columns.len();
        let all = |range: std::ops::Range<usize>| {
            range.map(|at| raw(row, at)).collect::<rusqlite::Result<Vec<Raw>>>()
        };
        Ok(Self { columns: all(0..count)?, behind: all(count..count + behind)? })
    }

    pub(crate) fn key(&self, layout: &Layout) -> Vec<Raw> {
        layout.key.iter().map(|at| self.columns[*at].clone()).collect()
    }
}

/// An object, or why there is none.
pub(crate) type Read = Result<ImportedObject, ObjectFinding>;

/// The objects of these rows, in their order.
pub(crate) fn objects(db: &Db, layout: &Layout, rows: &[Row]) -> rusqlite::Result<Vec<Read>> {
    let mut read: Vec<Read> = rows.iter().map(|row| object(layout, row)).collect();
    for related in &layout.related {
        for (rows, read) in rows.chunks(OWNERS_MAX).zip(read.chunks_mut(OWNERS_MAX)) {
            let owners: Vec<Vec<Raw>> = rows.iter().map(|row| row.key(layout)).collect();
            let count = layout.key.len();
            let found = db.query(&Statements(&Sqlite).related(related, &owners), |row| {
                let owner = (0..count).map(|at| raw(row, at)).collect::<rusqlite::Result<Vec<Raw>>>()?;
                Ok((key::join(&owner), raw(row, count)?))
            })?;
            let mut by_owner: HashMap<Option<Text>, Vec<Raw>> = HashMap::new();
            for (owner, value) in found {
                by_owner.entry(owner).or_default().push(value);
            }
            for (row, read) in rows.iter().zip(read) {
                let values = by_owner.remove(&key::join(&row.key(layout))).unwrap_or_default();
                let decoded: Result<Vec<Option<Value>>, String> = values
                    .into_iter()
                    .map(|value| decode(value, &related.value, layout.empty_is_absent))
                    .collect();
                put(
                    layout,
                    read,
                    related.value.attribute,
                    decoded.map(|values| Values::set(values.into_iter().flatten().collect())),
                );
            }
        }
    }
    Ok(read)
}

fn object(layout: &Layout, row: &Row) -> Read {
    let Some(external_id) = key::join(&row.key(layout)) else {
        return Err(ObjectFinding {
            code: "SQL-030",
            object_type: Some(layout.object_type),
            external_id: None,
            location: None,
            message: format!(
                "the key is no text or number, empty, or longer than {} bytes",
                key::EXTERNAL_ID_BYTES_MAX
            ),
        });
    };
    let attributes = Object::with_capacity(layout.columns.len() + layout.related.len());
    let mut read = Ok(ImportedObject::whole(layout.object_type, external_id, attributes));
    for (column, value) in layout.columns.iter().zip(&row.columns) {
        let decoded = decode(value.clone(), column, layout.empty_is_absent);
        put(layout, &mut read, column.attribute, decoded.map(|value| value.map(Values::One)));
    }
    read
}

/// Sets the attribute; content that cannot be read turns the object into a finding.
fn put(layout: &Layout, read: &mut Read, name: Name, values: Result<Option<Values>, String>) {
    let Ok(object) = read else { return };
    match values {
        Ok(values) => drop(object.attributes.put(name, values)),
        Err(why) => {
            *read = Err(ObjectFinding {
                code: "SQL-031",
                object_type: Some(layout.object_type),
                external_id: Some(object.external_id.clone()),
                location: Some(format!("column {name}")),
                message: format!("{name} {why}"),
            });
        }
    }
}
