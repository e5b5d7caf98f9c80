//! The driver without the product: the same rows written and looked up by plain statements.
//!
//! A measurement's yardstick. What the product wrote is read back and written once more into an empty file of the
//! same schema and settings, table by table, in transactions of the same size; only writing is timed. So a ratio says
//! what the product costs beyond the bytes themselves, on this disk, at this minute.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use identitymesh_model::Timestamp;
use identitymesh_store::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use crate::connection::{self, Place};
use crate::fault::Outcome;
use crate::schema;

/// Rows that the small transactions of a delta touch.
const DELTA_ROWS: i64 = 100;
/// Rows that are held at once while everything is read.
const READ_ROWS: u64 = 5_000;

/// Time that went by since some fixed moment.
pub type Elapsed<'a> = &'a dyn Fn() -> Duration;

/// Rows of one table: its name, and a condition on them.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// The table.
    pub table: &'static str,
    /// An SQL condition.
    pub condition: &'static str,
}

impl Rows {
    /// All rows of a table.
    #[must_use]
    pub const fn all(table: &'static str) -> Self {
        Self { table, condition: "TRUE" }
    }

    fn select(self, what: &str) -> String {
        format!("SELECT {what} FROM {} WHERE {}", self.table, self.condition)
    }
}

/// How long it took to write `tables` of the store at `from` into the store at `to`, which is made when it is not
/// there, in `batches` transactions.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy_rows(
    from: &Path,
    to: &Path,
    tables: &[Rows],
    batches: u64,
    elapsed: Elapsed<'_>,
) -> Result<Duration, StoreError> {
    let copy = || -> Outcome<Duration> {
        let source = connection::reader(&Place::plain(from))?;
        let mut target = connection::writer(&Place::plain(to), None)?;
        schema::migrate(&mut target, to, Timestamp::EPOCH)?;
        let counts: Vec<u64> = tables.iter().map(|rows| count(&source, *rows)).collect::<Outcome<_>>()?;
        let texts: Vec<String> = tables.iter().map(|rows| rows.select("*")).collect();
        let mut statements = texts.iter().map(|sql| source.prepare(sql)).collect::<Result<Vec<_>, _>>()?;
        let inserts: Vec<String> = tables
            .iter()
            .zip(&statements)
            .map(|(rows, statement)| insert(rows.table, statement.column_count()))
            .collect();
        let mut streams =
            statements.iter_mut().map(|statement| statement.query([])).collect::<Result<Vec<_>, _>>()?;
        let mut spent = Duration::ZERO;
        for _ in 0..batches {
            let mut parts = Vec::with_capacity(tables.len());
            for (stream, rows) in streams.iter_mut().zip(&counts) {
                parts.push(take(stream, rows.div_ceil(batches))?);
            }
            let begun = elapsed();
            write(&mut target, &inserts, parts)?;
            spent += elapsed().saturating_sub(begun);
        }
        Ok(spent)
    };
    copy().map_err(|fault| fault.into_store("writing rows with the plain driver"))
}

/// How long it took to read `tables` of the store at `path` from one end to the other.
///
/// # Errors
/// When the file cannot be read.
pub fn read_rows(path: &Path, tables: &[Rows], elapsed: Elapsed<'_>) -> Result<Duration, StoreError> {
    let read = || -> Outcome<Duration> {
        let conn = connection::reader(&Place::plain(path))?;
        let begun = elapsed();
        for rows in tables {
            let mut statement = conn.prepare(&rows.select("*"))?;
            let mut stream = statement.query([])?;
            while !take(&mut stream, READ_ROWS)?.is_empty() {}
        }
        Ok(elapsed().saturating_sub(begun))
    };
    read().map_err(|fault| fault.into_store("reading rows with the plain driver"))
}

fn count(conn: &Connection, rows: Rows) -> Outcome<u64> {
    let rows: i64 = conn.query_row(&rows.select("count(*)"), [], |row| row.get(0))?;
    Ok(rows.unsigned_abs())
}

fn insert(table: &str, columns: usize) -> String {
    let marks = vec!["?"; columns].join(", ");
    format!("INSERT INTO {table} VALUES ({marks})")
}

