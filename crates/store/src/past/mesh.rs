//! Mesh objects as they were.

use std::collections::BTreeMap;

use identitymesh_model::plan::Before;
use identitymesh_model::{MeshId, MeshState, Name, Object, RuleId, Text, Uid};

use super::cut::{Cut, ROWS_READ, unreadable};
use crate::audit::ChangeKind;
use crate::{ChangeRecord, Reader, StoreError};

/// A mesh object as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct PastMesh {
    /// Its id.
    pub id: MeshId,
    /// Its public id.
    pub uid: Uid,
    /// Its type.
    pub mesh_type: Name,
    /// Its anchor.
    pub anchor: Text,
    /// Whether it was alive.
    pub state: MeshState,
    /// Its version.
    pub version: i64,
    /// Its attributes.
    pub doc: Object,
    /// The rules that gave each of them, in the order of `doc`.
    pub rules: Vec<Vec<RuleId>>,
}

/// A mesh object as it was at `cut`, `None` when there was none.
///
/// # Errors
/// When the store cannot be read or a row of its history makes no sense.
pub fn mesh_at(reader: &mut dyn Reader, id: MeshId, cut: Cut) -> Result<Option<PastMesh>, StoreError> {
    let mut walk = Walk::start(reader, id)?;
    let mut before = None;
    loop {
        let rows = reader.history(id, before, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        for row in &rows {
            if !is_of_the_mesh(row.kind) {
                continue;
            }
            if !cut.is_before(row.seq, row.at) {
                return Ok(walk.map(Walk::end));
            }
            walk = step_back(walk, row)?;
        }
        before = Some(last);
    }
    Ok(walk.map(Walk::end))
}

/// A mesh object on the way back.
pub(super) struct Walk {
    pub(super) mesh: PastMesh,
    pub(super) rules: BTreeMap<Name, Vec<RuleId>>,
}

impl Walk {
    /// From what it is now, `None` when it is not.
    pub(super) fn start(reader: &mut dyn Reader, id: MeshId) -> Result<Option<Self>, StoreError> {
        let Some(view) = reader.views(&[id])?.pop().flatten() else { return Ok(None) };
        let record = view.record;
        let rules = record
            .doc
            .iter()
            .zip(&record.provenance.0)
            .map(|((name, _), origins)| (name, origins.iter().map(|origin| origin.rule).collect()));
        let rules = rules.collect();
        let mesh = PastMesh {
            id,
            uid: record.uid,
            mesh_type: record.mesh_type,
            anchor: record.anchor,
            state: record.state,
            version: record.version,
            doc: record.doc,
            rules: Vec::new(),
        };
        Ok(Some(Self { mesh, rules }))
    }

    fn end(mut self) -> PastMesh {
        let rules = self.mesh.doc.iter().map(|(name, _)| self.rules.get(&name).cloned().unwrap_or_default());
        self.mesh.rules = rules.collect();
        self.mesh
    }
}

/// What it was before a row was written.
pub(super) fn step_back(walk: Option<Walk>, row: &ChangeRecord) -> Result<Option<Walk>, StoreError> {
    let before = Before::parse(&row.before)
        .map_err(|error| unreadable(&format!("row {} of the audit", row.seq)).caused_by(error))?;
    let walk = match (row.kind, walk) {
        (ChangeKind::Create, _) => return Ok(None),
        (ChangeKind::Purge, _) => {
            let (Some(state), Some(anchor), Some(mesh_type)) =
                (before.state, before.anchor.clone(), before.mesh_type)
            else {
                return Err(unreadable(&format!("row {} of the audit", row.seq)));
            };
            let (doc, rules) = (Object::new(), Vec::new());
            let (id, uid) = (row.mesh, row.uid);
            let mesh = PastMesh { id, uid, mesh_type, anchor, state, version: 0, doc, rules };
            Some(Walk { mesh, rules: BTreeMap::new() })
        }
        (_, walk) => walk,
    };
    let Some(mut walk) = walk else { return Ok(None) };
    before.take_back(&mut walk.mesh.doc);
    for ((name, _), rules) in before.attributes.iter().zip(&before.rules) {
        walk.rules.insert(*name, rules.clone());
    }
    walk.mesh.state = before.state.unwrap_or(walk.mesh.state);
    walk.mesh.anchor = before.anchor.unwrap_or(walk.mesh.anchor);
    walk.mesh.version -= i64::from(row.kind == ChangeKind::Update);
    Ok(Some(walk))
}

/// Whether rows of this kind change the mesh object itself.
pub(super) const fn is_of_the_mesh(kind: ChangeKind) -> bool {
    matches!(kind, ChangeKind::Create | ChangeKind::Update | ChangeKind::Purge)
}
