//! What holds at every moment of every life, whatever failed.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_model::{MeshId, Name, Value};
use identitymesh_store::audit::{CHAIN_START, ChangeRow, chain};
use identitymesh_store::{ItemFilter, MeshFilter, Reader, SpaceFilter, StoreError};

use crate::outside::{Outside, id};
use crate::systems::{Systems, name};

/// More rows than a life can make.
const ROWS_MAX: usize = 100_000;

/// What the laws remember from one step to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// People who were seen to have an account.
    served: BTreeSet<usize>,
}

/// What a law says when it is broken.
pub(crate) type Verdict = Result<(), String>;

/// Checks everything.
pub(crate) fn check(
    reader: &mut dyn Reader,
    systems: &Systems,
    outside: &Outside,
    memory: &mut Memory,
) -> Verdict {
    let said = |error: StoreError| format!("the store cannot be read: {error}");
    audit_is_unbroken(reader).map_err(said)??;
    one_live_item_each(reader).map_err(said)??;
    links_are_one_to_one(reader).map_err(said)??;
    totals_are_right(reader).map_err(said)??;
    nobody_has_two_accounts(systems)?;
    nobody_who_stayed_lost_anything(systems, outside, memory)
}

fn broken(law: &str, what: impl std::fmt::Display) -> Verdict {
    Err(format!("{law}: {what}"))
}

fn audit_is_unbroken(reader: &mut dyn Reader) -> Result<Verdict, StoreError> {
    let mut before = CHAIN_START;
    for (change, seq) in reader.changes(0, ROWS_MAX)?.iter().zip(1..) {
        let leaf = ChangeRow::from(change).leaf();
        if change.seq != seq || change.leaf != leaf || change.chain != chain(&before, &leaf) {
            return Ok(broken("the audit is one unbroken chain", format_args!("row {seq}: {change:?}")));
        }
        before = change.chain;
    }
    Ok(Ok(()))
}

fn one_live_item_each(reader: &mut dyn Reader) -> Result<Verdict, StoreError> {
    let mut seen = BTreeSet::new();
    for item in reader.item_list(&ItemFilter::default(), None, ROWS_MAX)?.items {
        if !seen.insert((item.connector, item.mesh)) {
            return Ok(broken("one live item for each object and target", format_args!("{item:?}")));
        }
    }
    Ok(Ok(()))
}

fn links_are_one_to_one(reader: &mut dyn Reader) -> Result<Verdict, StoreError> {
    let meshes = reader.mesh_list(&MeshFilter::default(), None, ROWS_MAX)?.items;
    let meshes: BTreeSet<MeshId> = meshes.into_iter().map(|row| row.id).collect();
    let mut linked = BTreeSet::new();
    for space in reader.space_list(&SpaceFilter::default(), None, ROWS_MAX)?.items {
        let Some(mesh) = space.mesh else { continue };
        if !meshes.contains(&mesh) {
            return Ok(broken("links lead to somebody", format_args!("{space:?}")));
        }
        if !linked.insert((space.connector, space.object_type, mesh)) {
            return Ok(broken("one link for each connector and type", format_args!("{space:?}")));
        }
    }
    Ok(Ok(()))
}

fn totals_are_right(reader: &mut dyn Reader) -> Result<Verdict, StoreError> {
    let totals = reader.totals()?;
    let mut spaces: BTreeMap<(_, Name), (u64, u64)> = BTreeMap::new();
    for space in reader.space_list(&SpaceFilter::default(), None, ROWS_MAX)?.items {
        if !space.deleted {
            let counts = spaces.entry((space.connector, space.object_type)).or_default();
            counts.0 += 1;
            counts.1 += u64::from(space.mesh.is_some());
        }
    }
    for told in &totals.spaces {
        let counted = spaces.remove(&(told.connector, told.object_type)).unwrap_or_default();
        if (told.present, told.linked) != counted {
            return Ok(broken("totals are what lists count", format_args!("{told:?}, counted {counted:?}")));
        }
    }
    if !spaces.is_empty() {
        return Ok(broken("totals are what lists count", format_args!("not told: {spaces:?}")));
    }
    let items = reader.item_list(&ItemFilter::default(), None, ROWS_MAX)?.items.len() as u64;
    let told: u64 = totals.items.iter().map(|count| count.count).sum();
    let changes = reader.changes(0, ROWS_MAX)?.len() as u64;
    if (told, totals.changes) != (items, changes) {
        let counted = format_args!("{items} items and {changes} audit rows; told {told}, {}", totals.changes);
        return Ok(broken("totals are what lists count", counted));
    }
    Ok(Ok(()))
}

fn nobody_has_two_accounts(systems: &Systems) -> Verdict {
    for (kind, attributes) in [("account", &["uid", "login", "dn"][..]), ("group", &["cn", "dn"][..])] {
        for attribute in attributes {
            let mut seen = BTreeSet::new();
            for object in systems.directory.objects() {
                if object.object_type != name(kind) {
                    continue;
                }
                let value = object.attributes.single(name(attribute)).map(Value::to_string);
                if value.is_none() || !seen.insert(value.clone()) {
                    return broken(
                        "nobody has two accounts, and no two have the same name",
                        format_args!("{kind} {attribute} {value:?}"),
                    );
                }
            }
        }
    }
    Ok(())
}

/// Whoever HR has known and called active since the first day keeps the account that was made for them, enabled.
fn nobody_who_stayed_lost_anything(systems: &Systems, outside: &Outside, memory: &mut Memory) -> Verdict {
    let accounts = systems.directory.objects();
    for (who, person) in &outside.people {
        let uid = Value::text(id(*who));
        let account = accounts.iter().find(|object| object.attributes.single(name("uid")) == Some(&uid));
        if person.is_steady && !person.is_removed {
            let off = Value::text("off");
            let is_off = account.is_some_and(|it| it.attributes.single(name("state")) == Some(&off));
            let is_gone = account.is_none() && memory.served.contains(who);
            if is_off || is_gone {
                let what = if is_off { "disabled" } else { "removed" };
                return broken("nobody who stayed loses anything", format_args!("{} was {what}", id(*who)));
            }
        }
        if account.is_some() {
            memory.served.insert(*who);
        }
    }
    Ok(())
}