fn take(stream: &mut rusqlite::Rows<'_>, limit: u64) -> Outcome<Vec<Vec<Value>>> {
    let mut rows = Vec::new();
    while (rows.len() as u64) < limit {
        let Some(row) = stream.next()? else { break };
        let columns = row.as_ref().column_count();
        rows.push((0..columns).map(|at| row.get(at)).collect::<Result<Vec<Value>, _>>()?);
    }
    Ok(rows)
}

fn write(target: &mut Connection, inserts: &[String], parts: Vec<Vec<Vec<Value>>>) -> Outcome<()> {
    let transaction = target.transaction()?;
    for (sql, rows) in inserts.iter().zip(parts) {
        let mut statement = transaction.prepare_cached(sql)?;
        for row in rows {
            statement.execute(params_from_iter(row))?;
        }
    }
    Ok(transaction.commit()?)
}

/// How long it took to look up every management-space object of the store at `path`, which holds one connector's only,
/// by its external id, `batch` ids a statement; and how many there are.
///
/// # Errors
/// When the file cannot be read.
pub fn look_up(path: &Path, batch: u64, elapsed: Elapsed<'_>) -> Result<(u64, Duration), StoreError> {
    let look = || -> Outcome<(u64, Duration)> {
        let source = connection::reader(&Place::plain(path))?;
        let looking = connection::reader(&Place::plain(path))?;
        let mut ids = source.prepare("SELECT external_id FROM space_object ORDER BY id")?;
        let mut stream = ids.query([])?;
        let mut statement = looking.prepare(
            "SELECT o.id, o.hash FROM rarray(?1) k CROSS JOIN space_object o INDEXED BY space_external \
             ON o.connector = ?2 AND o.type = ?3 AND o.external_id = k.value",
        )?;
        let partition: (i64, i64) =
            looking.query_row("SELECT connector, type FROM space_object LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let (mut found, mut spent) = (0, Duration::ZERO);
        loop {
            let mut keys: Vec<Value> = take(&mut stream, batch)?.into_iter().flatten().collect();
            if keys.is_empty() {
                return Ok((found, spent));
            }
            let begun = elapsed();
            keys.sort_unstable_by(|a, b| text(a).cmp(text(b)));
            let mut rows = statement.query(params![Rc::new(keys), partition.0, partition.1])?;
            while let Some(row) = rows.next()? {
                let _hash: [u8; 16] = row.get(1)?;
                found += 1;
            }
            spent += elapsed().saturating_sub(begun);
        }
    };
    look().map_err(|fault| fault.into_store("looking up rows with the plain driver"))
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "",
    }
}

/// How long the two small transactions of a delta of 100 take in the store at `path`: 100 management-space objects
/// rewritten, then 100 mesh objects rewritten with a row of history each.
///
/// # Errors
/// When the file cannot be written.
pub fn write_delta(path: &Path, elapsed: Elapsed<'_>) -> Result<Duration, StoreError> {
    let write = || -> Outcome<Duration> {
        let mut conn = connection::writer(&Place::plain(path), None)?;
        let rows: i64 = conn.query_row("SELECT max(id) FROM space_object", [], |row| row.get(0))?;
        let last: i64 = conn.query_row("SELECT max(seq) FROM change", [], |row| row.get(0))?;
        let begun = elapsed();
        for step in 0..2 {
            let transaction = conn.transaction()?;
            for at in 0..DELTA_ROWS {
                let id = 1 + at * (rows / DELTA_ROWS).max(1);
                let statements: &[&str] = match step {
                    0 => &["UPDATE space_object SET doc = doc || ' ', touched = touched + 1 WHERE id = ?1"],
                    _ => &[
                        "UPDATE mesh_object SET doc = doc || ' ', version = version + 1 WHERE id = ?1",
                        "INSERT INTO change SELECT ?2, mesh, uid, run, at, actor, kind, connector, before, after, leaf, \
                         chain FROM change WHERE seq = ?1",
                    ],
                };
                for sql in statements {
                    let mut statement = transaction.prepare_cached(sql)?;
                    match statement.parameter_count() {
                        1 => statement.execute([id])?,
                        _ => statement.execute([id, last + 1 + at])?,
                    };
                }
            }
            transaction.commit()?;
        }
        Ok(elapsed().saturating_sub(begun))
    };
    write().map_err(|fault| fault.into_store("writing a small delta with the plain driver"))
}
