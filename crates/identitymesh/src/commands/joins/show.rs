//! One object with everything that speaks for and against its candidates.

use identitymesh_engine::joins::{CandidateScore, score_candidates};
use identitymesh_model::joins::Member;
use identitymesh_model::{MeshId, MeshView};
use serde_json::{Value as Json, json};

use super::named::space_object;
use crate::arguments::SpaceObject;
use crate::commands::Shell;
use crate::commands::lookup::{mesh_name, shown};
use crate::output::table;

pub(super) fn show(shell: &Shell, object: &SpaceObject) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let mut reader = opened.mesh.store.read()?;
    let space = space_object(reader.as_mut(), &in_force, object)?;
    let conflicts =
        reader.conflicts(Some(space.connector), Some(identitymesh_model::SpaceId(space.id.0 - 1)), 1)?;
    let note = conflicts.into_iter().find(|row| row.id == space.id).and_then(|row| row.note);
    let mut ids: Vec<MeshId> = note.iter().flat_map(|note| note.candidates.iter().copied()).collect();
    ids.extend(space.link.map(|link| link.mesh).filter(|mesh| !ids.contains(mesh)));
    let views: Vec<MeshView> = reader.views(&ids)?.into_iter().flatten().collect();
    let now = opened.mesh.clock.now();
    let scored: Vec<(MeshView, Vec<CandidateScore>)> = views
        .into_iter()
        .map(|view| {
            let scores = score_candidates(&in_force.rules, &space, &view, now);
            (view, scores)
        })
        .collect();
    let mut said = Vec::new();
    for (uid, belongs) in reader.rulings_of(&[Member::of(&space)])?.concat() {
        said.push((mesh_name(reader.as_mut(), uid)?, belongs));
    }
    let linked = space.link.map(|link| link.mesh);
    let data = json!({
        "connector": in_force.name_of(space.connector), "type": space.object_type, "external_id": space.external_id,
        "attributes": space.doc, "why": note.as_ref().map(|note| &note.text),
        "candidates": scored.iter().map(|(view, scores)| candidate(view, scores, linked)).collect::<Vec<_>>(),
        "decided": said.iter().map(|(name, belongs)| json!({ "mesh": name, "belongs": belongs })).collect::<Vec<_>>(),
    });
    shell.output.answer(&data, || {
        let mut out =
            format!("{}/{} ({})", in_force.name_of(space.connector), space.external_id, space.object_type);
        if let Some(note) = &note {
            out.push_str(&format!("\nconflict: {}", note.text));
        }
        for (name, belongs) in &said {
            let word = if *belongs { "belongs to" } else { "never joins" };
            out.push_str(&format!("\ndecided: {word} {name}"));
        }
        for (view, scores) in &scored {
            out.push_str(&text(view, scores, linked));
        }
        out
    })
}

fn candidate(view: &MeshView, scores: &[CandidateScore], linked: Option<MeshId>) -> Json {
    let scores: Vec<Json> = scores
        .iter()
        .map(|score| {
            let parts: Vec<Json> = score
                .parts
                .iter()
                .map(|part| {
                    json!({ "mesh": part.mesh, "source": part.source, "with": part.with, "weight": part.weight,
                        "source_values": part.left, "mesh_values": part.right, "thousandths": part.likeness })
                })
                .collect();
            json!({ "rule": score.rule, "score": score.score, "threshold": score.threshold,
                "margin": score.margin, "parts": parts })
        })
        .collect();
    json!({ "type": view.record.mesh_type, "anchor": view.record.anchor, "uid": view.record.uid,
        "linked": linked == Some(view.record.id), "attributes": view.record.doc, "scores": scores })
}

fn text(view: &MeshView, scores: &[CandidateScore], linked: Option<MeshId>) -> String {
    let state = if linked == Some(view.record.id) { "linked to" } else { "candidate" };
    let mut out =
        format!("\n\n{state} {} {} ({})", view.record.mesh_type, view.record.anchor, view.record.uid);
    if scores.is_empty() {
        let values = view.record.doc.iter();
        let rows: Vec<Vec<String>> =
            values.map(|(name, values)| vec![format!("  {name}"), shown(values)]).collect();
        out.push('\n');
        out.push_str(&table(&["  attribute", "value"], &rows));
    }
    for score in scores {
        out.push_str(&format!("\n{}: {} of 100, linked from {}\n", score.rule, score.score, score.threshold));
        let rows: Vec<Vec<String>> = score
            .parts
            .iter()
            .map(|part| {
                let likeness = part.likeness.map_or_else(
                    || "left out".to_owned(),
                    |likeness| format!("{}.{} %", likeness / 10, likeness % 10),
                );
                vec![
                    format!("  {}", part.mesh),
                    part.left.join(" | "),
                    part.right.join(" | "),
                    likeness,
                    part.weight.to_string(),
                ]
            })
            .collect();
        out.push_str(&table(&["  attribute", "object", "mesh", "alike", "weight"], &rows));
    }
    out
}
