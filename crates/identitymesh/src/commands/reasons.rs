//! `why`: why a value, a link, an export or a deletion is as it is, and why not otherwise.

use anyhow::Context as _;
use identitymesh_engine::reasons::{Holder, TargetLeave, grace_end, holders, leaving};
use identitymesh_model::MeshState;
use identitymesh_model::rules::{LeaveAction, SourceLeave};
use identitymesh_runner::{EndedLink, ExportReason, InForce, LinkDecision, LinkReason, why_export, why_link};
use identitymesh_store::Reader;
use serde_json::{Value as Json, json};

use super::lookup::{connector_id, mesh_name, mesh_object};
use super::mesh::state;
use super::{Done, Shell, reasons_not, reasons_then, why};
use crate::arguments::WhyCommand;

/// Most objects that one answer names as waited for.
const WAITS_TOLD: usize = 20;

pub(super) fn run(shell: &Shell, command: WhyCommand) -> anyhow::Result<Done> {
    match command {
        WhyCommand::Value(value) => why::run(shell, &value)?,
        WhyCommand::Link { connector, id, then } => match (then.moment.moment(), then.not) {
            (None, _) => link(shell, &connector, &id)?,
            (Some(moment), false) => reasons_then::link(shell, &connector, &id, moment)?,
            (Some(moment), true) => reasons_not::link(shell, &connector, &id, moment)?,
        },
        WhyCommand::Export { object, connector, then } => match (then.moment.moment(), then.not) {
            (None, _) => export(shell, &object, connector.as_deref())?,
            (Some(moment), false) => reasons_then::export(shell, &object, connector.as_deref(), moment)?,
            (Some(moment), true) => reasons_not::export(shell, &object, connector.as_deref(), moment)?,
        },
        WhyCommand::Deletion { object, then } => match (then.moment.moment(), then.not) {
            (None, _) => deletion(shell, &object)?,
            (Some(moment), false) => reasons_then::deletion(shell, &object, moment)?,
            (Some(moment), true) => reasons_not::deletion(shell, &object, moment)?,
        },
    }
    Ok(Done::Well)
}

fn link(shell: &Shell, connector: &str, id: &str) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let (name, connector) = connector_id(&in_force, connector)?;
    let mut reader = opened.mesh.store.read()?;
    let ids = reader.space_find(connector, id)?;
    anyhow::ensure!(!ids.is_empty(), "{name} has no object with the external id {id:?}");
    let mut answers = Vec::new();
    let mut texts = Vec::new();
    for space in ids {
        let reason = why_link(&opened.mesh, space)?.context("the object went just now")?;
        let told = link_told(&in_force, reader.as_mut(), &reason)?;
        texts.push(format!(
            "{name} {} {}\n{}",
            reason.space.object_type,
            reason.space.external_id,
            told.join("\n")
        ));
        answers.push(json!({ "connector": name, "type": reason.space.object_type,
            "external_id": reason.space.external_id, "linked": reason.space.link.is_some(), "why": told,
            "findings": reason.findings }));
    }
    shell.output.answer(&answers, || texts.join("\n\n"))
}

pub(super) fn called(reader: &mut dyn Reader, id: identitymesh_model::MeshId) -> anyhow::Result<String> {
    let view = reader.views(&[id])?.pop().flatten();
    Ok(view.map_or_else(
        || format!("mesh object {id}"),
        |view| format!("{} {}", view.record.mesh_type, view.record.anchor),
    ))
}

