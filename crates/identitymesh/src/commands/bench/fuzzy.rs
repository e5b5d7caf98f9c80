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
use super::measured::Measuring;
use super::run::Figures;
use crate::edge::Stopwatch;

/// Objects in one transaction of a sync.
const SYNC_OBJECTS: u64 = 5_000;
/// Of a hundred objects so many have to be linked; some share a name, a date and a postal code with somebody.
const LINKED_PERCENT_MIN: u64 = 90;
/// What the sync writes.
const LINKED: Rows =
    Rows { table: "link", condition: "connector = (SELECT id FROM connector WHERE folded = 'contacts')" };

/// How long everybody of the second population takes.
pub(super) async fn measure(
    laboratory: &Laboratory,
    objects: u64,
    told: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let mesh = &laboratory.opened.mesh;
    let (people, contacts) = (Name::literal("people"), Name::literal("contacts"));
    let mut measuring = Measuring::new(told);
    measuring.tell("fuzzy: the mesh");
    import(mesh, people, ImportKind::Full).await?;
    sync(mesh, SyncScope::Pending(people)).await?;
    import(mesh, contacts, ImportKind::Full).await?;
    let (spent, run) = measuring.time("fuzzy", sync(mesh, SyncScope::Pending(contacts))).await?;
    let linked = run.count("linked");
    ensure!(linked * 100 >= objects * LINKED_PERCENT_MIN, "the fuzzy join counted {:?}", run.counters);
    let raw = plain(laboratory, objects)?;
    measuring.keep("fuzzy", objects, spent, raw);
    let (measured, peak_rss_bytes) = measuring.into_measured();
    Ok(Figures { measured, peak_rss_bytes, store_bytes: laboratory.store_bytes() })
}

fn plain(laboratory: &Laboratory, objects: u64) -> anyhow::Result<Duration> {
    let watch = Stopwatch::start();
    let batches = objects.div_ceil(SYNC_OBJECTS).max(1);
    let file = laboratory.scratch("plain-links.db");
    Ok(raw::copy_rows(&laboratory.store_path(), &file, &[LINKED], batches, &|| watch.elapsed())?)
}
