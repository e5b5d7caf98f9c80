//! The tables and how they came to be: numbered migrations, each kept with a checksum.
//!
//! A file says whose it is by its application id and how new it is by its user version, both in the header, so a
//! foreign or newer file is refused before anything is read or written. A migration that was carried out is never
//! edited: its checksum is compared at every start.

use std::path::Path;

use identitymesh_model::{Timestamp, hex, sha256};
use identitymesh_store::{StoreClass, StoreError};
use rusqlite::{Connection, params};

use crate::fault::{Fault, Outcome};

/// `IDMS` in the file's header.
const APPLICATION_ID: i64 = 0x4944_4d53;

/// Name and text of each migration; the first brings version 1.
const MIGRATIONS: &[(&str, &str)] = &[
    ("begin", include_str!("../migrations/0001_begin.sql")),
    ("password due", include_str!("../migrations/0002_password_due.sql")),
    ("traces", include_str!("../migrations/0003_traces.sql")),
    ("history", include_str!("../migrations/0004_history.sql")),
    ("joins", include_str!("../migrations/0005_joins.sql")),
    ("trace waits", include_str!("../migrations/0006_trace_waits.sql")),
    ("coverage", include_str!("../migrations/0007_coverage.sql")),
    ("former names", include_str!("../migrations/0008_former_names.sql")),
    ("link index", include_str!("../migrations/0009_link_index.sql")),
    ("lease run", include_str!("../migrations/0010_lease_run.sql")),
    ("deletes unseen", include_str!("../migrations/0011_deletes_unseen.sql")),
    ("run source", include_str!("../migrations/0012_run_source.sql")),
    ("turns", include_str!("../migrations/0013_turns.sql")),
    ("undone wish", include_str!("../migrations/0014_undone_wish.sql")),
    ("settled", include_str!("../migrations/0015_settled.sql")),
    ("hold inferred", include_str!("../migrations/0016_hold_inferred.sql")),
    ("adopted", include_str!("../migrations/0017_adopted.sql")),
    ("asked again", include_str!("../migrations/0018_asked_again.sql")),
];

/// What every version of the file has, before any migration.
const BASE: &str = "CREATE TABLE migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, \
                    at TEXT NOT NULL) STRICT";

/// Whether the file at `path` is one to read or migrate. A new, empty file is.
pub(crate) fn check_owner(conn: &Connection, path: &Path) -> Outcome<()> {
    let application = match header(conn, "application_id") {
        Ok(number) => number,
        Err(error) if is_no_database(&error) => return Err(foreign(path).caused_by(error).into()),
        Err(error) => return Err(error.into()),
    };
    let is_empty = header(conn, "schema_version")? == 0;
    if application == APPLICATION_ID || (application == 0 && is_empty) {
        return Ok(());
    }
    Err(foreign(path).into())
}

fn header(conn: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, pragma, |row| row.get(0))
}

fn is_no_database(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase)
}

fn foreign(path: &Path) -> StoreError {
    StoreError::new(
        "STO-003",
        StoreClass::Configuration,
        format!("{} is not an IdentityMesh store", path.display()),
    )
    .advice("check the path; the file was not changed")
}

/// Whether the file is as new as this program; a reader cannot migrate.
pub(crate) fn check_version(conn: &Connection, path: &Path) -> Outcome<()> {
    let (have, want) = (header(conn, "user_version")?, newest());
    if have == want { Ok(()) } else { Err(wrong_version(path, have, want).into()) }
}

fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("migrations are few")
}

fn wrong_version(path: &Path, have: i64, want: i64) -> StoreError {
    let (age, advice) = if have > want {
        (
            "newer",
            "start the version of the product that last used it, or restore a backup from before the update",
        )
    } else {
        ("older", "open it once for writing, which brings it up to date")
    };
    StoreError::new(
        "STO-004",
        StoreClass::Configuration,
        format!("the store {} has version {have}, {age} than the {want} of this program", path.display()),
    )
    .advice(advice)
}

/// Brings the file to the newest version. Each migration is one transaction.
pub(crate) fn migrate(conn: &mut Connection, path: &Path, at: Timestamp) -> Outcome<()> {
    let have = header(conn, "user_version")?;
    if have > newest() {
        return Err(wrong_version(path, have, newest()).into());
    }
    if have > 0 {
        check_history(conn)?;
    }
    let done = usize::try_from(have).unwrap_or(0);
    for (version, (name, sql)) in (1_i64..).zip(MIGRATIONS).skip(done) {
        let tx = conn.transaction()?;
        if version == 1 {
            tx.execute_batch(BASE)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        tx.execute_batch(sql)?;
        tx.execute(
            "INSERT INTO migration VALUES (?1, ?2, ?3, ?4)",
            params![version, name, checksum(sql), at.to_string()],
        )?;
        tx.pragma_update(None, "user_version", version)?;
        tx.commit()?;
    }
    Ok(())
}

fn checksum(sql: &str) -> String {
    // A checkout may have turned line ends; the statement is the same.
    hex(&sha256(sql.replace("\r\n", "\n").as_bytes()))
}

fn check_history(conn: &Connection) -> Outcome<()> {
    let mut statement = conn.prepare("SELECT version, checksum FROM migration ORDER BY version")?;
    let rows: Vec<(i64, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    for ((version, stored), (name, sql)) in rows.into_iter().zip(MIGRATIONS) {
        if stored != checksum(sql) {
            return Err(changed(version, name));
        }
    }
    Ok(())
}

fn changed(version: i64, name: &str) -> Fault {
    StoreError::new(
        "STO-014",
        StoreClass::Configuration,
        format!("migration {version} ({name}) of this store differs from the one this program knows"),
    )
    .advice("the store was made by an unreleased build; export its configuration and begin a new store")
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Outcome<()>) -> &'static str {
        result.unwrap_err().into_store("testing").code
    }

    #[test]
    fn a_new_file_is_brought_to_the_newest_version_once() {
        let mut conn = Connection::open_in_memory().unwrap();
        let path = Path::new("x");
        check_owner(&conn, path).unwrap();
        assert_eq!(code(check_version(&conn, path)), "STO-004");
        migrate(&mut conn, path, Timestamp::EPOCH).unwrap();
        migrate(&mut conn, path, Timestamp::EPOCH).unwrap();
        check_owner(&conn, path).unwrap();
        check_version(&conn, path).unwrap();
    }

    #[test]
    fn newer_foreign_and_altered_files_are_refused() {
        let mut conn = Connection::open_in_memory().unwrap();
        let path = Path::new("x");
        migrate(&mut conn, path, Timestamp::EPOCH).unwrap();
        conn.execute("UPDATE migration SET checksum = 'x'", []).unwrap();
        assert_eq!(code(migrate(&mut conn, path, Timestamp::EPOCH)), "STO-014");
        conn.pragma_update(None, "user_version", 99).unwrap();
        assert_eq!(code(migrate(&mut conn, path, Timestamp::EPOCH)), "STO-004");
        conn.pragma_update(None, "application_id", 7).unwrap();
        assert_eq!(code(check_owner(&conn, path)), "STO-003");
    }
}
