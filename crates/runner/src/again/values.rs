//! Attributes of a mesh object, made again.

use std::collections::HashMap;

use identitymesh_engine::PlanContext;
use identitymesh_engine::explain::{Contribution, explain};
use identitymesh_engine::replay::{Replayed, replay};
use identitymesh_model::{
    ContentHash, MeshId, MeshRecord, MeshView, Object, Provenance, SpaceRecord, canonical,
};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::past::{Cut, PastMesh, linked_at, mesh_at};
use identitymesh_store::{ChangeRecord, Reader};

use super::moment::{Agreement, Moment};
use super::state::{ROWS_READ, STATES_TRIED, as_of, last_change, provenance};
use crate::surroundings::Surroundings;
use crate::{InForce, Mesh, RunError};

/// A change made again.
pub struct Again {
    /// The row of the audit.
    pub row: ChangeRecord,
    /// The version of the configuration.
    pub version: i64,
    /// The hash of the configuration.
    pub configuration: Option<ContentHash>,
    /// Whether it is what was recorded.
    pub agreement: Agreement,
    /// The canonical text of the attributes that came out.
    pub text: String,
    /// The contributions, with the rules of that time.
    pub contributions: Vec<Contribution>,
    /// The configuration of that time, for names.
    pub in_force: Option<InForce>,
}

/// Makes a change of a mesh object again; `None` when there was none.
///
/// # Errors
/// When the store cannot be read.
pub fn again(mesh: &Mesh, id: MeshId, moment: Moment) -> Result<Option<Again>, RunError> {
    let mut reader = mesh.store.read()?;
    let Some(row) = find(reader.as_mut(), id, moment)? else { return Ok(None) };
    let run = reader.run(row.run)?;
    let version = run.map_or(0, |run| run.configuration);
    let stored = reader.configuration_of(version)?;
    let mut again = Again {
        row,
        version,
        configuration: stored.as_ref().map(|stored| stored.hash),
        agreement: Agreement::NotKept(format!("version {version} of the configuration is not kept any more")),
        text: String::new(),
        contributions: Vec::new(),
        in_force: None,
    };
    let Some(stored) = stored else { return Ok(Some(again)) };
    let in_force = InForce::of(stored, reader.as_mut(), &mesh.registry)?;
    make(mesh, reader.as_mut(), &in_force, &mut again)?;
    again.in_force = Some(in_force);
    Ok(Some(again))
}

fn find(reader: &mut dyn Reader, id: MeshId, moment: Moment) -> Result<Option<ChangeRecord>, RunError> {
    let mut before = None;
    loop {
        let rows = reader.history(id, before, ROWS_READ)?;
        let Some(last) = rows.last().map(|row| row.seq) else { return Ok(None) };
        before = Some(last);
        let found = rows
            .into_iter()
            .find(|row| matches!(row.kind, ChangeKind::Create | ChangeKind::Update) && moment.may_be(row));
        if found.is_some() {
            return Ok(found);
        }
    }
}

fn make(mesh: &Mesh, reader: &mut dyn Reader, in_force: &InForce, again: &mut Again) -> Result<(), RunError> {
    let (id, seq) = (again.row.mesh, again.row.seq);
    let before = mesh_at(reader, id, Cut::Before(seq))?;
    let Some(after) = mesh_at(reader, id, Cut::After(seq))? else {
        again.agreement = Agreement::NotKept("later rows of its history are not kept any more".to_owned());
        return Ok(());
    };
    if Some(hash(&after.doc)) != again.row.after {
        again.agreement = Agreement::NotKept("later rows of its history are not kept any more".to_owned());
    }
    let is_kept = Some(hash(&after.doc)) == again.row.after;
    let mut cut = Cut::Before(seq);
    let mut first: Option<(Replayed, MeshView)> = None;
    for _ in 0..STATES_TRIED {
        let linked = linked_at(reader, id, Cut::Before(seq))?;
        let linked = as_of(reader, linked, cut)?;
        let earlier = last_change(reader, &linked, cut)?;
        let view = view(before.as_ref(), &after, linked);
        let context =
            PlanContext { now: again.row.at, run: again.row.run, ids: mesh.ids.as_ref(), reindex: false };
        let imagined = HashMap::new();
        let mut around = Surroundings { reader: &mut *reader, imagined: &imagined, cut: Some(cut) };
        let Some(replayed) = replay(&in_force.rules, view.clone(), &context, &mut around)? else { break };
        let is_it = Some(hash(&replayed.doc)) == again.row.after;
        if is_it {
            again.agreement = Agreement::Same;
            first = Some((replayed, view));
            break;
        }
        first.get_or_insert((replayed, view));
        match earlier {
            Some(place) => cut = Cut::Before(place),
            None => break,
        }
    }
    let Some((replayed, mut view)) = first else {
        again.agreement = Agreement::Differs("the rules of that time do not know its type".to_owned());
        return Ok(());
    };
    if again.agreement != Agreement::Same && is_kept {
        again.agreement = missing_or_differs(reader, id, seq, &replayed, &after)?;
    }
    again.text = canonical::object_to_string(&replayed.doc);
    (view.record.doc, view.record.provenance) = (replayed.doc, replayed.provenance);
    again.contributions = explain(&in_force.rules, &view, again.row.at);
    Ok(())
}

fn hash(doc: &Object) -> ContentHash {
    ContentHash::of(&canonical::object_to_string(doc))
}

/// What the planner saw: attributes as before, state, type and anchor as after.
fn view(before: Option<&PastMesh>, after: &PastMesh, linked: Vec<SpaceRecord>) -> MeshView {
    let provenance = before.map_or_else(Provenance::default, provenance);
    let record = MeshRecord {
        id: after.id,
        uid: after.uid,
        mesh_type: after.mesh_type,
        anchor: after.anchor.clone(),
        version: after.version,
        doc: before.map_or_else(Object::new, |before| before.doc.clone()),
        provenance,
        state: after.state,
    };
    MeshView { record, linked, items: Vec::new(), leaving: Vec::new(), trace: None }
}

/// Why what came out is not what was recorded, as far as that can be told.
fn missing_or_differs(
    reader: &mut dyn Reader,
    id: MeshId,
    seq: i64,
    replayed: &Replayed,
    after: &PastMesh,
) -> Result<Agreement, RunError> {
    let linked = linked_at(reader, id, Cut::Before(seq))?;
    let expected = reader
        .link_history(id)?
        .into_iter()
        .filter(|span| span.link.rows < seq && span.end.is_none_or(|end| end.place >= seq));
    if expected.count() > linked.len() || (linked.is_empty() && !after.doc.is_empty()) {
        let what = "objects that it was linked to are not kept any more";
        return Ok(Agreement::NotKept(what.to_owned()));
    }
    let names = replayed.doc.iter().chain(after.doc.iter()).map(|(name, _)| name);
    let mut names: Vec<String> = names
        .filter(|name| replayed.doc.get(*name) != after.doc.get(*name))
        .map(|name| name.to_string())
        .collect();
    names.sort_unstable();
    names.dedup();
    Ok(Agreement::Differs(format!(
        "{} came out otherwise: what it was read from is not kept any more, or another process wrote in between",
        names.join(", ")
    )))
}
