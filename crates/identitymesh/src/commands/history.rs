//! `mesh history` and `space history`: what changed, when, why, and how long each value held.

use std::collections::BTreeSet;

use anyhow::Context as _;
use identitymesh_model::plan::Before;
use identitymesh_model::{MeshId, Name, RuleId, RunId, SpaceBefore, SpaceId, Timestamp};
use identitymesh_runner::InForce;
use identitymesh_store::audit::ChangeKind;
use identitymesh_store::past::{Cut, mesh_at, spans};
use identitymesh_store::{ChangeRecord, LinkSpan, Reader};
use serde_json::{Value as Json, json};

use super::Shell;
use super::lookup::{connector_id, mesh_ever, shown, spaces_ever};
use crate::output::table;

/// Most changes that one answer shows.
const CHANGES_SHOWN: usize = 500;

/// What a run was, told beside its changes.
fn stage(reader: &mut dyn Reader, run: RunId) -> anyhow::Result<String> {
    Ok(reader.run(run)?.map_or_else(|| "by hand".to_owned(), |run| run.step))
}

fn names(in_force: &InForce, rules: &[RuleId]) -> Vec<String> {
    rules.iter().map(|rule| in_force.rules.rule_name(*rule)).collect()
}

/// All changes of a mesh object, or the values of one attribute with the time in which each held.
pub(super) fn mesh(shell: &Shell, called: &str, attribute: Option<&str>) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let mut reader = opened.mesh.store.read()?;
    let ids = mesh_ever(reader.as_mut(), called)?;
    match attribute {
        Some(name) => values(shell, &in_force, reader.as_mut(), &ids, Name::new(name)?),
        None => changes(shell, &in_force, reader.as_mut(), &ids),
    }
}

fn values(
    shell: &Shell,
    in_force: &InForce,
    reader: &mut dyn Reader,
    ids: &[MeshId],
    name: Name,
) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for id in ids {
        found.extend(spans(reader, *id, name)?);
    }
    let spans = found;
    let mut data = Vec::with_capacity(spans.len());
    let mut rows = Vec::with_capacity(spans.len());
    for span in &spans {
        let stage = stage(reader, span.from.run)?;
        let rules = names(in_force, &span.rules);
        data.push(json!({ "value": span.values, "rules": rules, "from": span.from.at, "until": span.until,
            "run": span.from.run, "stage": stage, "actor": span.from.actor }));
        rows.push(vec![
            span.from.at.to_string(),
            span.until.map_or_else(|| "now".to_owned(), |until| until.to_string()),
            span.values.as_ref().map_or_else(|| "(absent)".to_owned(), shown),
            rules.join(", "),
            format!("{stage} {}", span.from.run),
            span.from.actor.clone(),
        ]);
    }
    shell.output.answer(&data, || {
        if rows.is_empty() {
            return format!("{name} was never there");
        }
        table(&["from", "until", name.as_str(), "rule", "run", "actor"], &rows)
    })
}

/// What happened to a mesh object, for machines and for people, with its place in the order.
struct Event {
    place: (i64, bool),
    data: Json,
    row: Vec<String>,
}

fn changes(shell: &Shell, in_force: &InForce, reader: &mut dyn Reader, ids: &[MeshId]) -> anyhow::Result<()> {
    let mut events = Vec::new();
    for id in ids {
        for change in reader.history(*id, None, CHANGES_SHOWN)? {
            events.push(change_event(in_force, reader, &change)?);
        }
        for span in reader.link_history(*id)? {
            events.extend(link_events(in_force, reader, &span)?);
        }
    }
    events.sort_by_key(|event| std::cmp::Reverse(event.place));
    events.truncate(CHANGES_SHOWN);
    let data: Vec<&Json> = events.iter().map(|event| &event.data).collect();
    shell.output.answer(&data, || {
        let rows: Vec<Vec<String>> = events.iter().map(|event| event.row.clone()).collect();
        table(&["row", "at", "run", "actor", "where", "change", "was before", "now by"], &rows)
    })
}

fn change_event(in_force: &InForce, reader: &mut dyn Reader, change: &ChangeRecord) -> anyhow::Result<Event> {
    let place = change.connector.map_or_else(|| "mesh".to_owned(), |id| in_force.name_of(id));
    let before: Json =
        if change.before.is_empty() { Json::Null } else { serde_json::from_str(&change.before)? };
    let stage = stage(reader, change.run)?;
    let reasons = reasons(reader, in_force, change)?;
    let rules: BTreeSet<&str> = reasons.iter().flat_map(|(_, rules)| rules).map(String::as_str).collect();
    let row = vec![
        change.seq.to_string(),
        change.at.to_string(),
        format!("{stage} {}", change.run),
        change.actor.clone(),
        place.clone(),
        change.kind.as_str().to_owned(),
        was(&before),
        rules.into_iter().collect::<Vec<_>>().join(", "),
    ];
    let reasons: serde_json::Map<String, Json> =
        reasons.into_iter().map(|(name, rules)| (name.to_string(), json!(rules))).collect();
    let data = json!({ "seq": change.seq, "at": change.at, "run": change.run, "stage": stage,
        "actor": change.actor, "kind": change.kind.as_str(), "where": place, "before": before,
        "after": change.after, "rules": reasons });
    Ok(Event { place: (change.seq, false), data, row })
}

