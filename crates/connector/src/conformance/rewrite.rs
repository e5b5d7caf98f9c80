//! Clauses 40 to 46: updates, renames, deletes, reading back.

use identitymesh_model::{Object, Text, Values};

use super::bench::{Bench, Objects};
use super::stop::{Stop, ensure, offered};
use crate::{AttributeChange, ChangeKind, Identity, OperationKind, Outcome};

/// The named object, which has to be there.
fn object(held: &Objects, id: &Identity) -> Result<Object, Stop> {
    let found = held.get(&id.external_id).cloned();
    found.ok_or_else(|| Stop::Broken(format!("{} is not there any more", id.external_id)))
}

/// The object without one attribute and without what only the system writes, for comparing the rest.
fn rest(object: &Object, bench: &Bench<'_>, without: identitymesh_model::Name) -> Object {
    let mut object = object.clone();
    let sample = bench.subject.sample(0);
    object.retain(|name, _| name != without && sample.get(name).is_some());
    object
}

fn applied(outcome: &Outcome, what: &str) -> Result<(), Stop> {
    ensure!(matches!(outcome, Outcome::Applied(_)), "{what} ended as {outcome:?}");
    Ok(())
}

pub(super) async fn c40_update_changes_only_what_it_names(bench: &Bench<'_>) -> Result<(), Stop> {
    let mut open = bench.exports().await?;
    let (id, before) = bench.one().await?;
    let text = bench.form.text;
    let change = bench.replace(&id, text, before.get(text).cloned(), Some("renewed".into()));
    applied(&open.export_one(bench, change).await?, "an update")?;
    let after = object(&bench.held().await?, &id)?;
    ensure!(after.get(text) == Some(&"renewed".into()), "the attribute holds {:?}", after.get(text));
    let (left, right) = (rest(&before, bench, text), rest(&after, bench, text));
    ensure!(left == right, "an update of {text} turned {left:?} into {right:?}");
    Ok(())
}

pub(super) async fn c41_stale_update_changes_nothing(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().compare_and_set, "compare-and-set")?;
    let mut open = bench.exports().await?;
    let (id, before) = bench.one().await?;
    let (text, other) = (bench.form.text, bench.form.other);
    let changes = vec![
        AttributeChange {
            name: other,
            kind: ChangeKind::Replace { old: before.get(other).cloned(), new: Some("fresh".into()) },
        },
        AttributeChange {
            name: text,
            kind: ChangeKind::Replace { old: Some("never held".into()), new: Some("lost update".into()) },
        },
    ];
    let kind =
        OperationKind::Update { identity: id.clone(), new_address: None, create_container: false, changes };
    let outcome = open.export_one(bench, kind).await?;
    let said = matches!(&outcome, Outcome::Conflict { reason, .. } if reason.contains(text.as_str()));
    ensure!(said, "a stale update must be a conflict that names {text}, not {outcome:?}");
    let after = object(&bench.held().await?, &id)?;
    ensure!(before == after, "a stale update turned {before:?} into {after:?}");
    Ok(())
}

pub(super) async fn c42_attribute_is_cleared(bench: &Bench<'_>) -> Result<(), Stop> {
    let mut open = bench.exports().await?;
    let (id, before) = bench.one().await?;
    let text = bench.form.text;
    let clear = bench.replace(&id, text, before.get(text).cloned(), None);
    applied(&open.export_one(bench, clear).await?, "clearing")?;
    let after = object(&bench.held().await?, &id)?;
    ensure!(after.get(text).is_none(), "a cleared attribute holds {:?}", after.get(text));
    let fill = bench.replace(&id, text, None, Some("back".into()));
    applied(&open.export_one(bench, fill).await?, "filling an absent attribute")?;
    let after = object(&bench.held().await?, &id)?;
    ensure!(after.get(text) == Some(&"back".into()), "the attribute holds {:?}", after.get(text));
    Ok(())
}

