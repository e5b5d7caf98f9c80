//! The values of one attribute, each with the time in which it held.

use identitymesh_model::plan::Before;
use identitymesh_model::{MeshId, Name, RuleId, Timestamp, Values};

use super::cut::{ROWS_READ, unreadable};
use super::mesh::{Walk, is_of_the_mesh, step_back};
use crate::audit::ChangeKind;
use crate::{ChangeRecord, Reader, StoreError};

/// A value from when it began to hold until it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The values, `None` while the attribute was absent.
    pub values: Option<Values>,
    /// The rules that gave them.
    pub rules: Vec<RuleId>,
    /// The row of the audit with which they began.
    pub from: ChangeRecord,
    /// When they ended, `None` while they last.
    pub until: Option<Timestamp>,
}

/// The values of an attribute of a mesh object, newest first, from its beginning to its end. A value that stayed and
/// only came from other rules begins anew.
///
/// # Errors
/// When the store cannot be read or a row of the history makes no sense.
pub fn spans(reader: &mut dyn Reader, mesh: MeshId, attribute: Name) -> Result<Vec<Span>, StoreError> {
    let mut walk = Walk::start(reader, mesh)?;
    let mut out: Vec<Span> = Vec::new();
    let (mut before, mut until) = (None, None);
    loop {
        let rows = reader.history(mesh, before, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { return Ok(out) };
        before = Some(last);
        for row in rows.into_iter().filter(|row| is_of_the_mesh(row.kind)) {
            let change = Before::parse(&row.before)
                .map_err(|error| unreadable(&format!("row {} of the audit", row.seq)).caused_by(error))?;
            let is_other = row.kind != ChangeKind::Update
                || change.attributes.iter().any(|(name, _)| *name == attribute)
                || change.sets.iter().any(|set| set.name == attribute);
            if let Some(walk) = walk.as_ref().filter(|_| is_other && row.kind != ChangeKind::Purge) {
                let values = walk.mesh.doc.get(attribute).cloned();
                let rules = walk.rules.get(&attribute).filter(|_| values.is_some()).cloned();
                let rules = rules.unwrap_or_default();
                out.push(Span { values, rules, from: row.clone(), until });
            }
            until = if is_other { Some(row.at) } else { until };
            walk = step_back(walk, &row)?;
        }
    }
}
