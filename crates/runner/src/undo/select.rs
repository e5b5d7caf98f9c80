//! Which exports an undo is about.

use std::collections::BTreeMap;
use std::fmt;

use identitymesh_model::{ConnectorId, MeshId, RunId, Timestamp, Uid};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::{ChangeRecord, Reader};

use crate::RunError;

/// How many rows of a history are read at once.
const ROWS_READ: usize = 1_000;

/// What to undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoScope {
    /// What an export run sent; of a sync, what was sent since for the mesh objects that it changed.
    Run(RunId),
    /// What was sent for one mesh object since a moment.
    Object {
        /// The mesh object.
        mesh: MeshId,
        /// As it was then.
        to: Timestamp,
    },
    /// Single exports, by their rows in the audit.
    Changes(Vec<i64>),
}

impl fmt::Display for UndoScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run {run}"),
            Self::Object { mesh, to } => write!(f, "object {mesh} to {to}"),
            Self::Changes(rows) => {
                let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
                write!(f, "rows {}", rows.join(", "))
            }
        }
    }
}

/// The exports to undo for one mesh object in one target, oldest first.
pub(super) struct Group {
    pub(super) mesh: MeshId,
    pub(super) uid: Uid,
    pub(super) connector: ConnectorId,
    pub(super) rows: Vec<ChangeRecord>,
}

/// The exports that `scope` means, by target and mesh object.
pub(super) fn select(reader: &mut dyn Reader, scope: &UndoScope) -> Result<Vec<Group>, RunError> {
    let rows = match scope {
        UndoScope::Run(run) => of_run(reader, *run)?,
        UndoScope::Object { mesh, to } => since(reader, *mesh, |row| row.at > *to)?,
        UndoScope::Changes(rows) => of_rows(reader, rows)?,
    };
    let mut groups: BTreeMap<(ConnectorId, MeshId), Group> = BTreeMap::new();
    for row in rows {
        let Some(connector) = row.connector.filter(|_| row.kind == ChangeKind::Export) else { continue };
        let (mesh, uid) = (row.mesh, row.uid);
        let group = Group { mesh, uid, connector, rows: Vec::new() };
        groups.entry((connector, mesh)).or_insert(group).rows.push(row);
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.iter_mut().for_each(|group| group.rows.sort_by_key(|row| row.seq));
    Ok(groups)
}

fn of_run(reader: &mut dyn Reader, run: RunId) -> Result<Vec<ChangeRecord>, RunError> {
    let known = reader.run(run)?.ok_or_else(|| cannot(format!("there is no run {run}")))?;
    let mut rows = Vec::new();
    let mut changed: BTreeMap<MeshId, i64> = BTreeMap::new();
    let mut after = 0;
    loop {
        let part = reader.run_changes(run, after, ROWS_READ)?;
        let Some(last) = part.last() else { break };
        after = last.seq;
        for row in part {
            match row.kind {
                ChangeKind::Export => rows.push(row),
                ChangeKind::Create | ChangeKind::Update | ChangeKind::Purge => {
                    changed.entry(row.mesh).or_insert(row.seq);
                }
                _ => {}
            }
        }
    }
    for (mesh, first) in changed {
        rows.extend(since(reader, mesh, |row| row.seq > first)?);
    }
    if rows.is_empty() && known.step.ends_with("import") {
        let message = "an import writes to no target; correct what it read, or undo the sync that followed";
        return Err(cannot(format!("run {run} is a {}: {message}", known.step)));
    }
    Ok(rows)
}

fn since(
    reader: &mut dyn Reader,
    mesh: MeshId,
    counts: impl Fn(&ChangeRecord) -> bool,
) -> Result<Vec<ChangeRecord>, RunError> {
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let part = reader.history(mesh, before, ROWS_READ)?;
        let Some(last) = part.last() else { return Ok(rows) };
        before = Some(last.seq);
        let is_through = !counts(last);
        rows.extend(part.into_iter().filter(|row| row.kind == ChangeKind::Export && counts(row)));
        if is_through {
            return Ok(rows);
        }
    }
}

fn of_rows(reader: &mut dyn Reader, wanted: &[i64]) -> Result<Vec<ChangeRecord>, RunError> {
    let mut rows = Vec::with_capacity(wanted.len());
    for seq in wanted {
        let found = reader.changes(seq.saturating_sub(1), 1)?.pop();
        match found.filter(|row| row.seq == *seq) {
            Some(row) if row.kind == ChangeKind::Export => rows.push(row),
            Some(row) => {
                let kind = row.kind.as_str();
                return Err(cannot(format!("row {seq} is of the kind {kind}, and only exports are undone")));
            }
            None => return Err(cannot(format!("the audit has no row {seq}"))),
        }
    }
    Ok(rows)
}

pub(super) const fn cannot(why: String) -> RunError {
    RunError::Undo { why }
}
