//! What the store's tables say about each other.

use std::collections::{BTreeMap, BTreeSet};

use identitymesh_model::{MeshId, Name};
use identitymesh_store::audit::{CHAIN_START, ChangeRow, chain};
use identitymesh_store::{
    ChangeRecord, ItemFilter, ItemRow, MeshFilter, MeshRow, Reader, SpaceFilter, SpaceRow, StoreError, Totals,
};

use super::{Verdict, broken, unreadable};
use crate::said::Said;

/// More rows than a life can make.
pub(super) const ROWS_MAX: usize = 100_000;

/// How far the audit was followed: rows that were seen to be right are looked at again only at the end.
#[derive(Debug)]
pub(super) struct Audit {
    rows: i64,
    chain: [u8; 32],
}

impl Default for Audit {
    fn default() -> Self {
        Self { rows: 0, chain: CHAIN_START }
    }
}

/// What the store holds, and of the audit what is new.
pub(super) struct Tables {
    pub(super) items: Vec<ItemRow>,
    pub(super) spaces: Vec<SpaceRow>,
    pub(super) meshes: Vec<MeshRow>,
    pub(super) changes: Vec<ChangeRecord>,
    totals: Totals,
}

impl Tables {
    pub(super) fn read(reader: &mut dyn Reader, audit: &Audit) -> Result<Self, StoreError> {
        Ok(Self {
            items: reader.item_list(&ItemFilter::default(), None, ROWS_MAX)?.items,
            spaces: reader.space_list(&SpaceFilter::default(), None, ROWS_MAX)?.items,
            meshes: reader.mesh_list(&MeshFilter::default(), None, ROWS_MAX)?.items,
            changes: reader.changes(audit.rows, ROWS_MAX)?,
            totals: reader.totals()?,
        })
    }
}

/// Checks the tables, and goes on with the audit.
pub(super) fn check(tables: &Tables, audit: &mut Audit, said: &Said) -> Verdict {
    audit_is_unbroken(&tables.changes, audit)?;
    one_live_item_each(&tables.items)?;
    links_are_one_to_one(&tables.spaces, &tables.meshes, said)?;
    totals_are_right(&tables.totals, &tables.spaces, tables.items.len(), audit.rows)
}

/// Checks the audit from its first row on.
pub(crate) fn check_whole_audit(reader: &mut dyn Reader) -> Verdict {
    let changes = reader.changes(0, ROWS_MAX).map_err(unreadable)?;
    audit_is_unbroken(&changes, &mut Audit::default())
}

fn audit_is_unbroken(changes: &[ChangeRecord], audit: &mut Audit) -> Verdict {
    for change in changes {
        let (seq, leaf) = (audit.rows + 1, ChangeRow::from(change).leaf());
        if change.seq != seq || change.leaf != leaf || change.chain != chain(&audit.chain, &leaf) {
            return broken("the audit is one unbroken chain", format_args!("row {seq}: {change:?}"));
        }
        *audit = Audit { rows: seq, chain: change.chain };
    }
    Ok(())
}

fn one_live_item_each(items: &[ItemRow]) -> Verdict {
    let mut seen = BTreeSet::new();
    match items.iter().find(|item| !seen.insert((item.connector, item.mesh))) {
        Some(item) => broken("one live item for each object and target", format_args!("{item:?}")),
        None => Ok(()),
    }
}

/// Whom people merged has several objects of one type until somebody parts them again.
fn links_are_one_to_one(spaces: &[SpaceRow], meshes: &[MeshRow], said: &Said) -> Verdict {
    let meshes: BTreeMap<MeshId, &MeshRow> = meshes.iter().map(|row| (row.id, row)).collect();
    let mut linked = BTreeSet::new();
    for space in spaces {
        let Some(mesh) = space.mesh else { continue };
        let Some(row) = meshes.get(&mesh) else {
            return broken("links lead to somebody", format_args!("{space:?}"));
        };
        let is_second = !linked.insert((space.connector, space.object_type, mesh));
        if is_second && !said.is_by_hand(&row.anchor) {
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