pub(super) async fn c43_values_are_added_and_removed(bench: &Bench<'_>) -> Result<(), Stop> {
    let Some((name, [a, b, c])) = bench.form.multi.clone() else {
        return Err(Stop::NotOffered("multi-valued attributes"));
    };
    let mut open = bench.exports().await?;
    let (id, _) = bench.one().await?;
    let steps = [
        (vec![a.clone(), b.clone()], vec![]),
        // One value is there already, another is not: neither is an error.
        (vec![b.clone(), c.clone()], vec![a.clone()]),
        (vec![], vec![a.clone(), b.clone(), c.clone()]),
    ];
    let mut expected: Vec<_> =
        object(&bench.held().await?, &id)?.get(name).cloned().map(Values::into_vec).unwrap_or_default();
    for (add, remove) in steps {
        expected.extend(add.iter().cloned());
        expected.retain(|value| !remove.contains(value));
        let change = AttributeChange { name, kind: ChangeKind::AddRemove { add, remove } };
        applied(&open.export_one(bench, bench.update(&id, change)).await?, "adding and removing values")?;
        let after = object(&bench.held().await?, &id)?;
        let expected = Values::set(expected.clone());
        ensure!(after.get(name) == expected.as_ref(), "{:?} instead of {expected:?}", after.get(name));
    }
    Ok(())
}

pub(super) async fn c44_rename_keeps_the_external_id(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().hierarchical, "a tree")?;
    let mut open = bench.exports().await?;
    let (id, before) = bench.one().await?;
    let new_address = bench.subject.moved(&before).ok_or(Stop::NotOffered("a second address"))?;
    let kind = OperationKind::Update {
        identity: id.clone(),
        new_address: Some(new_address.clone()),
        create_container: false,
        changes: Vec::new(),
    };
    applied(&open.export_one(bench, kind).await?, "a rename")?;
    let held = bench.held().await?;
    ensure!(held.len() == 1, "a rename left {} objects", held.len());
    object(&held, &id)?;
    let address = bench.identity(&id.external_id).await?.address;
    let same = address.as_ref().is_some_and(|address| address.eq_ignore_ascii_case(&new_address));
    ensure!(same, "renamed to {new_address}, the object is at {address:?}");
    Ok(())
}

pub(super) async fn c45_deleted_object_is_gone_and_second_delete_is_already_so(
    bench: &Bench<'_>,
) -> Result<(), Stop> {
    let mut open = bench.exports().await?;
    let (identity, _) = bench.one().await?;
    bench.seed(1..2).await?;
    let delete = || OperationKind::Delete { identity: identity.clone() };
    applied(&open.export_one(bench, delete()).await?, "a delete")?;
    let held = bench.held().await?;
    ensure!(held.len() == 1 && !held.contains_key(&identity.external_id), "after a delete: {held:?}");
    let outcome = open.export_one(bench, delete()).await?;
    ensure!(matches!(outcome, Outcome::AlreadySo(_)), "the second delete ended as {outcome:?}");
    Ok(())
}

pub(super) async fn c46_read_back_finds_by_external_id(bench: &Bench<'_>) -> Result<(), Stop> {
    let mut open = bench.exports().await?;
    let (identity, content) = bench.one().await?;
    let object_type = bench.form.object_type;
    let exporter = open.session.exporter().ok_or(Stop::NotOffered("export"))?;
    let found = exporter.read_back(object_type, &identity).await?;
    let same = found.as_ref().is_some_and(|found| {
        found.external_id == identity.external_id
            && found.attributes == content
            && found.object_type == object_type
    });
    ensure!(same, "read back {found:?} instead of {content:?}");
    let absent = Identity { external_id: Text::new("no such object"), address: None };
    let found = exporter.read_back(object_type, &absent).await?;
    ensure!(found.is_none(), "an object that is not there reads back as {found:?}");
    if identity.address.is_some() {
        let by_address = Identity { external_id: Text::new("no such object"), ..identity.clone() };
        let found = exporter.read_back(object_type, &by_address).await?;
        let same = found.is_some_and(|found| found.external_id == identity.external_id);
        ensure!(same, "the object is not found by its address {:?}", identity.address);
    }
    Ok(())
}
