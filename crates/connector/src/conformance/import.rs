//! Clauses 10 to 15: full imports.

use std::collections::BTreeSet;

use identitymesh_model::Text;
use identitymesh_model::canonical::object_to_string;

use super::bench::{Bench, Objects, follow, in_time, upserts};
use super::stop::{Stop, class_of, ensure, offered};
use crate::{Class, ImportMode};

const PAGE_SIZE: usize = 7;
const OBJECTS: u32 = 23;

pub(super) async fn c10_full_import_delivers_each_object_once(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().full_import, "full import")?;
    bench.seed(0..OBJECTS).await?;
    let imported = bench.import(ImportMode::Full, PAGE_SIZE).await?;
    let largest = imported.page_sizes.iter().max().copied().unwrap_or(0);
    ensure!(largest <= PAGE_SIZE, "a page of {largest} objects where {PAGE_SIZE} are the most");
    let ids: Vec<&str> = upserts(&imported.changes).map(|object| object.external_id.as_str()).collect();
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    ensure!(ids.len() == distinct.len(), "an object came twice: {ids:?}");
    ensure!(ids.len() == imported.changes.len(), "a full import held something else than whole objects");
    let [certificate] = &imported.certificates[..] else {
        return Err(Stop::Broken(format!("one type, but these certificates: {:?}", imported.certificates)));
    };
    ensure!(certificate.object_type == bench.form.object_type, "a certificate for another type");
    ensure!(certificate.is_complete(), "an undisturbed read was not complete: {certificate:?}");
    ensure!(
        certificate.objects == u64::from(OBJECTS),
        "{OBJECTS} objects, certified {}",
        certificate.objects
    );
    let mut objects = Objects::new();
    follow(&mut objects, &imported.changes);
    let held = bench.held().await?;
    ensure!(objects == held, "imported {objects:?}, but the system holds {held:?}");
    Ok(())
}

pub(super) async fn c11_full_import_repeats_exactly(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().full_import, "full import")?;
    bench.seed(0..OBJECTS).await?;
    let mut texts = Vec::new();
    // Different page sizes, so that nothing depends on where a page ends.
    for page_size in [PAGE_SIZE, 1, 1_000] {
        let imported = bench.import(ImportMode::Full, page_size).await?;
        let mut lines: Vec<String> = upserts(&imported.changes)
            .map(|object| format!("{} {}", object.external_id, object_to_string(&object.attributes)))
            .collect();
        lines.sort_unstable();
        texts.push(lines);
    }
    ensure!(texts[0] == texts[1], "two imports differ: {:?} and {:?}", texts[0], texts[1]);
    ensure!(texts[0] == texts[2], "two imports differ: {:?} and {:?}", texts[0], texts[2]);
    Ok(())
}

pub(super) async fn c12_empty_system_is_certified_empty(bench: &Bench<'_>) -> Result<(), Stop> {
    let imported = bench.full().await?;
    ensure!(imported.changes.is_empty(), "an empty system delivered {:?}", imported.changes);
    let complete = imported.certificates.iter().all(|certificate| certificate.is_complete());
    ensure!(
        imported.certificates.len() == 1 && complete,
        "an empty system needs one complete certificate: {:?}",
        imported.certificates
    );
    Ok(())
}

pub(super) async fn c13_cancelled_import_ends_promptly(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().full_import, "full import")?;
    bench.seed(0..OBJECTS).await?;
    let mut open = bench.open().await?;
    open.begin(bench.form.object_type, ImportMode::Full, 1).await?;
    let importer = open.session.importer().ok_or(Stop::NotOffered("import"))?;
    in_time("next_page", importer.next_page()).await??;
    open.cancel.cancel();
    let class = class_of(in_time("next_page", importer.next_page()).await?, "next_page after a cancel")?;
    ensure!(class == Class::Cancelled, "a cancelled call ended with class {class:?}");
    drop(open);
    let imported = bench.import(ImportMode::Full, 100).await?;
    ensure!(imported.changes.len() == OBJECTS as usize, "after a cancel {} objects", imported.changes.len());
    Ok(())
}

pub(super) async fn c14_unreadable_value_is_named_and_nothing_else_is_lost(
    bench: &Bench<'_>,
) -> Result<(), Stop> {
    offered(bench.can().full_import, "full import")?;
    let ids = bench.seed(0..3).await?;
    let sound = bench.full().await?;
    let spoiled = bench.subject.spoil(&ids[1]).await?.ok_or(Stop::NotOffered("content of a wrong type"))?;
    let (imported, findings) = bench.open().await?.import_with_findings(bench.form.object_type).await?;
    let told = findings.iter().any(|finding| {
        finding.external_id.as_ref() == Some(&ids[1]) && finding.message.contains(spoiled.as_str())
    });
    ensure!(told, "no finding names {spoiled} of {}: {findings:?}", ids[1]);
    for object in upserts(&imported.changes) {
        let before = upserts(&sound.changes).find(|known| known.external_id == object.external_id);
        let Some(before) = before else {
            return Err(Stop::Broken(format!("{} was never there", object.external_id)));
        };
        let mut expected = before.clone();
        if object.external_id == ids[1] {
            expected.attributes.remove(spoiled);
            expected.unread = vec![spoiled];
        }
        ensure!(*object == expected, "{expected:?} arrived as {object:?}");
    }
    // An object may also be withheld as a whole; it counts as seen either way.
    let delivered: BTreeSet<&Text> = upserts(&imported.changes).map(|object| &object.external_id).collect();
    let others = [&ids[0], &ids[2]].into_iter().all(|id| delivered.contains(id));
    ensure!(others, "one unreadable value took other objects with it: {delivered:?}");
    let counted = imported.certificates.iter().all(|certificate| certificate.objects == 3);
    ensure!(counted, "the object does not count as seen: {:?}", imported.certificates);
    Ok(())
}

pub(super) async fn c15_single_objects_are_there_or_not(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().full_import, "full import")?;
    let ids = bench.seed(0..5).await?;
    bench.subject.erase(&ids[3]).await?;
    let asked = [ids[1].clone(), Text::new("never there"), ids[3].clone(), ids[4].clone()];
    let mut open = bench.open().await?;
    let importer = open.session.importer().ok_or(Stop::NotOffered("import"))?;
    let look = importer.still_there(bench.form.object_type, &asked);
    let there = in_time("still_there", look).await??.ok_or(Stop::NotOffered("asking for single objects"))?;
    let there: BTreeSet<&Text> = there.iter().collect();
    ensure!(there == BTreeSet::from([&ids[1], &ids[4]]), "asked for {asked:?}, there are {there:?}");
    Ok(())
}