fn link_told(
    in_force: &InForce,
    reader: &mut dyn Reader,
    reason: &LinkReason,
) -> anyhow::Result<Vec<String>> {
    let mut told = Vec::new();
    if let Some(span) = &reason.link {
        let rule = in_force.rules.rule_name(span.link.rule);
        let matched =
            if span.link.matched.is_empty() { String::new() } else { format!(": {}", span.link.matched) };
        let mesh = called(reader, span.link.mesh)?;
        told.push(format!(
            "linked to {mesh} by {rule} in run {} at {}{matched}",
            span.link.run, span.link.at
        ));
    }
    if let Some(EndedLink { link, by }) = &reason.before {
        let (mesh, rule) = (called(reader, link.mesh)?, in_force.rules.rule_name(link.rule));
        let why = by.message.as_deref().map_or_else(String::new, |message| format!(": {message}"));
        told.push(format!(
            "before, from run {}, linked to {mesh} by {rule}; run {} ({}, {}) ended that at {}{why}",
            link.run, by.id, by.step, by.actor, by.updated
        ));
    }
    for (uid, belongs) in &reason.rulings {
        let mesh = mesh_name(reader, *uid)?;
        let said = if *belongs { "it belongs to" } else { "no rule may link it to" };
        told.push(format!(
            "a person said that {said} {mesh}; `identitymesh joins decisions` says who and why"
        ));
    }
    let linked = reason.link.is_some();
    match &reason.decision {
        None => {}
        Some(LinkDecision::Links { mesh, rule, matched }) => {
            let (mesh, rule) = (called(reader, *mesh)?, in_force.rules.rule_name(*rule));
            let would = if linked { "asked again, the rules find" } else { "the next sync links it to" };
            told.push(format!("{would} {mesh} by {rule}: {matched}"));
        }
        Some(LinkDecision::Creates { rule, anchor }) => {
            let rule = in_force.rules.rule_name(*rule);
            told.push(format!("the next sync makes a mesh object {anchor} of it by {rule}"));
        }
        Some(LinkDecision::Stays(note)) => {
            let asked = if linked { "asked again, the rules would not link it: " } else { "not linked: " };
            told.push(format!("{asked}{}", note.text));
            for candidate in &note.candidates {
                told.push(format!("  candidate: {}", called(reader, *candidate)?));
            }
        }
        Some(LinkDecision::Nothing) => told.push("not linked: no rule speaks of it".to_owned()),
    }
    told.extend(reason.findings.iter().map(|finding| format!("{}: {}", finding.code, finding.message)));
    Ok(told)
}

fn export(shell: &Shell, object: &str, connector: Option<&str>) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let wanted = connector.map(|name| connector_id(&in_force, name)).transpose()?.map(|(_, id)| id);
    let view = mesh_object(opened.mesh.store.read()?.as_mut(), object)?;
    let mut reasons = why_export(&opened.mesh, view.record.id)?;
    reasons.retain(|reason| wanted.is_none_or(|id| reason.connector == id));
    let mut reader = opened.mesh.store.read()?;
    let waits = reasons.iter().map(|reason| waited_for(reader.as_mut(), reason));
    let waits = waits.collect::<anyhow::Result<Vec<_>>>()?;
    let told = reasons.iter().zip(&waits);
    let data: Vec<Json> = told.map(|(reason, waits)| export_data(&in_force, reason, waits)).collect();
    let answer = json!({ "type": view.record.mesh_type, "anchor": view.record.anchor, "targets": data });
    shell.output.answer(&answer, || {
        let mut out = format!("{} {}", view.record.mesh_type, view.record.anchor);
        if reasons.is_empty() {
            out.push_str(": no projection rule speaks of objects of this type");
        }
        for (reason, waits) in reasons.iter().zip(&waits) {
            let there = reason.object.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
            out.push_str(&format!("\n{}{there}: {}", in_force.name_of(reason.connector), reason.verdict));
            for rule in &reason.rules {
                out.push_str(&format!("\n  {}", scope_told(rule)));
            }
            if !waits.is_empty() {
                let more = reason.waits_for.len() - waits.len();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                out.push_str(&format!("\n  waits for {}{more}", waits.join(", ")));
            }
            for finding in &reason.findings {
                out.push_str(&format!("\n  {}: {}", finding.code, finding.message));
            }
        }
        out
    })
}

/// The first of those that references wait for, by name.
fn waited_for(reader: &mut dyn Reader, reason: &ExportReason) -> anyhow::Result<Vec<String>> {
    reason.waits_for.iter().take(WAITS_TOLD).map(|uid| mesh_name(reader, *uid)).collect()
}

pub(super) fn scope_told(rule: &identitymesh_engine::reasons::InScope) -> String {
    let scope = rule.scope.as_deref().unwrap_or("everybody");
    match &rule.holds {
        Ok(true) => format!("{}: in scope ({scope})", rule.rule),
        Ok(false) => format!("{}: not in scope ({scope})", rule.rule),
        Err(error) => format!("{}: its scope failed, which counts as no ({scope}): {error}", rule.rule),
    }
}

