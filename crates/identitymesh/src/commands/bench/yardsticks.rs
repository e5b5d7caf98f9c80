//! What the plain driver takes for what the product wrote.
//!
//! After each stage its rows are copied into one file beside the store, in transactions of the product's sizes; for the
//! unchanged import the same ids are looked up. One file holds all of it, so that later stages meet full tables, as the
//! product does.

use std::path::PathBuf;
use std::time::Duration;

use identitymesh_store_sqlite::raw::{self, Rows};

use super::laboratory::Laboratory;
use crate::edge::Stopwatch;

/// Objects in one transaction of an import.
const IMPORT_OBJECTS: u64 = 20_000;
/// Objects in one transaction of a sync or an export.
const SYNC_OBJECTS: u64 = 5_000;

/// What an import writes.
const IMPORTED: [Rows; 2] = [Rows::all("space_object"), Rows::all("space_ref")];
/// What a sync writes.
const SYNCED: [Rows; 6] = [
    Rows::all("mesh_object"),
    Rows::all("link"),
    Rows::all("join_index"),
    Rows::all("membership"),
    Rows::all("change"),
    Rows::all("export_item"),
];
/// What an export leaves, beside the items that go.
const EXPORTED: [Rows; 3] = [
    Rows {
        table: "space_object",
        condition: "connector = (SELECT id FROM connector WHERE folded = 'directory')",
    },
    Rows { table: "link", condition: "connector = (SELECT id FROM connector WHERE folded = 'directory')" },
    Rows { table: "change", condition: "kind = 'export'" },
];

/// What there is to look at in a preview.
const READ: [Rows; 3] = [Rows::all("mesh_object"), Rows::all("space_object"), Rows::all("link")];

/// The yardstick's file beside one store.
pub(super) struct Yardstick {
    store: PathBuf,
    file: PathBuf,
    objects: u64,
    watch: Stopwatch,
}

impl Yardstick {
    pub(super) fn beside(laboratory: &Laboratory, objects: u64) -> Self {
        Self {
            store: laboratory.store_path(),
            file: laboratory.scratch("plain.db"),
            objects,
            watch: Stopwatch::start(),
        }
    }

    pub(super) fn import(&self) -> anyhow::Result<Duration> {
        self.copy(&IMPORTED, IMPORT_OBJECTS)
    }

    pub(super) fn look_up(&self) -> anyhow::Result<Duration> {
        let (found, spent) = raw::look_up(&self.store, IMPORT_OBJECTS, &|| self.watch.elapsed())?;
        anyhow::ensure!(found == self.objects, "the plain driver found {found} objects");
        Ok(spent)
    }

    pub(super) fn sync(&self) -> anyhow::Result<Duration> {
        self.copy(&SYNCED, SYNC_OBJECTS)
    }

    pub(super) fn export(&self) -> anyhow::Result<Duration> {
        self.copy(&EXPORTED, SYNC_OBJECTS)
    }

    /// These rows in one transaction, in a file of their own.
    pub(super) fn rows(&self, rows: &[Rows]) -> anyhow::Result<Duration> {
        let name = rows.iter().map(|rows| rows.table).collect::<Vec<_>>().join("-");
        let file = self.file.with_file_name(format!("plain-{name}.db"));
        Ok(raw::copy_rows(&self.store, &file, rows, 1, &|| self.watch.elapsed())?)
    }

    /// Reading what a preview of everybody looks at.
    pub(super) fn read(&self) -> anyhow::Result<Duration> {
        Ok(raw::read_rows(&self.store, &READ, &|| self.watch.elapsed())?)
    }

    /// The two small transactions of a delta; the median of several.
    pub(super) fn delta(&self) -> anyhow::Result<Duration> {
        let mut rounds = Vec::new();
        for _ in 0..super::stages::DELTA_ROUNDS {
            rounds.push(raw::write_delta(&self.file, &|| self.watch.elapsed())?);
        }
        rounds.sort_unstable();
        Ok(rounds[rounds.len() / 2])
    }

    fn copy(&self, rows: &[Rows], objects: u64) -> anyhow::Result<Duration> {
        let batches = self.objects.div_ceil(objects).max(1);
        Ok(raw::copy_rows(&self.store, &self.file, rows, batches, &|| self.watch.elapsed())?)
    }
}