/// The beginning of a link, and its end where it has one. Both stand before the rows of their own transaction.
fn link_events(in_force: &InForce, reader: &mut dyn Reader, span: &LinkSpan) -> anyhow::Result<Vec<Event>> {
    let identity = reader.space_identities(&[span.space])?.pop().flatten();
    let identity = identity.context("a link's object is not known any more")?;
    let place = in_force.name_of(identity.connector);
    let object = format!("{} {}", identity.object_type, identity.external_id);
    let rule = in_force.rules.rule_name(span.link.rule);
    let mut event = |kind: &str, at: Timestamp, run: RunId, rows: i64| -> anyhow::Result<Event> {
        let stage = stage(reader, run)?;
        let row = vec![
            String::new(),
            at.to_string(),
            format!("{stage} {run}"),
            String::new(),
            place.clone(),
            kind.to_owned(),
            format!("{object} {}", span.link.matched).trim().to_owned(),
            rule.clone(),
        ];
        let data = json!({ "at": at, "run": run, "stage": stage, "kind": kind, "where": place,
            "type": identity.object_type, "external_id": identity.external_id, "mode": span.link.mode,
            "rule": rule, "matched": span.link.matched });
        Ok(Event { place: (rows, true), data, row })
    };
    let mut events = vec![event("link", span.link.at, span.link.run, span.link.rows)?];
    if let Some(end) = span.end {
        events.push(event("unlink", end.at, end.run, end.place)?);
    }
    Ok(events)
}

/// The rules that gave the attributes that a change of the mesh object left, as they stood right after it.
fn reasons(
    reader: &mut dyn Reader,
    in_force: &InForce,
    change: &ChangeRecord,
) -> anyhow::Result<Vec<(Name, Vec<String>)>> {
    if !matches!(change.kind, ChangeKind::Create | ChangeKind::Update) {
        return Ok(Vec::new());
    }
    let Some(after) = mesh_at(reader, change.mesh, Cut::After(change.seq))? else { return Ok(Vec::new()) };
    let before = Before::parse(&change.before)?;
    let changed = |name: Name| {
        change.kind == ChangeKind::Create
            || before.attributes.iter().any(|(known, _)| *known == name)
            || before.sets.iter().any(|set| set.name == name)
    };
    let pairs = after.doc.iter().zip(&after.rules).filter(|((name, _), _)| changed(*name));
    Ok(pairs.map(|((name, _), rules)| (name, names(in_force, rules))).collect())
}

/// All changes of a management-space object.
pub(super) fn space(shell: &Shell, connector: &str, external_id: &str) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let (_, connector) = connector_id(&in_force, connector)?;
    let mut reader = opened.mesh.store.read()?;
    let mut data = Vec::new();
    let mut rows = Vec::new();
    for id in spaces_ever(reader.as_mut(), connector, external_id)? {
        one_space(reader.as_mut(), id, &mut data, &mut rows)?;
    }
    shell.output.answer(&data, || {
        if rows.is_empty() {
            return "it has not changed since it was first seen".to_owned();
        }
        table(&["object", "at", "run", "change", "was before"], &rows)
    })
}

fn one_space(
    reader: &mut dyn Reader,
    id: SpaceId,
    data: &mut Vec<Json>,
    rows: &mut Vec<Vec<String>>,
) -> anyhow::Result<()> {
    for change in reader.space_history(id, None, CHANGES_SHOWN)? {
        let before: Json = serde_json::from_str(&change.before)?;
        let told = [was(&before), beside(&SpaceBefore::parse(&change.before)?)];
        let told: Vec<String> = told.into_iter().filter(|text| !text.is_empty()).collect();
        rows.push(vec![
            id.to_string(),
            change.at.to_string(),
            format!("{} {}", stage(reader, change.run)?, change.run),
            change.kind.as_str().to_owned(),
            told.join(", "),
        ]);
        data.push(json!({ "object": id, "seq": change.seq, "at": change.at, "run": change.run,
            "kind": change.kind, "before": before }));
    }
    Ok(())
}

/// What a change did beside attributes.
fn beside(before: &SpaceBefore) -> String {
    let mut words = Vec::new();
    let rest = &before.rest;
    words.extend(rest.external_id.as_ref().map(|id| format!("was called {id}")));
    words.extend(rest.deleted.map(|gone| if gone { "was gone".to_owned() } else { "was there".to_owned() }));
    words.extend(rest.link.as_ref().map(|link| format!("was linked to mesh object {}", link.mesh)));
    words.extend(rest.drift.as_ref().map(|drift| format!("foreign values in {}", drift.len())));
    words.join(", ")
}

/// The values before a change, on one line; of sets what was added and taken out.
fn was(before: &Json) -> String {
    if before["op"] == "password" {
        return match before["file"].as_str() {
            Some(file) => format!("password set and delivered as {file}"),
            None => "password set by a person".to_owned(),
        };
    }
    if let Some(decision) = before["decision"].as_i64() {
        let text = |key: &str| before[key].as_str().unwrap_or_default().to_owned();
        return format!("decision {decision}, {}: {}", text("kind"), text("reason"));
    }
    if let Some(plan) = before["plan"].as_str() {
        return format!("plan {plan}: {}", before["reason"].as_str().unwrap_or_default());
    }
    let attributes = before["a"].as_object().into_iter().flatten().map(|(name, value)| match value {
        Json::Null => format!("{name} absent"),
        Json::String(text) => format!("{name} {text:?}"),
        other => format!("{name} {other}"),
    });
    let sets = before["v"].as_object().into_iter().flatten().map(|(name, change)| {
        let sides = ["+", "-"].into_iter().filter(|sign| !change[*sign].is_null());
        let sides: Vec<String> = sides.map(|sign| format!("{sign}{}", change[sign])).collect();
        format!("{name} {}", sides.join(" "))
    });
    attributes.chain(sets).collect::<Vec<_>>().join(", ")
}
