//! Clauses 20 to 23, and 26: what changed since a watermark.

use super::bench::{Bench, Imported, Objects, follow, follow_delta, in_time};
use super::stop::{Stop, class_of, ensure, offered};
use crate::{Change, Class, ConnectorError, ImportMode, ImportRequest, Watermark};

/// A full import of `count` samples: what it showed and where a delta starts.
pub(super) async fn start(bench: &Bench<'_>, count: u32) -> Result<(Objects, Watermark), Stop> {
    offered(bench.can().delta_import, "delta import")?;
    bench.seed(0..count).await?;
    let imported = bench.full().await?;
    let mut objects = Objects::new();
    follow(&mut objects, &imported.changes);
    ensure!(objects.len() == count as usize, "{count} objects, a full import showed {}", objects.len());
    let watermark = imported.watermark;
    let watermark = watermark.ok_or_else(|| Stop::Broken("a full import left no watermark".to_owned()))?;
    Ok((objects, watermark))
}

pub(super) async fn change_three(bench: &Bench<'_>, objects: &Objects) -> Result<(), Stop> {
    let ids: Vec<_> = objects.keys().cloned().collect();
    bench.subject.edit(&ids[0], bench.form.text, Some("changed".into())).await?;
    bench.subject.edit(&ids[1], bench.form.other, None).await?;
    bench.subject.erase(&ids[2]).await?;
    bench.seed(100..101).await.map(drop)
}

async fn delta(bench: &Bench<'_>, since: &Watermark, page_size: usize) -> Result<Imported, Stop> {
    let imported = bench.import(ImportMode::Delta { since: since.clone() }, page_size).await?;
    let complete = imported.certificates.iter().all(|certificate| certificate.is_complete());
    ensure!(complete, "a delta import had gaps: {:?}", imported.certificates);
    let is_certified = !imported.certificates.is_empty();
    ensure!(
        is_certified || imported.present.is_empty(),
        "objects were named as present, and nothing certified"
    );
    ensure!(imported.watermark.is_some(), "a delta import left no watermark");
    Ok(imported)
}

pub(super) async fn c20_delta_delivers_change_add_and_delete(bench: &Bench<'_>) -> Result<(), Stop> {
    let (mut objects, mut watermark) = start(bench, 6).await?;
    change_three(bench, &objects).await?;
    // The second delta starts where the first one ended; nothing may be lost between them.
    for step in ["first", "second"] {
        let imported = delta(bench, &watermark, 2).await?;
        follow_delta(&mut objects, &imported);
        let held = bench.held().await?;
        ensure!(objects == held, "after the {step} delta {objects:?}, but the system holds {held:?}");
        watermark = imported.watermark.unwrap_or(watermark);
        let first = objects.keys().next().cloned().unwrap_or_default();
        bench.subject.edit(&first, bench.form.other, Some("once more".into())).await?;
    }
    Ok(())
}

pub(super) async fn c21_cancelled_delta_loses_no_change(bench: &Bench<'_>) -> Result<(), Stop> {
    let (mut objects, mut watermark) = start(bench, 6).await?;
    change_three(bench, &objects).await?;
    let mut open = bench.open().await?;
    open.begin(bench.form.object_type, ImportMode::Delta { since: watermark.clone() }, 1).await?;
    let importer = open.session.importer().ok_or(Stop::NotOffered("import"))?;
    if let Some(page) = in_time("next_page", importer.next_page()).await?? {
        // As the runner does: the page and its watermark are committed together.
        follow(&mut objects, &page.changes);
        watermark = page.watermark.unwrap_or(watermark);
    }
    open.cancel.cancel();
    let class = class_of(in_time("next_page", importer.next_page()).await?, "next_page after a cancel")?;
    ensure!(class == Class::Cancelled, "a cancelled call ended with class {class:?}");
    drop(open);
    follow_delta(&mut objects, &delta(bench, &watermark, 100).await?);
    let held = bench.held().await?;
    ensure!(objects == held, "after a cancel {objects:?}, but the system holds {held:?}");
    Ok(())
}

pub(super) async fn c22_strange_watermark_is_refused(bench: &Bench<'_>) -> Result<(), Stop> {
    let (_, watermark) = start(bench, 1).await?;
    let strange = [
        Watermark { version: watermark.version + 1_000, body: watermark.body.clone() },
        Watermark { version: watermark.version, body: "no mark of this kind".to_owned() },
        Watermark { version: watermark.version, body: String::new() },
    ];
    for since in strange {
        let mut open = bench.open().await?;
        let importer = open.session.importer().ok_or(Stop::NotOffered("import"))?;
        let request = ImportRequest {
            mode: ImportMode::Delta { since: since.clone() },
            object_types: vec![bench.form.object_type],
            page_size_max: 10,
        };
        let outcome: Result<(), ConnectorError> = async {
            importer.begin(request).await?;
            importer.next_page().await.map(drop)
        }
        .await;
        let Err(error) = outcome else {
            return Err(Stop::Broken(format!("the watermark {since:?} was accepted")));
        };
        let named = error.class == Class::Conflict && error.code == "CON-010";
        ensure!(named, "a refused watermark is CON-010 of class conflict, not {error} of {:?}", error.class);
    }
    Ok(())
}

pub(super) async fn c23_quiet_system_has_no_delta(bench: &Bench<'_>) -> Result<(), Stop> {
    let (objects, watermark) = start(bench, 4).await?;
    let imported = delta(bench, &watermark, 10).await?;
    let mut followed = objects.clone();
    // Repeating what is known is allowed: it compares equal. Changing it is not.
    follow_delta(&mut followed, &imported);
    ensure!(followed == objects, "a quiet system delivered {:?}", imported.changes);
    let again = delta(bench, &imported.watermark.unwrap_or(watermark), 10).await?;
    ensure!(again.changes.is_empty(), "the second delta of a quiet system delivered {:?}", again.changes);
    Ok(())
}

pub(super) async fn c26_deleted_objects_are_told_from_those_that_left(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().mends_references, "references that go with what they mean")?;
    let (objects, watermark) = start(bench, 3).await?;
    let ids: Vec<_> = objects.keys().cloned().collect();
    bench.subject.erase(&ids[0]).await?;
    let imported = delta(bench, &watermark, 10).await?;
    // A delta that names everything that is there need not name what is gone.
    let is_deleted =
        |change: &Change| matches!(change, Change::Delete { external_id, .. } if *external_id == ids[0]);
    let is_told = imported.changes.iter().any(is_deleted) || !imported.certificates.is_empty();
    let has_left = imported.changes.iter().any(|change| {
        matches!(change, Change::Left { object_type, external_id }
            if *external_id == ids[0] && *object_type == bench.form.object_type)
    });
    ensure!(is_told && !has_left, "an object was deleted, and the delta says {:?}", imported.changes);
    let mut open = bench.open().await?;
    let importer = open.session.importer().ok_or(Stop::NotOffered("import"))?;
    let held =
        in_time("held_elsewhere", importer.held_elsewhere(bench.form.object_type, &ids[..2])).await??;
    ensure!(
        held.as_deref() == Some(&ids[1..2]),
        "of a deleted object and one that is there the system says that it holds {held:?}"
    );
    Ok(())
}
