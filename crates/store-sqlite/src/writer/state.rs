//! What the writer keeps in memory between commands.
//!
//! All of it can be read from the tables, and is, at the start and whenever something was rolled back.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use identitymesh_model::Name;
use identitymesh_store::audit::CHAIN_START;
use rusqlite::{Connection, OptionalExtension as _};

use crate::fault::{Outcome, unreadable};

/// High-water marks: the last number given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) commit: i64,
    pub(crate) space: i64,
    pub(crate) mesh: i64,
    pub(crate) item: i64,
}

/// The end of the audit chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainEnd {
    pub(crate) seq: i64,
    pub(crate) chain: [u8; 32],
}

/// The writer's memory.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) names: HashMap<Name, i64>,
    pub(crate) sets: HashMap<Box<[Name]>, i64>,
    pub(crate) partitions: HashSet<(i64, i64)>,
    pub(crate) counters: Counters,
    pub(crate) saved: Counters,
    pub(crate) chain: ChainEnd,
    /// The last finding's place, for runs that are at work.
    pub(crate) findings: HashMap<i64, i64>,
    /// Connectors with objects of traced mesh objects; `None` until somebody asks, and after that may have changed.
    pub(crate) traced: RefCell<Option<HashSet<i64>>>,
}

impl State {
    /// As the tables have it.
    pub(crate) fn load(conn: &Connection) -> Outcome<Self> {
        let counters = load_counters(conn)?;
        Ok(Self {
            names: load_names(conn)?,
            sets: HashMap::new(),
            partitions: load_partitions(conn)?,
            counters,
            saved: counters,
            chain: load_chain(conn)?,
            findings: HashMap::new(),
            traced: RefCell::new(None),
        })
    }
}

fn load_names(conn: &Connection) -> Outcome<HashMap<Name, i64>> {
    let mut names = HashMap::new();
    let mut statement = conn.prepare("SELECT spelling, id FROM name")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (spelling, id): (String, i64) = (row.get(0)?, row.get(1)?);
        let name = Name::new(&spelling).map_err(|error| unreadable(format!("name {id}"), error))?;
        names.insert(name, id);
    }
    Ok(names)
}

fn load_partitions(conn: &Connection) -> Outcome<HashSet<(i64, i64)>> {
    let mut statement = conn.prepare("SELECT connector, type FROM partition")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn load_counters(conn: &Connection) -> Outcome<Counters> {
    let one = |name: &str| -> rusqlite::Result<i64> {
        conn.query_row("SELECT value FROM counter WHERE name = ?1", [name], |row| row.get(0))
    };
    Ok(Counters { commit: one("commit")?, space: one("space")?, mesh: one("mesh")?, item: one("item")? })
}

fn load_chain(conn: &Connection) -> Outcome<ChainEnd> {
    let last = conn
        .query_row("SELECT seq, chain FROM change ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok(ChainEnd { seq: row.get(0)?, chain: row.get(1)? })
        })
        .optional()?;
    Ok(last.unwrap_or(ChainEnd { seq: 0, chain: CHAIN_START }))
}
