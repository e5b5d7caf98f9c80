//! Many leave at once: from the source's news of it to what is queued for the target, memberships included.
//!
//! One in a hundred leaves. Groups, one for twenty people and of a hundred members each, go on naming them, as a system
//! of groups does that hears of it later; so whoever left has to be taken out of every group in the target by the sync
//! that sees them go.

use std::path::Path;

use anyhow::ensure;
use identitymesh_model::Name;
use identitymesh_runner::{ImportKind, SyncScope, export, import, sync};
use identitymesh_store_sqlite::raw::Rows;
use tokio_util::sync::CancellationToken;

use super::laboratory::Laboratory;
use super::measured::Measuring;
use super::run::Figures;
use super::yardsticks::Yardstick;

/// People for one group.
const PEOPLE_PER_GROUP: u64 = 20;
/// Members of a group.
const MEMBERS: u64 = 100;
/// Of how many people one leaves.
const LEAVERS_FRACTION: u64 = 100;

/// What the import of the leavers writes.
const IMPORTED: [Rows; 1] = [Rows { table: "space_object", condition: "flags & 1 = 1" }];
/// What the sync writes, beside what it takes away.
const SYNCED: [Rows; 2] =
    [Rows { table: "change", condition: "run = (SELECT max(run) FROM change)" }, Rows::all("export_item")];

fn people() -> Name {
    Name::literal("people")
}

fn directory() -> Name {
    Name::literal("directory")
}

/// Measures a mesh over so many people.
pub(super) async fn measure(
    objects: u64,
    below: Option<&Path>,
    cancel: CancellationToken,
    told: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let groups = (objects / PEOPLE_PER_GROUP).max(1);
    let (laboratory, target) = Laboratory::with_groups(objects, groups, MEMBERS, below, cancel).await?;
    let mesh = &laboratory.opened.mesh;
    let mut measuring = Measuring::new(told);
    measuring.tell("leavers: preparing");
    import(mesh, people(), ImportKind::Full).await?;
    sync(mesh, SyncScope::Pending(people())).await?;
    export(mesh, directory()).await?;
    // References to what the first export made are known now.
    sync(mesh, SyncScope::Pending(people())).await?;
    export(mesh, directory()).await?;
    let made = target.exports().creates;
    ensure!(made == objects + groups, "the target was given {made} objects");

    let leavers = (objects / LEAVERS_FRACTION).max(1);
    laboratory.people.leave(leavers);
    let yardstick = Yardstick::beside(&laboratory, leavers);
    let (imported, read) =
        measuring.time("leavers-import", import(mesh, people(), ImportKind::Delta)).await?;
    ensure!(read.count("deleted") == leavers, "the import counted {:?}", read.counters);
    let raw_import = yardstick.rows(&IMPORTED)?;
    let (synced, planned) = measuring.time("leavers-sync", sync(mesh, SyncScope::Pending(people()))).await?;
    ensure!(planned.count("queued_delete") == leavers, "the sync counted {:?}", planned.counters);
    ensure!(planned.count("queued_update") > 0, "the sync counted {:?}", planned.counters);
    let raw_sync = yardstick.rows(&SYNCED)?;
    measuring.keep("leavers-import", leavers, imported, raw_import);
    measuring.keep("leavers-sync", leavers, synced, raw_sync);
    measuring.keep("leavers", leavers, imported.and(synced), raw_import + raw_sync);
    let (measured, peak_rss_bytes) = measuring.into_measured();
    Ok(Figures { measured, peak_rss_bytes, store_bytes: laboratory.store_bytes() })
}
