//! Clauses 30 to 34: creates, batches, cancelling.

use identitymesh_model::{Object, Text};

use super::bench::{Bench, Open, follow, in_time};
use super::stop::{Stop, class_of, ensure};
use crate::{Class, OperationKind, Outcome};

/// The object without what only the system itself writes.
async fn writable(bench: &Bench<'_>, open: &mut Open, mut object: Object) -> Result<Object, Stop> {
    let schema = open.session.schema().await?;
    let schema = schema.object_type(bench.form.object_type).cloned();
    object.retain(|name, _| {
        schema.as_ref().and_then(|schema| schema.attribute(name)).is_none_or(|attribute| !attribute.read_only)
    });
    Ok(object)
}

pub(super) async fn c30_created_object_is_imported_as_exported(bench: &Bench<'_>) -> Result<(), Stop> {
    let mut open = bench.exports().await?;
    for number in 0..3 {
        let wanted = bench.subject.sample(number);
        let id = open.created(bench, wanted.clone()).await?;
        let held = bench.held().await?.remove(&id);
        let held = held.ok_or_else(|| Stop::Broken(format!("{id} was created and is not there")))?;
        let held = writable(bench, &mut open, held).await?;
        ensure!(held == wanted, "exported {wanted:?}, the system holds {held:?}");
    }
    drop(open);
    let imported = bench.full().await?;
    let mut objects = Default::default();
    follow(&mut objects, &imported.changes);
    let held = bench.held().await?;
    ensure!(objects == held, "imported {objects:?}, the system holds {held:?}");
    Ok(())
}

pub(super) async fn c31_second_create_makes_no_duplicate(bench: &Bench<'_>) -> Result<(), Stop> {
    let mut open = bench.exports().await?;
    let wanted = bench.subject.sample(0);
    let id = open.created(bench, wanted.clone()).await?;
    match open.export_one(bench, bench.create(wanted.clone())).await? {
        Outcome::AlreadySo(written) => {
            let again = written.external_id;
            ensure!(
                again.as_ref() == Some(&id),
                "the second create is already so, as {again:?} and not {id}"
            );
        }
        Outcome::Conflict { .. } => {}
        other => {
            return Err(Stop::Broken(format!("the second create of the same object ended as {other:?}")));
        }
    }
    let mut other = wanted;
    other.set(bench.form.text, "something else");
    let outcome = open.export_one(bench, bench.create(other)).await?;
    let kept_apart = matches!(outcome, Outcome::Conflict { .. } | Outcome::Refused { .. });
    ensure!(kept_apart, "a create of a different object in the same place ended as {outcome:?}");
    let held = bench.held().await?;
    ensure!(held.len() == 1, "one object was created, the system holds {held:?}");
    let text = held.get(&id).and_then(|object| object.get(bench.form.text));
    let sample = bench.subject.sample(0);
    ensure!(text == sample.get(bench.form.text), "a second create changed the object to {text:?}");
    Ok(())
}

pub(super) async fn c32_refused_item_leaves_the_others_applied(bench: &Bench<'_>) -> Result<(), Stop> {
    let mut open = bench.exports().await?;
    let refused = bench.subject.refused().ok_or(Stop::NotOffered("content that the system refuses"))?;
    let samples = [bench.subject.sample(0), refused, bench.subject.sample(1)];
    let creates: Vec<OperationKind> = samples.into_iter().map(|object| bench.create(object)).collect();
    let outcomes = open.export(bench, creates).await?;
    match &outcomes[1] {
        Outcome::Refused { reason, code, .. } => {
            ensure!(!reason.is_empty() && !code.is_empty(), "a refusal without code or reason");
        }
        other => return Err(Stop::Broken(format!("content that the system refuses ended as {other:?}"))),
    }
    let others = [&outcomes[0], &outcomes[2]];
    let applied = others.iter().all(|outcome| matches!(outcome, Outcome::Applied(_)));
    ensure!(applied, "one refused item took others with it: {outcomes:?}");
    let held = bench.held().await?.len();
    ensure!(held == 2, "two items were applied, the system holds {held} objects");
    Ok(())
}

pub(super) async fn c33_every_item_is_answered_once(bench: &Bench<'_>) -> Result<(), Stop> {
    let mut open = bench.exports().await?;
    let (present, _) = bench.one().await?;
    let count = open.session.exporter().ok_or(Stop::NotOffered("export"))?.batch_max().min(50);
    ensure!(count >= 1, "a batch may have no operation at all");
    ensure!(open.export(bench, Vec::new()).await?.is_empty(), "an empty batch was answered");
    let absent = crate::Identity { external_id: Text::new("no such object"), address: None };
    let mut kinds = vec![
        bench.create(bench.subject.sample(1)),
        OperationKind::Delete { identity: absent.clone() },
        bench.replace(&absent, bench.form.text, None, Some("x".into())),
        bench.replace(&present, bench.form.other, None, None),
        OperationKind::Delete { identity: present },
    ];
    kinds.extend(
        (10..).map(|number| bench.create(bench.subject.sample(number))).take(count.saturating_sub(5)),
    );
    kinds.truncate(count);
    // That each is answered exactly once is checked by the bench itself.
    let outcomes = open.export(bench, kinds).await?;
    if let Some(strange) = outcomes.get(2) {
        let applied = matches!(strange, Outcome::Applied(_) | Outcome::AlreadySo(_));
        ensure!(!applied, "an update of an object that is not there ended as {strange:?}");
    }
    Ok(())
}

pub(super) async fn c34_cancelled_export_leaves_the_system_usable(bench: &Bench<'_>) -> Result<(), Stop> {
    let mut open = bench.exports().await?;
    open.cancel.cancel();
    let operation = crate::Operation {
        item: identitymesh_model::ItemId(1),
        object_type: bench.form.object_type,
        kind: bench.create(bench.subject.sample(0)),
    };
    let exporter = open.session.exporter().ok_or(Stop::NotOffered("export"))?;
    let class =
        class_of(in_time("export", exporter.export(vec![operation])).await?, "export after a cancel")?;
    ensure!(class == Class::Cancelled, "a cancelled call ended with class {class:?}");
    drop(open);
    let held = bench.held().await?;
    ensure!(held.is_empty(), "an export that was cancelled before it began wrote {held:?}");
    bench.open().await?.created(bench, bench.subject.sample(1)).await.map(drop)
}