fn export_data(in_force: &InForce, reason: &ExportReason, waits: &[String]) -> Json {
    let rules: Vec<Json> = reason
        .rules
        .iter()
        .map(|rule| {
            json!({ "rule": rule.rule, "scope": rule.scope, "in_scope": rule.holds.clone().unwrap_or(false),
                "error": rule.holds.as_ref().err() })
        })
        .collect();
    json!({ "connector": in_force.name_of(reason.connector), "why": reason.verdict, "object": reason.object,
        "rules": rules, "state": reason.item.as_ref().map(|item| item.state),
        "waits_for": waits, "waits_for_count": reason.waits_for.len(),
        "hold": reason.item.as_ref().and_then(|item| item.hold),
        "planned": reason.planned.as_ref().map(|item| item.operation), "findings": reason.findings })
}

fn deletion(shell: &Shell, object: &str) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let view = mesh_object(opened.mesh.store.read()?.as_mut(), object)?;
    let mut told =
        vec![format!("{} {} is {}", view.record.mesh_type, view.record.anchor, state(view.record.state))];
    told.extend(holders(&in_force.rules, &view).iter().filter_map(|holder| holder_told(&in_force, holder)));
    if view.record.state == MeshState::Active && !told.iter().any(|line| line.starts_with("held by")) {
        told.push(
            "no source holds it; a mesh object leaves when it loses a source, not for having none".to_owned(),
        );
    }
    if let Some(end) = grace_end(&in_force.rules, &view) {
        told.push(format!("until {end} a source that returns brings it back; then it is deleted"));
    }
    let mut reader = opened.mesh.store.read()?;
    let coverage = |connector, object_type| reader.coverage(connector, object_type);
    let leaves = leaving(&in_force.rules, &view, opened.mesh.clock.now(), coverage)?;
    told.extend(leaves.iter().flat_map(|leave| leave_told(&in_force, leave)));
    let data = json!({ "type": view.record.mesh_type, "anchor": view.record.anchor, "state": view.record.state,
        "why": told });
    shell.output.answer(&data, || told.join("\n"))
}

pub(super) fn holder_told(in_force: &InForce, holder: &Holder) -> Option<String> {
    if !holder.is_source {
        return None;
    }
    let source = format!("held by {}/{}", in_force.name_of(holder.connector), holder.external_id);
    let loss = match holder.leave {
        None => "no leave rule: its loss means nothing".to_owned(),
        Some(SourceLeave::Nothing) => "its loss means nothing".to_owned(),
        Some(SourceLeave::DeleteWhenLast) => {
            "when it is lost and no other source holds it, it leaves".to_owned()
        }
        Some(SourceLeave::DeleteWhenAuthoritativeGone) => {
            let names: Vec<&str> = holder.authoritative.iter().map(|name| name.as_str()).collect();
            format!("when it is lost and none of {} holds it, it leaves", names.join(", "))
        }
    };
    Some(format!("{source}; {loss}"))
}

const fn step(action: LeaveAction) -> &'static str {
    match action {
        LeaveAction::Keep => "keep",
        LeaveAction::Disable => "disable",
        LeaveAction::Move => "move",
        LeaveAction::Delete => "delete",
    }
}

pub(super) fn leave_told(in_force: &InForce, leave: &TargetLeave) -> Vec<String> {
    let target = format!("{}/{}", in_force.name_of(leave.connector), leave.external_id);
    let Some(since) = leave.since else {
        return vec![format!("{target}: in the scope of {}, so nothing is done to it", leave.rule)];
    };
    let mut told = vec![format!("{target}: out of the scope of {} since {since}", leave.rule)];
    for (action, after, taken) in &leave.steps {
        let due = since.saturating_add_seconds(*after);
        let done = match &leave.objection {
            Some(objection) if *action == LeaveAction::Delete => format!("waits: {objection}"),
            _ if *taken => "planned".to_owned(),
            _ => "not yet".to_owned(),
        };
        told.push(format!("  {}: due {due}, {done}", step(*action)));
    }
    if leave.steps.is_empty() {
        told.push("  its leave policy says to keep it".to_owned());
    }
    if !leave.owned {
        told.push(
            "  this product did not make it and the rule does not own it: it is never deleted".to_owned(),
        );
    }
    told
}
