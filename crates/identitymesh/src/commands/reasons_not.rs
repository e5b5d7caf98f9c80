//! `why … --not`: why an object was not linked, not sent or not deleted at a moment.

use identitymesh_model::MeshState;
use identitymesh_runner::{
    InForce, LinkDecision, LinkThen, Moment, NotThen, ObjectThen, not_linked, not_sent,
};
use identitymesh_store::Reader;
use serde_json::{Value as Json, json};

use super::Shell;
use super::lookup::{connector_id, mesh_ever, spaces_ever};
use super::mesh::state;
use super::reasons::{called, holder_told, leave_told, scope_told};

/// What the past does not tell.
const NOT_KEPT: &str = "what waited in the queue or was held then is not kept";

pub(super) fn link(shell: &Shell, connector: &str, id: &str, moment: Moment) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let (name, connector) = connector_id(&in_force, connector)?;
    let mut reader = opened.mesh.store.read()?;
    let (mut answers, mut texts) = (Vec::new(), Vec::new());
    for space in spaces_ever(reader.as_mut(), connector, id)? {
        let (head, told) = match not_linked(&opened.mesh, space, moment)? {
            NotThen::Absent => continue,
            NotThen::NotKept(what) => (json!({}), vec![what]),
            NotThen::Found { at, version, in_force, told } => {
                let under = format!("at {at}, by version {version} of the configuration");
                let mut lines = vec![under];
                lines.extend(link_told(&in_force, reader.as_mut(), &told)?);
                (json!({ "at": at, "configuration": version, "linked": told.space.link.is_some() }), lines)
            }
        };
        texts.push(format!("{name} {id}\n{}", told.join("\n")));
        answers.push(with(
            head,
            &[("connector", json!(name)), ("external_id", json!(id)), ("why", json!(told))],
        ));
    }
    anyhow::ensure!(
        !answers.is_empty(),
        "{name}/{id} was not there then; `identitymesh space history {name} {id}` says when it came and went"
    );
    shell.output.answer(&answers, || texts.join("\n\n"))
}

fn link_told(in_force: &InForce, reader: &mut dyn Reader, then: &LinkThen) -> anyhow::Result<Vec<String>> {
    let rule = |rule| in_force.rules.rule_name(rule);
    let mut told = Vec::new();
    if let Some(link) = then.space.link {
        let mesh = called(reader, link.mesh)?;
        told.push(format!("it was linked to {mesh} by {}; without --not it is said why", rule(link.rule)));
    }
    match &then.decision {
        None => {}
        Some(LinkDecision::Stays(note)) => {
            told.push(format!("it was not linked: {}", note.text));
            for candidate in &note.candidates {
                told.push(format!("  candidate: {}", called(reader, *candidate)?));
            }
        }
        Some(LinkDecision::Nothing) => told.push("it was not linked: no rule spoke of it".to_owned()),
        Some(LinkDecision::Links { mesh, rule: by, matched }) => {
            let mesh = called(reader, *mesh)?;
            told.push(format!("no sync had linked it yet; {} finds {mesh}: {matched}", rule(*by)));
        }
        Some(LinkDecision::Creates { rule: by, anchor }) => {
            told.push(format!("no sync had looked at it yet; {} makes {anchor} of it", rule(*by)));
        }
    }
    if then.decision.is_some() {
        told.push(
            "by which keys mesh objects were found then is not kept, and people's decisions are taken as they are now"
                .to_owned(),
        );
    }
    Ok(told)
}

pub(super) fn export(
    shell: &Shell,
    object: &str,
    connector: Option<&str>,
    moment: Moment,
) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let now = opened.mesh.in_force()?;
    let wanted = connector.map(|name| connector_id(&now, name)).transpose()?.map(|(_, id)| id);
    of_object(shell, object, moment, |in_force, then| {
        let meant = then.targets.iter().filter(|target| wanted.is_none_or(|id| target.connector == id));
        let mut told = Vec::new();
        for target in meant {
            let there = target.object.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
            let verdict = match &target.planned {
                Some(item) => format!(
                    "its rules wanted this then: {}, because {}; {NOT_KEPT}",
                    item.operation, item.reason.text
                ),
                None => target.verdict.clone(),
            };
            told.push(format!("{}{there}: {verdict}", in_force.name_of(target.connector)));
            told.extend(target.rules.iter().map(|rule| format!("  {}", scope_told(rule))));
            told.extend(
                target.findings.iter().map(|finding| format!("  {}: {}", finding.code, finding.message)),
            );
        }
        if told.is_empty() {
            told.push("no projection rule spoke of it".to_owned());
        }
        told
    })
}

pub(super) fn deletion(shell: &Shell, object: &str, moment: Moment) -> anyhow::Result<()> {
    of_object(shell, object, moment, |in_force, then| {
        let mut told: Vec<String> =
            then.holders.iter().filter_map(|holder| holder_told(in_force, holder)).collect();
        if then.view.record.state == MeshState::Active && told.is_empty() {
            told.push(
                "no source held it; a mesh object leaves when it loses a source, not for having none"
                    .to_owned(),
            );
        }
        told.extend(
            then.grace_end
                .map(|end| format!("until {end} a source that returned would have brought it back")),
        );
        told.extend(then.leaves.iter().flat_map(|leave| leave_told(in_force, leave)));
        told
    })
}

/// What is told of a mesh object as it was.
fn of_object(
    shell: &Shell,
    object: &str,
    moment: Moment,
    tell: impl Fn(&InForce, &ObjectThen) -> Vec<String>,
) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let mut reader = opened.mesh.store.read()?;
    let (mut answers, mut texts) = (Vec::new(), Vec::new());
    for id in mesh_ever(reader.as_mut(), object)? {
        let (head, told) = match not_sent(&opened.mesh, id, moment)? {
            NotThen::Absent => continue,
            NotThen::NotKept(what) => (json!({}), vec![what]),
            NotThen::Found { at, version, in_force, told } => {
                let record = &told.view.record;
                let mut lines = vec![format!(
                    "at {at}, by version {version} of the configuration, {} {} was {}",
                    record.mesh_type,
                    record.anchor,
                    state(record.state)
                )];
                lines.extend(tell(&in_force, &told));
                (
                    json!({ "at": at, "configuration": version, "state": record.state, "uid": record.uid }),
                    lines,
                )
            }
        };
        texts.push(told.join("\n"));
        answers.push(with(head, &[("why", json!(told))]));
    }
    anyhow::ensure!(
        !answers.is_empty(),
        "{object} was not there then; `identitymesh mesh history {object}` says when it came and went"
    );
    shell.output.answer(&answers, || texts.join("\n\n"))
}

fn with(mut head: Json, rest: &[(&str, Json)]) -> Json {
    for (key, value) in rest {
        head[*key] = value.clone();
    }
    head
}
