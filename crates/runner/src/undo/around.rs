//! A target's object before and after what is to be undone, and as it is now.

use std::collections::BTreeSet;

use identitymesh_engine::undo::Around;
use identitymesh_model::plan::Before;
use identitymesh_model::{LinkMode, Name, RunId, SpaceBefore, SpaceId, SpaceRecord};
use identitymesh_store::{LinkSpan, Reader, SpaceChange, SpaceChangeKind, SpaceIdentity};

use super::select::Group;
use crate::RunError;

/// How many rows of an object's past are read at once.
const ROWS_READ: usize = 200;

/// One object of the target that belongs or belonged to the mesh object.
#[derive(Default)]
struct Walked {
    /// `None` where the runs did nothing to it.
    before: Option<Option<SpaceRecord>>,
    after: Option<SpaceRecord>,
    /// `None` where it is gone, or another mesh object's.
    now: Option<SpaceRecord>,
    elsewhere: bool,
}

/// What the runs of a group did to the mesh object's object in the target.
pub(super) fn around(reader: &mut dyn Reader, group: &Group) -> Result<Around, RunError> {
    let runs: BTreeSet<RunId> = group.rows.iter().map(|row| row.run).collect();
    let spans = reader.link_history(group.mesh)?;
    let mut ids: Vec<SpaceId> = spans.iter().map(|span| span.space).collect();
    ids.dedup();
    let mut around = Around { written: written(group)?, ..Around::default() };
    for identity in reader.space_identities(&ids)?.into_iter().flatten() {
        if identity.connector != group.connector {
            continue;
        }
        let spans: Vec<&LinkSpan> = spans.iter().filter(|span| span.space == identity.id).collect();
        let walked = walk(reader, &identity, &Theirs { group, runs: &runs, spans })?;
        if let Some(before) = walked.before {
            around.elsewhere |= walked.elsewhere;
            around.made |= before.is_none();
            around.before = around.before.or(before);
            around.after = walked.after;
        }
        around.now = walked.now.or(around.now);
    }
    Ok(around)
}

/// What of an object's past the runs of a group did, for their mesh object.
struct Theirs<'a> {
    group: &'a Group,
    runs: &'a BTreeSet<RunId>,
    /// When the object was the mesh object's.
    spans: Vec<&'a LinkSpan>,
}

impl Theirs<'_> {
    /// Whether a change of the object was written by them. One object may have been several mesh objects' in turn, and
    /// the same run may have written to it for another one.
    fn wrote(&self, row: &SpaceChange) -> bool {
        let is_written =
            matches!(row.kind, SpaceChangeKind::Export | SpaceChangeKind::Purge | SpaceChangeKind::Unlink);
        let held = |span: &&LinkSpan| {
            span.link.rows <= row.place && span.end.is_none_or(|end| row.place <= end.place)
        };
        is_written && self.runs.contains(&row.run) && self.spans.iter().any(held)
    }

    /// Whether they made the object.
    fn made(&self, identity: &SpaceIdentity) -> bool {
        self.spans.iter().any(|span| {
            span.link.mode == LinkMode::Projected
                && self.runs.contains(&span.link.run)
                && identity.uid.unix_millis() == Some(span.link.at.as_unix_millis())
        })
    }

    fn has(&self, record: &SpaceRecord) -> bool {
        record.link.is_some_and(|link| link.mesh == self.group.mesh)
    }
}

/// The attributes that the rows of a group say were written, in order.
fn written(group: &Group) -> Result<Vec<Name>, RunError> {
    let mut names = BTreeSet::new();
    for row in &group.rows {
        let before = Before::parse(&row.before)
            .map_err(|source| RunError::Stored { what: "row of the audit", source })?;
        names.extend(before.attributes.iter().map(|(name, _)| *name));
        names.extend(before.sets.iter().map(|set| set.name));
    }
    Ok(names.into_iter().collect())
}

fn walk(reader: &mut dyn Reader, identity: &SpaceIdentity, theirs: &Theirs<'_>) -> Result<Walked, RunError> {
    let now = reader.spaces(&[identity.id])?.pop().flatten();
    let mut record = now.clone().unwrap_or_else(|| identity.empty());
    let now = now.filter(|record| !record.deleted);
    let (mut is_there, mut cursor) = (now.is_some(), None);
    let elsewhere = now.as_ref().is_some_and(|record| !theirs.has(record));
    let mut walked = Walked { now: now.filter(|record| theirs.has(record)), elsewhere, ..Walked::default() };
    let mut was_written = false;
    loop {
        let rows = reader.space_history(identity.id, cursor, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        cursor = Some(last);
        for row in rows {
            let is_theirs = theirs.wrote(&row);
            if is_theirs && walked.before.is_none() {
                walked.after = is_there.then(|| record.clone());
            }
            let change = SpaceBefore::parse(&row.before)
                .map_err(|source| RunError::Stored { what: "past of an object", source })?;
            change.take_back(&mut record);
            is_there = true;
            if is_theirs {
                was_written |= row.kind == SpaceChangeKind::Export;
                walked.before = Some(Some(record.clone()));
            }
        }
    }
    // What was there before it was linked was written when it was; what began with its link left no such row.
    if theirs.made(identity) && !was_written {
        if walked.before.is_none() {
            walked.after = Some(record);
        }
        walked.before = Some(None);
    }
    Ok(walked)
}
