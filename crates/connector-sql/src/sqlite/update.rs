//! Changing and deleting one row.
//!
//! What a change expects is compared twice: as typed values with the row as read, which says what differs, and as
//! stored values in the statement's own condition, which no other writer can slip past.

use identitymesh_connector::{AttributeChange, ChangeKind, Outcome, Written};
use identitymesh_model::{Object, Value, Values};

use super::create::{add_members, current, members, single, unknown, writable};
use super::db::Db;
use super::export::{Failure, conflict, refused};
use super::named;
use crate::dialect::Sqlite;
use crate::layout::{Layout, RelatedTable, Writes};
use crate::raw::Raw;
use crate::statement::Statements;

/// What an update comes to.
struct Plan<'l> {
    /// Places of columns with their new content.
    columns: Vec<(usize, Raw)>,
    /// Values out of and into related tables.
    related: Vec<(&'l RelatedTable, Vec<Raw>, Vec<Raw>)>,
}

pub(crate) fn update(
    db: &Db,
    layout: &Layout,
    external_id: &str,
    changes: &[AttributeChange],
) -> Result<Outcome, Failure> {
    let gone = || conflict("SQL-023", format!("there is no row with the key {external_id}"));
    let key = layout.key_of(external_id).ok_or_else(gone)?;
    let (object, mut stored) = current(db, layout, &key)?.ok_or_else(gone)?;
    let plan = plan(layout, &object, changes)?;
    if plan.columns.is_empty() && plan.related.is_empty() {
        return Ok(Outcome::AlreadySo(Written::default()));
    }
    if !plan.columns.is_empty() {
        match &layout.named.update {
            Some(text) => {
                plan.columns.iter().for_each(|(at, new)| stored[*at] = new.clone());
                named::run(db, layout, text, Some(external_id), &stored)?;
            }
            None => generated(db, layout, &key, &stored, plan.columns)?,
        }
    }
    for (related, remove, add) in plan.related {
        for value in remove {
            remove_member(db, related, &key, value)?;
        }
        add_members(db, related, &key, add)?;
    }
    Ok(Outcome::Applied(Written::default()))
}

fn generated(
    db: &Db,
    layout: &Layout,
    key: &[Raw],
    stored: &[Raw],
    columns: Vec<(usize, Raw)>,
) -> Result<(), Failure> {
    writable(layout)?;
    let assigned = columns.into_iter();
    let assigned =
        assigned.map(|(at, new)| (layout.columns[at].sql.as_str(), stored[at].clone(), new)).collect();
    let rows = db.execute(&Statements(&Sqlite).update(layout, key, assigned))?;
    match (rows, layout.writes) {
        // A view's triggers do the work and count nothing.
        (1, _) | (_, Writes::View) => Ok(()),
        (0, _) => Err(conflict("SQL-024", "the row changed while it was being written")),
        (rows, _) => Err(refused("SQL-029", format!("{rows} rows have this key"), None)),
    }
}

fn plan<'l>(layout: &'l Layout, object: &Object, changes: &[AttributeChange]) -> Result<Plan<'l>, Failure> {
    let mut plan = Plan { columns: Vec::new(), related: Vec::new() };
    for AttributeChange { name, kind } in changes {
        let held = object.get(*name);
        if let ChangeKind::Replace { old, .. } = kind
            && old.as_ref() != held
        {
            return Err(conflict("SQL-024", format!("{name} does not hold what was expected")));
        }
        let held_values = held.map(Values::as_slice).unwrap_or_default();
        match (layout.column(*name), layout.related(*name), kind) {
            (Some(at), _, ChangeKind::Replace { new, .. }) => {
                if new.as_ref() == held {
                    continue;
                }
                if layout.key.contains(&at) {
                    let reason = format!("{name} is the key and cannot change");
                    return Err(refused("SQL-022", reason, Some(*name)));
                }
                plan.columns.push((at, single(&layout.columns[at], new.as_ref())?));
            }
            (Some(_), _, ChangeKind::AddRemove { .. }) => {
                return Err(refused("SQL-021", format!("{name} holds one value"), Some(*name)));
            }
            (None, Some(related), ChangeKind::Replace { new, .. }) => {
                let wanted = new.as_ref().map(Values::as_slice).unwrap_or_default();
                plan.relate(related, held_values, wanted, held_values)?;
            }
            (None, Some(related), ChangeKind::AddRemove { add, remove }) => {
                plan.relate(related, held_values, add, remove)?;
            }
            (None, None, _) => return Err(unknown(layout, *name)),
        }
    }
    Ok(plan)
}

impl<'l> Plan<'l> {
    /// Only what is not there comes, and only what is there and not wanted goes.
    fn relate(
        &mut self,
        related: &'l RelatedTable,
        held: &[Value],
        add: &[Value],
        remove: &[Value],
    ) -> Result<(), Failure> {
        let coming: Vec<Value> = add.iter().filter(|value| !held.contains(value)).cloned().collect();
        let going: Vec<Value> =
            remove.iter().filter(|value| held.contains(value) && !add.contains(value)).cloned().collect();
        if !coming.is_empty() || !going.is_empty() {
            self.related.push((related, members(related, &going)?, members(related, &coming)?));
        }
        Ok(())
    }
}

fn remove_member(db: &Db, related: &RelatedTable, key: &[Raw], value: Raw) -> Result<(), Failure> {
    let mut columns = related.key.clone();
    columns.push(related.value.sql.clone());
    let values: Vec<Raw> = key.iter().cloned().chain([value]).collect();
    db.execute(&Statements(&Sqlite).delete(&related.table, &columns, &values))?;
    Ok(())
}

pub(crate) fn delete(db: &Db, layout: &Layout, external_id: &str) -> Result<Outcome, Failure> {
    let gone = Ok(Outcome::AlreadySo(Written::default()));
    let Some(key) = layout.key_of(external_id) else { return gone };
    let Some(row) = super::page::row_by_key(db, layout, &key)? else { return gone };
    if let Some(text) = &layout.named.delete {
        named::run(db, layout, text, Some(external_id), &row.columns)?;
        return Ok(Outcome::Applied(Written::default()));
    }
    writable(layout)?;
    let rows = match &layout.deleted {
        Some((column, mark)) => {
            let at = layout.columns.iter().position(|known| known.sql == *column);
            let stored = at.map_or(Raw::Null, |at| row.columns[at].clone());
            db.execute(&Statements(&Sqlite).update(layout, &key, vec![(column, stored, mark.clone())]))?
        }
        None => {
            for related in &layout.related {
                db.execute(&Statements(&Sqlite).delete(&related.table, &related.key, &key))?;
            }
            let columns = crate::statement::keys(layout);
            db.execute(&Statements(&Sqlite).delete(&layout.source, &columns, &key))?
        }
    };
    match (rows, layout.writes) {
        (0 | 1, _) | (_, Writes::View) => Ok(Outcome::Applied(Written::default())),
        (rows, _) => Err(refused("SQL-029", format!("{rows} rows have this key"), None)),
    }
}
