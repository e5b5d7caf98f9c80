//! One object type as found in the database: settings and discovered columns brought together.
//!
//! Every identifier in here is quoted already and was found in the database; nothing else is ever put into a
//! statement.

use identitymesh_model::{AttributeSchema, AttributeType, Name, ObjectSchema, ValueType};

use crate::dialect::Storage;
use crate::raw::Raw;

/// One object type.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) object_type: Name,
    /// What stands after `FROM`: a quoted table, or a query in parentheses.
    pub(crate) source: String,
    pub(crate) writes: Writes,
    pub(crate) columns: Vec<Column>,
    /// Places of the key in `columns`.
    pub(crate) key: Vec<usize>,
    pub(crate) watermark: Option<String>,
    /// What `@watermark` is in a full read, for queries that have it.
    pub(crate) watermark_start: Option<Raw>,
    pub(crate) deleted: Option<(String, Raw)>,
    pub(crate) changes: Option<Changes>,
    pub(crate) related: Vec<RelatedTable>,
    pub(crate) named: Named,
    pub(crate) empty_is_absent: bool,
}

/// What generated statements write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    /// A table: the database counts changed rows.
    Table,
    /// A view with triggers, which counts nothing.
    View,
    /// A query, which takes no generated statement.
    Nothing,
}

/// A column that is an attribute.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) sql: String,
    pub(crate) attribute: Name,
    pub(crate) value: ValueType,
    pub(crate) storage: Storage,
    /// The database computes it, or it is how changes and deletions are told.
    pub(crate) read_only: bool,
}

/// A table of changes.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    pub(crate) table: String,
    pub(crate) sequence: String,
    pub(crate) key: Vec<String>,
    pub(crate) operation: Option<String>,
    pub(crate) delete_values: Vec<String>,
}

/// A table that holds the values of a multi-valued attribute.
#[derive(Clone, Debug)]
pub(crate) struct RelatedTable {
    pub(crate) table: String,
    pub(crate) key: Vec<String>,
    /// The column of the values; its attribute is that of the object.
    pub(crate) value: Column,
}

/// Statements that a person wrote instead of the generated ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    pub(crate) insert: Option<String>,
    pub(crate) update: Option<String>,
    pub(crate) delete: Option<String>,
}

impl Layout {
    pub(crate) fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().map(|at| &self.columns[*at])
    }

    pub(crate) fn column(&self, attribute: Name) -> Option<usize> {
        self.columns.iter().position(|column| column.attribute == attribute)
    }

    pub(crate) fn related(&self, attribute: Name) -> Option<&RelatedTable> {
        self.related.iter().find(|related| related.value.attribute == attribute)
    }

    pub(crate) fn schema(&self) -> ObjectSchema {
        let single = self.columns.iter().map(|column| AttributeSchema {
            read_only: column.read_only,
            ..AttributeSchema::new(column.attribute, AttributeType { value: column.value, multi: false })
        });
        let multi = self.related.iter().map(|related| {
            let kind = AttributeType { value: related.value.value, multi: true };
            AttributeSchema::new(related.value.attribute, kind)
        });
        ObjectSchema {
            object_type: self.object_type,
            address: None,
            attributes: single.chain(multi).collect(),
        }
    }

    /// The key columns' values of the row that an external id names; `None` when it can name none.
    pub(crate) fn key_of(&self, external_id: &str) -> Option<Vec<Raw>> {
        let parts = crate::key::split(external_id, self.key.len())?;
        Some(self.key_columns().zip(parts).map(|(column, part)| key_part(column, part)).collect())
    }
}

/// Text that is exactly a whole number is one where the column holds numbers.
fn key_part(column: &Column, part: String) -> Raw {
    match part.parse::<i64>() {
        Ok(number) if column.storage == Storage::Integer && number.to_string() == part => {
            Raw::Integer(number)
        }
        _ => Raw::Text(part),
    }
}
