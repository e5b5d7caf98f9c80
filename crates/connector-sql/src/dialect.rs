//! What one database's SQL does differently from another's.
//!
//! The seam at which PostgreSQL, MySQL and SQL Server join: everything above it builds statements from these few
//! words, everything below it is a driver.

use identitymesh_model::ValueType;

/// How a column stores what is bound to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// Whole numbers; text that looks like one becomes one.
    Integer,
    /// Numbers; text that looks like one becomes one.
    Number,
    /// Text.
    Text,
    /// Days without a time, as text.
    Date,
    /// Bytes, or whatever is bound, unchanged.
    Bytes,
}

/// The words of one database.
pub(crate) trait Dialect: Send + Sync {
    /// An identifier that can hold any character.
    fn quoted(&self, identifier: &str) -> String;

    /// The placeholder of the `number`th value, counted from one.
    fn parameter(&self, number: usize) -> String;

    /// Whether two operands are equal or both null.
    fn same(&self, left: &str, right: &str) -> String;

    /// What a column of this declared type holds, and how.
    fn column_type(&self, declared: &str) -> (ValueType, Storage);
}

/// SQLite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sqlite;

impl Dialect for Sqlite {
    fn quoted(&self, identifier: &str) -> String {
        format!("\"{}\"", identifier.replace('"', "\"\""))
    }

    fn parameter(&self, number: usize) -> String {
        // Named, because a configured query may bring parameters of its own.
        format!(":mesh_{number}")
    }

    fn same(&self, left: &str, right: &str) -> String {
        format!("{left} IS {right}")
    }

    fn column_type(&self, declared: &str) -> (ValueType, Storage) {
        let declared = declared.to_ascii_uppercase();
        let holds = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        // In the order of SQLite's own rules of affinity, with the words that they do not know first.
        match () {
            () if holds(&["BOOL"]) => (ValueType::Boolean, Storage::Number),
            () if declared == "DATE" => (ValueType::DateTime, Storage::Date),
            () if holds(&["DATE", "TIME"]) => (ValueType::DateTime, Storage::Text),
            () if holds(&["INT"]) => (ValueType::Integer, Storage::Integer),
            () if holds(&["CHAR", "CLOB", "TEXT"]) => (ValueType::String, Storage::Text),
            () if holds(&["BLOB"]) => (ValueType::Binary, Storage::Bytes),
            () if declared.is_empty() => (ValueType::String, Storage::Bytes),
            () => (ValueType::String, Storage::Number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_cannot_end_their_quotes() {
        assert_eq!(Sqlite.quoted("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
    }

    #[test]
    fn declared_types_are_read_as_sqlite_reads_them() {
        for (declared, value) in [
            ("INTEGER", ValueType::Integer),
            ("bigint", ValueType::Integer),
            ("VARCHAR(20)", ValueType::String),
            ("Boolean", ValueType::Boolean),
            ("DATETIME", ValueType::DateTime),
            ("timestamp", ValueType::DateTime),
            ("BLOB", ValueType::Binary),
            ("DECIMAL(10,2)", ValueType::String),
            ("", ValueType::String),
        ] {
            assert_eq!(Sqlite.column_type(declared).0, value, "{declared}");
        }
    }
}
