//! Clauses 24 and 25: changes as they happen.

use super::bench::{Bench, Imported, Objects, Open, follow_delta, in_time};
use super::delta::{change_three, start};
use super::stop::{Stop, class_of, ensure, offered};
use crate::{Class, FollowRequest, Page, Watermark};

async fn follow(bench: &Bench<'_>, since: &Watermark) -> Result<Open, Stop> {
    let mut open = bench.open().await?;
    let request =
        FollowRequest { since: since.clone(), object_types: vec![bench.form.object_type], page_size_max: 10 };
    let follower = open.session.follower().ok_or(Stop::NotOffered("following"))?;
    in_time("follow", follower.follow(request)).await??;
    Ok(open)
}

async fn next_page(open: &mut Open) -> Result<Page, Stop> {
    let follower = open.session.follower().ok_or(Stop::NotOffered("following"))?;
    Ok(in_time("next_change", follower.next_change()).await??)
}

/// Takes pages until `objects` is what the system holds; the newest watermark moves with them. A page that never comes
/// breaks the clause by its time limit.
async fn catch_up(
    bench: &Bench<'_>,
    open: &mut Open,
    objects: &mut Objects,
    watermark: &mut Watermark,
) -> Result<(), Stop> {
    let held = bench.held().await?;
    let mut together = Imported::default();
    // Pages up to a watermark belong together, as a delta's do.
    while *objects != held || !together.changes.is_empty() || !together.present.is_empty() {
        let page = next_page(open).await?;
        together.changes.extend(page.changes);
        together.present.extend(page.present);
        together.certificates.extend(page.certificates);
        if let Some(mark) = page.watermark {
            follow_delta(objects, &std::mem::take(&mut together));
            *watermark = mark;
        }
    }
    Ok(())
}

pub(super) async fn c24_follower_hears_of_changes(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().follow, "following")?;
    let (mut objects, mut watermark) = start(bench, 6).await?;
    // What happened before it began, what happens while it listens, and what happened while nobody did.
    change_three(bench, &objects).await?;
    let mut open = follow(bench, &watermark).await?;
    catch_up(bench, &mut open, &mut objects, &mut watermark).await?;
    let first = objects.keys().next().cloned().unwrap_or_default();
    bench.subject.edit(&first, bench.form.other, Some("live".into())).await?;
    catch_up(bench, &mut open, &mut objects, &mut watermark).await?;
    bench.subject.erase(&first).await?;
    catch_up(bench, &mut open, &mut objects, &mut watermark).await?;
    drop(open);
    bench.seed(200..202).await?;
    let second = objects.keys().next().cloned().unwrap_or_default();
    bench.subject.erase(&second).await?;
    let mut open = follow(bench, &watermark).await?;
    catch_up(bench, &mut open, &mut objects, &mut watermark).await
}

pub(super) async fn c25_cancelled_follower_ends_promptly(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().follow, "following")?;
    let (mut objects, mut watermark) = start(bench, 2).await?;
    let mut open = follow(bench, &watermark).await?;
    bench.seed(100..101).await?;
    catch_up(bench, &mut open, &mut objects, &mut watermark).await?;
    open.cancel.cancel();
    let follower = open.session.follower().ok_or(Stop::NotOffered("following"))?;
    let waited = in_time("next_change", follower.next_change()).await?;
    let class = class_of(waited, "next_change after a cancel")?;
    ensure!(class == Class::Cancelled, "a cancelled call ended with class {class:?}");
    drop(open);
    let imported = bench.full().await?;
    ensure!(imported.changes.len() == 3, "after a cancel {} objects", imported.changes.len());
    Ok(())
}
