//! Why a value was as it was: the inputs of that moment, through the rules of that moment, once more.
//!
//! Inputs are walked back to in the store's history, rules are compiled from the configuration that was in force when
//! the run began. Whether that is what really happened is not believed but compared: the hash of what comes out with
//! the hash that the audit has. Where something is not kept any more the answer says what.

use std::collections::HashMap;

use identitymesh_engine::PlanContext;
use identitymesh_engine::explain::{Contribution, explain};
use identitymesh_engine::replay::{Replayed, replay};
use identitymesh_model::{
    ContentHash, MeshId, MeshRecord, MeshView, Object, Origin, Provenance, RunId, SpaceRecord, Timestamp,
    canonical,
};
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::past::{Cut, PastMesh, linked_at, mesh_at};
use identitymesh_store::{ChangeRecord, Reader};
use serde::Serialize;

use crate::surroundings::Surroundings;
use crate::{InForce, Mesh, RunError};

/// How many rows of a history are read at once.
const ROWS_READ: usize = 200;
/// How many earlier states of linked objects are tried: an import may have written between planning and writing.
const STATES_TRIED: usize = 16;

/// Which change of a mesh object to make again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The last one of a run.
    Run(RunId),
    /// The last one up to a time.
    At(Timestamp),
    /// The one with this row in the audit.
    Row(i64),
}

/// Whether what came out is what was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "result", content = "why")]
pub enum Agreement {
    /// Byte for byte.
    Same,
    /// It is not.
    Differs(String),
    /// Something that is needed is not kept any more.
    NotKept(String),
}

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
        let found = rows.into_iter().find(|row| {
            matches!(row.kind, ChangeKind::Create | ChangeKind::Update)
                && match moment {
                    Moment::Run(run) => row.run == run,
                    Moment::At(at) => row.at <= at,
                    Moment::Row(seq) => row.seq == seq,
                }
        });
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

/// The same objects as they were at another moment.
fn as_of(reader: &mut dyn Reader, linked: Vec<SpaceRecord>, cut: Cut) -> Result<Vec<SpaceRecord>, RunError> {
    let mut out = Vec::with_capacity(linked.len());
    for record in linked {
        let was = identitymesh_store::past::space_at(reader, record.id, cut)?;
        let link = record.link;
        out.push(was.map_or(record, |was| SpaceRecord { link, ..was }));
    }
    Ok(out)
}

/// The place of the last change of these objects before `cut`.
fn last_change(reader: &mut dyn Reader, linked: &[SpaceRecord], cut: Cut) -> Result<Option<i64>, RunError> {
    let mut last = None;
    for record in linked {
        let rows = reader.space_history(record.id, None, ROWS_READ)?;
        let earlier = rows.iter().find(|row| !cut.is_before_place(row.place, row.at)).map(|row| row.place);
        last = last.max(earlier);
    }
    Ok(last)
}

/// What the planner saw: attributes as before, state, type and anchor as after.
fn view(before: Option<&PastMesh>, after: &PastMesh, linked: Vec<SpaceRecord>) -> MeshView {
    let provenance = before.map_or_else(Provenance::default, |before| {
        let origins = before.rules.iter().map(|rules| {
            rules.iter().map(|rule| Origin { space: None, rule: *rule, run: RunId(0) }).collect()
        });
        Provenance(origins.collect())
    });
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
