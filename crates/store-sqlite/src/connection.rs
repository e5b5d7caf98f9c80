//! Opening connections with the measured settings (`docs/storage.md`, settings).

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Bytes of a page. Only has an effect before the first table is made.
const PAGE_BYTES: i64 = 16 * 1024;
/// The writer's page cache.
const WRITER_CACHE_KIB: i64 = 64 * 1024;
/// Each reader's page cache.
const READER_CACHE_KIB: i64 = 16 * 1024;
/// Pages in the write-ahead log before it is copied into the file: 128 MiB.
const CHECKPOINT_PAGES: i64 = 8_000;
/// How long to wait for another program, such as a person's `sqlite3`.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Prepared statements kept for each connection; there are about a hundred in all.
const STATEMENT_COUNT: usize = 160;

/// The connection that writes; makes the file when it is not there.
pub(crate) fn writer(path: &Path, size_bytes_max: Option<u64>) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(BUSY_WAIT)?;
    conn.pragma_update(None, "page_size", PAGE_BYTES)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    if let Some(bytes) = size_bytes_max {
        let pages = i64::try_from(bytes / PAGE_BYTES.unsigned_abs()).unwrap_or(i64::MAX).max(1);
        conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    settle(&conn, WRITER_CACHE_KIB)?;
    Ok(conn)
}

/// Lets commits be answered before they are on the disk.
pub(crate) fn forget_durability(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "synchronous", "OFF")
}

/// A connection that reads.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_WAIT)?;
    settle(&conn, READER_CACHE_KIB)?;
    Ok(conn)
}

fn settle(conn: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.set_prepared_statement_cache_capacity(STATEMENT_COUNT);
    rusqlite::vtab::array::load_module(conn)
}
