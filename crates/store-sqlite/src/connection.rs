//! Opening connections with the measured settings (`docs/storage.md`, settings).

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::overlay;

/// Bytes of a page. Only has an effect before the first table is made.
const PAGE_BYTES: i64 = 16 * 1024;
/// The same for a new file that is thrown away, which stays small: a commit writes whole pages.
const SCRATCH_PAGE_BYTES: i64 = 4 * 1024;
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

/// Where a store is, and how its file is reached.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    path: PathBuf,
    is_laid_over: bool,
}

impl Place {
    /// A file like any other.
    pub(crate) fn plain(path: &Path) -> Self {
        Self { path: path.to_owned(), is_laid_over: false }
    }

    /// A file that lies over another.
    pub(crate) fn laid_over(path: &Path) -> Self {
        Self { path: path.to_owned(), is_laid_over: true }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn open(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        match self.is_laid_over {
            true => Connection::open_with_flags_and_vfs(&self.path, flags, overlay::NAME),
            false => Connection::open_with_flags(&self.path, flags),
        }
    }
}

/// The connection that writes; makes the file when it is not there.
pub(crate) fn writer(place: &Place, size_bytes_max: Option<u64>) -> rusqlite::Result<Connection> {
    open_writer(place, size_bytes_max, PAGE_BYTES, "FULL")
}

/// The same for a file that is thrown away: commits are answered before they are on the disk, and of one that lies over
/// another the log is left behind at the end.
pub(crate) fn scratch_writer(place: &Place, size_bytes_max: Option<u64>) -> rusqlite::Result<Connection> {
    let conn = open_writer(place, size_bytes_max, SCRATCH_PAGE_BYTES, "OFF")?;
    if place.is_laid_over {
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    }
    Ok(conn)
}

fn open_writer(
    place: &Place,
    size_bytes_max: Option<u64>,
    page_bytes: i64,
    synchronous: &str,
) -> rusqlite::Result<Connection> {
    let conn = place.open(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    conn.busy_timeout(BUSY_WAIT)?;
    conn.pragma_update(None, "page_size", page_bytes)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", synchronous)?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    if let Some(bytes) = size_bytes_max {
        // A file that was there keeps its pages, whatever was asked for above.
        let page_bytes: u64 = conn.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes / page_bytes.max(1)).unwrap_or(i64::MAX).max(1);
        conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    settle(&conn, WRITER_CACHE_KIB)?;
    Ok(conn)
}

/// A connection that looks at what the file's header says, and at nothing else.
pub(crate) fn look(place: &Place) -> rusqlite::Result<Connection> {
    let conn = place.open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.busy_timeout(BUSY_WAIT)?;
    Ok(conn)
}

/// A connection that reads.
pub(crate) fn reader(place: &Place) -> rusqlite::Result<Connection> {
    let conn = look(place)?;
    settle(&conn, READER_CACHE_KIB)?;
    Ok(conn)
}

fn settle(conn: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "mmap_size", 0)?;
    // Once a file has statistics SQLite plans a statement anew whenever other values are bound, which costs more than
    // most of them take to run. Each of ours has one good plan, whatever the values.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENT_COUNT);
    rusqlite::vtab::array::load_module(conn)
}

/// Begins a read. The snapshot is taken by the first read in it.
pub(crate) fn begin_read(conn: &Connection) -> rusqlite::Result<()> {
    run(conn, "BEGIN")
}

/// Begins a transaction that writes.
pub(crate) fn begin_write(conn: &Connection) -> rusqlite::Result<()> {
    run(conn, "BEGIN IMMEDIATE")
}

/// Ends either of them.
pub(crate) fn commit(conn: &Connection) -> rusqlite::Result<()> {
    run(conn, "COMMIT")
}

/// One statement that is used again and again and gives no rows.
fn run(conn: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(drop)
}
