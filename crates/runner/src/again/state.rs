//! What a mesh object and its objects were when something was planned.

use identitymesh_engine::reasons::scopes;
use identitymesh_engine::rules::RuleSet;
use identitymesh_model::ConnectorId;
use identitymesh_model::{
    MeshId, MeshRecord, MeshState, MeshView, Origin, Provenance, RunId, SpaceRecord, Timestamp,
};
use identitymesh_store::Reader;
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::past::{Cut, PastMesh, mesh_at, space_at};

use crate::RunError;

/// How many rows of a history are read at once.
pub(super) const ROWS_READ: usize = 200;
/// How many earlier states of linked objects are tried: an import may have written between planning and writing.
pub(super) const STATES_TRIED: usize = 16;

/// The same objects as they were at another moment.
pub(super) fn as_of(
    reader: &mut dyn Reader,
    linked: Vec<SpaceRecord>,
    cut: Cut,
) -> Result<Vec<SpaceRecord>, RunError> {
    let mut out = Vec::with_capacity(linked.len());
    for record in linked {
        let was = space_at(reader, record.id, cut)?;
        let link = record.link;
        out.push(was.map_or(record, |was| SpaceRecord { link, ..was }));
    }
    Ok(out)
}

/// The place of the last change of these objects before `cut`.
pub(super) fn last_change(
    reader: &mut dyn Reader,
    linked: &[SpaceRecord],
    cut: Cut,
) -> Result<Option<i64>, RunError> {
    let mut last = None;
    for record in linked {
        let rows = reader.space_history(record.id, None, ROWS_READ)?;
        let earlier = rows.iter().find(|row| !cut.is_before_place(row.place, row.at)).map(|row| row.place);
        last = last.max(earlier);
    }
    Ok(last)
}

/// The rules that gave each attribute; their objects and runs are not kept.
pub(super) fn provenance(past: &PastMesh) -> Provenance {
    let origins = past
        .rules
        .iter()
        .map(|rules| rules.iter().map(|rule| Origin { space: None, rule: *rule, run: RunId(0) }).collect());
    Provenance(origins.collect())
}

/// A mesh object as it was, with these objects.
pub(crate) fn view(past: &PastMesh, linked: Vec<SpaceRecord>) -> MeshView {
    let record = MeshRecord {
        id: past.id,
        uid: past.uid,
        mesh_type: past.mesh_type,
        anchor: past.anchor.clone(),
        version: past.version,
        doc: past.doc.clone(),
        provenance: provenance(past),
        state: past.state,
    };
    MeshView { record, linked, items: Vec::new(), leaving: Vec::new(), trace: None }
}

/// Since when a mesh object had been in no rule's scope for a target just before row `seq`, by its own history and
/// these rules; `None` where it was in one. Leave states themselves are not kept.
pub(super) fn out_since(
    reader: &mut dyn Reader,
    rules: &RuleSet,
    id: MeshId,
    connector: ConnectorId,
    seq: i64,
) -> Result<Option<Timestamp>, RunError> {
    let (mut since, mut before) = (None, Some(seq));
    loop {
        let rows = reader.history(id, before, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { return Ok(since) };
        before = Some(last);
        for row in rows.iter().filter(|row| matches!(row.kind, ChangeKind::Create | ChangeKind::Update)) {
            let Some(past) = mesh_at(reader, id, Cut::After(row.seq))? else { return Ok(since) };
            let is_in = past.state == MeshState::Active
                && scopes(rules, past.mesh_type, &past.doc, row.at)
                    .iter()
                    .any(|scope| scope.connector == connector && scope.holds == Ok(true));
            if is_in {
                return Ok(since);
            }
            since = Some(row.at);
        }
    }
}
