//! Texts of statements, with what is bound to them.
//!
//! Pure. Identifiers come quoted from the [`Layout`], values only ever as parameters.

use crate::dialect::Dialect;
use crate::layout::{Changes, Layout, RelatedTable};
use crate::raw::Raw;

/// A statement and its values, the first for parameter 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) values: Vec<Raw>,
    /// What `@watermark` is, where a configured query has it.
    pub(crate) watermark: Option<Raw>,
}

impl Sql {
    fn bind(&mut self, dialect: &dyn Dialect, value: Raw) -> String {
        self.values.push(value);
        dialect.parameter(self.values.len())
    }

    fn finish(mut self, text: String) -> Self {
        self.text = text;
        self
    }
}

/// Builds statements for one database.
#[derive(Clone, Copy)]
pub(crate) struct Statements<'d>(pub(crate) &'d dyn Dialect);

impl Statements<'_> {
    /// Live rows with a key after `after`, in the order of the key.
    pub(crate) fn full_page(self, layout: &Layout, after: Option<&[Raw]>, limit: usize) -> Sql {
        let mut sql = started(layout, None);
        let mut conditions = self.live(layout, &mut sql);
        conditions.push(has_key(layout));
        if let Some(after) = after {
            conditions.push(self.beyond(&mut sql, &keys(layout), after));
        }
        let text = format!(
            "SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {limit}",
            columns(layout),
            layout.source,
            conditions.join(" AND "),
            keys(layout).join(", "),
        );
        sql.finish(text)
    }

    /// How many live rows have a key, and how many have none.
    pub(crate) fn count(self, layout: &Layout) -> Sql {
        let mut sql = started(layout, None);
        let mut conditions = self.live(layout, &mut sql);
        conditions.push("1 = 1".to_owned());
        let keyed = has_key(layout);
        let text = format!(
            "SELECT count(CASE WHEN {keyed} THEN 1 END), count(*) FROM {} WHERE {}",
            layout.source,
            conditions.join(" AND "),
        );
        sql.finish(text)
    }

    /// The highest mark there is.
    pub(crate) fn highest(self, layout: &Layout, column: &str) -> Sql {
        started(layout, None).finish(format!("SELECT max({column}) FROM {}", layout.source))
    }

    /// Rows at or after the mark `since`, beyond the row `after`, in the order of mark and key; behind the columns
    /// stand whether the row counts as deleted, and its mark.
    pub(crate) fn marked_page(
        self,
        layout: &Layout,
        mark: &str,
        since: &Raw,
        after: Option<&[Raw]>,
        limit: usize,
    ) -> Sql {
        let mut sql = started(layout, Some(since));
        let deleted = match &layout.deleted {
            Some((column, value)) => {
                let value = sql.bind(self.0, value.clone());
                format!("CASE WHEN {} THEN 1 ELSE 0 END", self.0.same(column, &value))
            }
            None => "0".to_owned(),
        };
        let mut conditions = vec![has_key(layout), format!("{mark} IS NOT NULL")];
        let mut order = vec![mark.to_owned()];
        order.extend(keys(layout));
        match (after, since) {
            (Some(after), _) => conditions.push(self.beyond(&mut sql, &order, after)),
            (None, Raw::Null) => {}
            (None, since) => conditions.push(format!("{mark} >= {}", sql.bind(self.0, since.clone()))),
        }
        let text = format!(
            "SELECT {}, {deleted}, {mark} FROM {} WHERE {} ORDER BY {} LIMIT {limit}",
            columns(layout),
            layout.source,
            conditions.join(" AND "),
            order.join(", "),
        );
        sql.finish(text)
    }

    /// Entries of a change table after `since`: the key, the operation or null, the entry's number.
    pub(crate) fn change_page(self, changes: &Changes, since: &Raw, limit: usize) -> Sql {
        let mut sql = Sql::default();
        let condition = match since {
            Raw::Null => format!("{} IS NOT NULL", changes.sequence),
            since => format!("{} > {}", changes.sequence, sql.bind(self.0, since.clone())),
        };
        let text = format!(
            "SELECT {}, {}, {} FROM {} WHERE {condition} ORDER BY {} LIMIT {limit}",
            changes.key.join(", "),
            changes.operation.as_deref().unwrap_or("NULL"),
            changes.sequence,
            changes.table,
            changes.sequence,
        );
        sql.finish(text)
    }

    /// The highest number in a change table.
    pub(crate) fn highest_change(self, changes: &Changes) -> Sql {
        Sql::default().finish(format!("SELECT max({}) FROM {}", changes.sequence, changes.table))
    }

    /// The row with this key; behind the columns stands whether it counts as deleted. Two rows at most, so that a
    /// key which is none is noticed.
    pub(crate) fn by_key(self, layout: &Layout, key: &[Raw]) -> Sql {
        let mut sql = started(layout, None);
        let deleted = match &layout.deleted {
            Some((column, value)) => {
                let value = sql.bind(self.0, value.clone());
                format!("CASE WHEN {} THEN 1 ELSE 0 END", self.0.same(column, &value))
            }
            None => "0".to_owned(),
        };
        let condition = self.equal(&mut sql, &keys(layout), key);
        sql.finish(format!(
            "SELECT {}, {deleted} FROM {} WHERE {condition} LIMIT 2",
            columns(layout),
            layout.source
        ))
    }

    /// The key columns of the row that was inserted last.
    pub(crate) fn key_of_new_row(self, layout: &Layout, row: i64) -> Sql {
        let mut sql = Sql::default();
        let row = sql.bind(self.0, Raw::Integer(row));
        sql.finish(format!("SELECT {} FROM {} WHERE rowid = {row}", keys(layout).join(", "), layout.source))
    }

    /// Values of a multi-valued attribute for these keys: the key, the value.
    pub(crate) fn related(self, related: &RelatedTable, owners: &[Vec<Raw>]) -> Sql {
        let mut sql = Sql::default();
        let owners: Vec<String> =
            owners.iter().map(|key| format!("({})", self.equal(&mut sql, &related.key, key))).collect();
        let text = format!(
            "SELECT {}, {} FROM {} WHERE {} IS NOT NULL AND ({})",
            related.key.join(", "),
            related.value.sql,
            related.table,
            related.value.sql,
            owners.join(" OR "),
        );
        sql.finish(text)
    }

    pub(crate) fn insert(self, table: &str, assigned: Vec<(&str, Raw)>) -> Sql {
        let mut sql = Sql::default();
        if assigned.is_empty() {
            return sql.finish(format!("INSERT INTO {table} DEFAULT VALUES"));
        }
        let names: Vec<&str> = assigned.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        let values: Vec<String> = assigned.into_iter().map(|(_, value)| sql.bind(self.0, value)).collect();
        sql.finish(format!("INSERT INTO {table} ({names}) VALUES ({})", values.join(", ")))
    }

    /// Sets columns of the row with this key as long as they hold what they held.
    pub(crate) fn update(self, layout: &Layout, key: &[Raw], assigned: Vec<(&str, Raw, Raw)>) -> Sql {
        let mut sql = Sql::default();
        let (mut sets, mut conditions) = (Vec::new(), Vec::new());
        for (column, old, new) in assigned {
            let new = sql.bind(self.0, new);
            sets.push(format!("{column} = {new}"));
            let old = sql.bind(self.0, old);
            conditions.push(self.0.same(column, &old));
        }
        conditions.insert(0, self.equal(&mut sql, &keys(layout), key));
        let text =
            format!("UPDATE {} SET {} WHERE {}", layout.source, sets.join(", "), conditions.join(" AND "));
        sql.finish(text)
    }

    pub(crate) fn delete(self, table: &str, columns: &[String], values: &[Raw]) -> Sql {
        let mut sql = Sql::default();
        let condition = self.equal(&mut sql, columns, values);
        sql.finish(format!("DELETE FROM {table} WHERE {condition}"))
    }

    fn live(self, layout: &Layout, sql: &mut Sql) -> Vec<String> {
        let live = |(column, value): &(String, Raw)| {
            let value = sql.bind(self.0, value.clone());
            format!("NOT ({})", self.0.same(column, &value))
        };
        layout.deleted.iter().map(live).collect()
    }

    fn equal(self, sql: &mut Sql, columns: &[String], values: &[Raw]) -> String {
        let pairs = columns.iter().zip(values);
        let equal: Vec<String> =
            pairs.map(|(column, value)| format!("{column} = {}", sql.bind(self.0, value.clone()))).collect();
        equal.join(" AND ")
    }

    fn beyond(self, sql: &mut Sql, columns: &[String], values: &[Raw]) -> String {
        let values: Vec<String> = values.iter().map(|value| sql.bind(self.0, value.clone())).collect();
        format!("({}) > ({})", columns.join(", "), values.join(", "))
    }
}

/// A statement on the source of a layout, whose query may want to know the mark.
fn started(layout: &Layout, since: Option<&Raw>) -> Sql {
    let since = since.filter(|since| !since.is_null()).cloned();
    let watermark = layout.watermark_start.clone().map(|start| since.unwrap_or(start));
    Sql { watermark, ..Sql::default() }
}

fn columns(layout: &Layout) -> String {
    let names: Vec<&str> = layout.columns.iter().map(|column| column.sql.as_str()).collect();
    names.join(", ")
}

pub(crate) fn keys(layout: &Layout) -> Vec<String> {
    layout.key_columns().map(|column| column.sql.clone()).collect()
}

fn has_key(layout: &Layout) -> String {
    let present: Vec<String> =
        layout.key_columns().map(|column| format!("{} IS NOT NULL", column.sql)).collect();
    format!("({})", present.join(" AND "))
}
