//! What holds at every moment of every life, whatever failed.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_connector::ImportedObject;
use identitymesh_model::{MeshId, Name, Value};
use identitymesh_store::audit::{CHAIN_START, ChangeRow, chain};
use identitymesh_store::{
    ItemFilter, ItemRow, MeshFilter, MeshRow, Reader, SpaceFilter, SpaceRow, StoreError, Totals,
};

use crate::outside::{Outside, id};
use crate::systems::name;

/// More rows than a life can make.
const ROWS_MAX: usize = 100_000;

/// What the laws remember from one step to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// People who were seen to have an account.
    served: BTreeSet<usize>,
    audit: Audit,
}

/// How far the audit was followed: rows that were seen to be right are looked at again only at the end.
#[derive(Debug)]
struct Audit {
    rows: i64,
    chain: [u8; 32],
}

impl Default for Audit {
    fn default() -> Self {
        Self { rows: 0, chain: CHAIN_START }
    }
}

/// What a law says when it is broken.
pub(crate) type Verdict = Result<(), String>;

/// Checks what the store holds, and of the audit what is new.
pub(crate) fn check_store(reader: &mut dyn Reader, memory: &mut Memory) -> Verdict {
    read(reader, &mut memory.audit).map_err(|error| format!("the store cannot be read: {error}"))?
}

/// Checks the audit from its first row on.
pub(crate) fn check_whole_audit(reader: &mut dyn Reader) -> Verdict {
    let outcome = audit_is_unbroken(reader, &mut Audit::default());
    outcome.map_err(|error| format!("the store cannot be read: {error}"))?
}

/// Checks what the directory holds.
pub(crate) fn check_systems(directory: &[ImportedObject], outside: &Outside, memory: &mut Memory) -> Verdict {
    nobody_has_two_accounts(directory)?;
    nobody_who_stayed_lost_anything(directory, outside, memory)
}

fn broken(law: &str, what: impl std::fmt::Display) -> Verdict {
    Err(format!("{law}: {what}"))
}

fn read(reader: &mut dyn Reader, audit: &mut Audit) -> Result<Verdict, StoreError> {
    let items = reader.item_list(&ItemFilter::default(), None, ROWS_MAX)?.items;
    let spaces = reader.space_list(&SpaceFilter::default(), None, ROWS_MAX)?.items;
    let meshes = reader.mesh_list(&MeshFilter::default(), None, ROWS_MAX)?.items;
    let unbroken = audit_is_unbroken(reader, audit)?;
    let totals = reader.totals()?;
    Ok(unbroken
        .and_then(|()| one_live_item_each(&items))
        .and_then(|()| links_are_one_to_one(&spaces, &meshes))
        .and_then(|()| totals_are_right(&totals, &spaces, items.len(), audit.rows)))
}

fn audit_is_unbroken(reader: &mut dyn Reader, audit: &mut Audit) -> Result<Verdict, StoreError> {
    for change in &reader.changes(audit.rows, ROWS_MAX)? {
        let (seq, leaf) = (audit.rows + 1, ChangeRow::from(change).leaf());
        if change.seq != seq || change.leaf != leaf || change.chain != chain(&audit.chain, &leaf) {
            return Ok(broken("the audit is one unbroken chain", format_args!("row {seq}: {change:?}")));
        }
        *audit = Audit { rows: seq, chain: change.chain };
    }
    Ok(Ok(()))
}

fn one_live_item_each(items: &[ItemRow]) -> Verdict {
    let mut seen = BTreeSet::new();
    match items.iter().find(|item| !seen.insert((item.connector, item.mesh))) {
        Some(item) => broken("one live item for each object and target", format_args!("{item:?}")),
        None => Ok(()),
    }
}

fn links_are_one_to_one(spaces: &[SpaceRow], meshes: &[MeshRow]) -> Verdict {
    let meshes: BTreeSet<MeshId> = meshes.iter().map(|row| row.id).collect();
    let mut linked = BTreeSet::new();
    for space in spaces {
        let Some(mesh) = space.mesh else { continue };
        if !meshes.contains(&mesh) {
            return broken("links lead to somebody", format_args!("{space:?}"));
        }
        if !linked.insert((space.connector, space.object_type, mesh)) {
            return broken("one link for each connector and type", format_args!("{space:?}"));
        }
    }
    Ok(())
}

fn totals_are_right(totals: &Totals, listed: &[SpaceRow], items: usize, changes: i64) -> Verdict {
    let mut spaces: BTreeMap<(_, Name), (u64, u64)> = BTreeMap::new();
    for space in listed.iter().filter(|space| !space.deleted) {
        let counts = spaces.entry((space.connector, space.object_type)).or_default();
        counts.0 += 1;
        counts.1 += u64::from(space.mesh.is_some());
    }
    for told in &totals.spaces {
        let counted = spaces.remove(&(told.connector, told.object_type)).unwrap_or_default();
        if (told.present, told.linked) != counted {
            return broken("totals are what lists count", format_args!("{told:?}, counted {counted:?}"));
        }
    }
    if !spaces.is_empty() {
        return broken("totals are what lists count", format_args!("not told: {spaces:?}"));
    }
    let told: u64 = totals.items.iter().map(|count| count.count).sum();
    if (usize::try_from(told), i64::try_from(totals.changes)) != (Ok(items), Ok(changes)) {
        let counted = format_args!("{items} items and {changes} audit rows; told {told}, {}", totals.changes);
        return broken("totals are what lists count", counted);
    }
    Ok(())
}

fn nobody_has_two_accounts(directory: &[ImportedObject]) -> Verdict {
    for (kind, attributes) in [("account", &["uid", "login", "dn"][..]), ("group", &["cn", "dn"][..])] {
        for attribute in attributes {
            let mut seen = BTreeSet::new();
            for object in directory.iter().filter(|object| object.object_type == name(kind)) {
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
fn nobody_who_stayed_lost_anything(
    accounts: &[ImportedObject],
    outside: &Outside,
    memory: &mut Memory,
) -> Verdict {
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
