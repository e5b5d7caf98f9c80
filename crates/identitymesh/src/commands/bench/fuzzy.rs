//! One population against another that has no number in common with it: a fuzzy join with blocks.
//!
//! Everybody of the first is in the mesh when everybody of the second looks for a mesh object by likeness. The yardstick
//! writes the same links with nothing but prepared statements, and compares nobody.

use std::time::Duration;

use anyhow::ensure;
use identitymesh_model::Name;
use identitymesh_runner::{ImportKind, SyncScope, import, sync};
use identitymesh_store_sqlite::raw::{self, Rows};

use super::laboratory::Laboratory;
use super::memory::{peak_rss_bytes, reset_peak};
use super::stages::Measured;
use crate::edge::Stopwatch;

/// Objects in one transaction of a sync.
const SYNC_OBJECTS: u64 = 5_000;
/// Of a hundred objects so many have to be linked; some share a name, a date and a postal code with somebody.
const LINKED_PERCENT_MIN: u64 = 90;
/// What the sync writes.
const LINKED: Rows =
    Rows { table: "link", condition: "connector = (SELECT id FROM connector WHERE folded = 'contacts')" };

/// How long everybody of the second population takes, and the peak of resident memory meanwhile.
pub(super) async fn measure(
    laboratory: &Laboratory,
    objects: u64,
    told: &dyn Fn(&str),
) -> anyhow::Result<(Measured, Option<u64>)> {
    let mesh = &laboratory.opened.mesh;
    let (people, contacts) = (Name::literal("people"), Name::literal("contacts"));
    told("fuzzy: the mesh");
    import(mesh, people, ImportKind::Full).await?;
    sync(mesh, SyncScope::Pending(people)).await?;
    import(mesh, contacts, ImportKind::Full).await?;
    told("fuzzy");
    reset_peak();
    let watch = Stopwatch::start();
    let run = sync(mesh, SyncScope::Pending(contacts)).await?;
    let spent = watch.elapsed();
    let peak = peak_rss_bytes();
    let linked = run.count("linked");
    ensure!(linked * 100 >= objects * LINKED_PERCENT_MIN, "the fuzzy join counted {:?}", run.counters);
    let raw = plain(laboratory, objects)?;
    Ok((Measured { name: "fuzzy", objects, spent, raw }, peak))
}

fn plain(laboratory: &Laboratory, objects: u64) -> anyhow::Result<Duration> {
    let watch = Stopwatch::start();
    let batches = objects.div_ceil(SYNC_OBJECTS).max(1);
    let file = laboratory.scratch("plain-links.db");
    Ok(raw::copy_rows(&laboratory.store_path(), &file, &[LINKED], batches, &|| watch.elapsed())?)
}
