//! Management-space objects as they were, and who was linked to whom.

use identitymesh_model::{MeshId, SpaceBefore, SpaceId, SpaceRecord, Timestamp, Uid};

use super::cut::{Cut, ROWS_READ, unreadable};
use crate::{Moment, Reader, SpaceChange, SpaceIdentity, StoreError};

/// A management-space object as it was at `cut`, `None` when there was none.
///
/// # Errors
/// When the store cannot be read or a row of its history makes no sense.
pub fn space_at(reader: &mut dyn Reader, id: SpaceId, cut: Cut) -> Result<Option<SpaceRecord>, StoreError> {
    let Some(identity) = reader.space_identities(&[id])?.pop().flatten() else { return Ok(None) };
    if let Cut::At(at) = cut
        && began_after(identity.uid, at)
    {
        return Ok(None);
    }
    walk_back(reader, &identity, cut, |row| cut.is_before_place(row.place, row.at))
}

/// A management-space object as it was just before one of its own changes, a row of [`Reader::space_history`], with
/// the link that it had just before row `seq` of the audit. `None` when it was not there.
///
/// # Errors
/// When the store cannot be read or a row of its history makes no sense.
pub fn space_before(
    reader: &mut dyn Reader,
    id: SpaceId,
    change: i64,
    seq: i64,
) -> Result<Option<SpaceRecord>, StoreError> {
    let Some(identity) = reader.space_identities(&[id])?.pop().flatten() else { return Ok(None) };
    walk_back(reader, &identity, Cut::Before(seq), |row| row.seq >= change)
}

/// A management-space object as it was at a moment in the history of all of them, `None` when it was not there.
///
/// # Errors
/// When the store cannot be read or a row of its history makes no sense.
pub fn space_when(
    reader: &mut dyn Reader,
    id: SpaceId,
    moment: Moment,
) -> Result<Option<SpaceRecord>, StoreError> {
    let identity = reader.space_identities(&[id])?.pop().flatten().filter(|_| id <= moment.space);
    let Some(identity) = identity else { return Ok(None) };
    walk_back(reader, &identity, Cut::Before(i64::MAX), |row| row.seq > moment.change)
}

/// A management-space object that is gone for good as it was last. `None` when it is not gone, or nothing is kept of it.
///
/// # Errors
/// When the store cannot be read or a row of its history makes no sense.
pub fn space_last(reader: &mut dyn Reader, id: SpaceId) -> Result<Option<SpaceRecord>, StoreError> {
    let identity = reader.space_identities(&[id])?.pop().flatten().filter(|identity| identity.purged);
    let (Some(identity), Some(row)) = (identity, reader.space_history(id, None, 1)?.pop()) else {
        return Ok(None);
    };
    let change = SpaceBefore::parse(&row.before)
        .map_err(|error| unreadable(&format!("row {} of an object's past", row.seq)).caused_by(error))?;
    let mut record = identity.empty();
    change.take_back(&mut record);
    Ok(Some(record))
}

fn walk_back(
    reader: &mut dyn Reader,
    identity: &SpaceIdentity,
    cut: Cut,
    is_later: impl Fn(&SpaceChange) -> bool,
) -> Result<Option<SpaceRecord>, StoreError> {
    let id = identity.id;
    let now = reader.spaces(&[id])?.pop().flatten();
    let mut is_there = now.is_some();
    let mut record = now.unwrap_or_else(|| identity.empty());
    let mut link = record.link.take();
    if let Some(known) = link
        && began_later(reader, known.mesh, id, cut)?
    {
        link = None;
    }
    record.link = link;
    let mut before = None;
    loop {
        let rows = reader.space_history(id, before, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        for row in &rows {
            if !is_later(row) {
                return Ok(is_there.then_some(record));
            }
            let change = SpaceBefore::parse(&row.before).map_err(|error| {
                unreadable(&format!("row {} of an object's past", row.seq)).caused_by(error)
            })?;
            change.take_back(&mut record);
            // A link that began later still was none then.
            if let Some(link) = &change.rest.link
                && cut.is_before_place(link.rows, link.at)
            {
                record.link = None;
            }
            is_there = true;
        }
        before = Some(last);
    }
    Ok(is_there.then_some(record))
}

fn began_later(reader: &mut dyn Reader, mesh: MeshId, space: SpaceId, cut: Cut) -> Result<bool, StoreError> {
    let spans = reader.link_history(mesh)?;
    let current = spans.iter().find(|span| span.space == space && span.end.is_none());
    Ok(current.is_some_and(|span| cut.is_before_place(span.link.rows, span.link.at)))
}

/// The management-space objects that were linked to a mesh object at `cut`, as they were, in the order of their ids.
///
/// # Errors
/// When the store cannot be read or a row of their history makes no sense.
pub fn linked_at(reader: &mut dyn Reader, mesh: MeshId, cut: Cut) -> Result<Vec<SpaceRecord>, StoreError> {
    let mut out = Vec::new();
    for span in reader.link_history(mesh)? {
        let began = !cut.is_before_place(span.link.rows, span.link.at);
        let lasts = span.end.is_none_or(|end| cut.is_before_place(end.place, end.at));
        if !(began && lasts) {
            continue;
        }
        if let Some(mut record) = space_at(reader, span.space, cut)? {
            record.link = Some(span.link.link());
            out.push(record);
        }
    }
    out.sort_unstable_by_key(|record: &SpaceRecord| record.id);
    out.dedup_by_key(|record| record.id);
    Ok(out)
}

/// Whether what has this public id began after a moment, as far as its milliseconds say.
fn began_after(uid: Uid, at: Timestamp) -> bool {
    uid.unix_millis().is_some_and(|began| began > at.as_unix_millis())
}
