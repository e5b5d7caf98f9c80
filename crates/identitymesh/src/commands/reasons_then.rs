//! `why link`, `why export` and `why deletion` of something that was done: made again from its inputs and rules.

use identitymesh_model::LinkMode;
use identitymesh_runner::{
    InForce, LinkAgain, LinkDecision, Made, Moment, SentAgain, link_again, sent_again,
};
use identitymesh_store::Reader;
use serde_json::{Value as Json, json};

use super::Shell;
use super::lookup::{connector_id, connector_name, mesh_ever, spaces_ever};
use super::mesh::state;
use super::reasons::{called, holder_told, leave_told, scope_told};
use super::why::agreed;

pub(super) fn link(shell: &Shell, connector: &str, id: &str, moment: Moment) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let (name, connector) = connector_id(&in_force, connector)?;
    let mut reader = opened.mesh.store.read()?;
    let (mut answers, mut texts) = (Vec::new(), Vec::new());
    for space in spaces_ever(reader.as_mut(), connector, id)? {
        let Some(again) = link_again(&opened.mesh, space, moment)? else { continue };
        let told = link_told(&in_force, reader.as_mut(), &again)?;
        texts.push(format!("{name} {id}\n{}", told.join("\n")));
        answers.push(
            json!({ "connector": name, "external_id": id, "run": again.link.run, "at": again.link.at,
            "configuration": again.version, "matched": again.link.matched, "agreement": again.agreement,
            "why": told }),
        );
    }
    anyhow::ensure!(
        !answers.is_empty(),
        "{name}/{id} was linked to nothing then; `identitymesh space history {name} {id}` says what became of it"
    );
    shell.output.answer(&answers, || texts.join("\n\n"))
}

fn link_told(now: &InForce, reader: &mut dyn Reader, again: &LinkAgain) -> anyhow::Result<Vec<String>> {
    let rules = &again.in_force.as_ref().unwrap_or(now).rules;
    let link = &again.link;
    let by = match link.mode {
        LinkMode::Manual => "a person".to_owned(),
        _ => rules.rule_name(link.rule).to_string(),
    };
    let matched = if link.matched.is_empty() { String::new() } else { format!(": {}", link.matched) };
    let mesh = called(reader, link.mesh)?;
    let mut told = vec![format!("linked to {mesh} by {by} in run {} at {}{matched}", link.run, link.at)];
    match &again.decision {
        Some(LinkDecision::Links { mesh, rule, matched }) => {
            let (mesh, rule) = (called(reader, *mesh)?, rules.rule_name(*rule));
            told.push(format!("decided again, {rule} finds {mesh}: {matched}"));
        }
        Some(LinkDecision::Creates { rule, anchor }) => {
            told.push(format!("decided again, {} makes {anchor} of it", rules.rule_name(*rule)));
        }
        Some(LinkDecision::Stays(note)) => told.push(format!("decided again, it stays: {}", note.text)),
        Some(LinkDecision::Nothing) => told.push("decided again, no rule speaks of it".to_owned()),
        None => {}
    }
    told.push(match &again.agreement {
        Some(agreement) => {
            format!("by version {} of the configuration; {}", again.version, agreed(agreement))
        }
        None if link.mode == LinkMode::Projected => "an export made it, so no join rule decided".to_owned(),
        None if link.mode == LinkMode::Adopted => {
            "an export found it as wanted, made by somebody else, so no join rule decided".to_owned()
        }
        None => "a person decided, so no rule did".to_owned(),
    });
    Ok(told)
}

pub(super) fn export(
    shell: &Shell,
    object: &str,
    connector: Option<&str>,
    moment: Moment,
) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let in_force = opened.mesh.in_force()?;
    let wanted = connector.map(|name| connector_id(&in_force, name)).transpose()?.map(|(_, id)| id);
    rows(shell, object, moment, "sent", |row| {
        row.row.connector.is_some_and(|known| wanted.is_none_or(|wanted| known == wanted))
    })
}

pub(super) fn deletion(shell: &Shell, object: &str, moment: Moment) -> anyhow::Result<()> {
    rows(shell, object, moment, "deleted", SentAgain::is_deletion)
}

/// The rows that are meant, oldest first, each with the state and rules that it came from.
fn rows(
    shell: &Shell,
    object: &str,
    moment: Moment,
    done: &str,
    is_meant: impl Fn(&SentAgain) -> bool,
) -> anyhow::Result<()> {
    let opened = shell.read()?;
    let mut reader = opened.mesh.store.read()?;
    let mut found: Vec<SentAgain> = Vec::new();
    for id in mesh_ever(reader.as_mut(), object)? {
        found.extend(sent_again(&opened.mesh, id, moment)?.into_iter().filter(&is_meant));
    }
    anyhow::ensure!(
        !found.is_empty(),
        "nothing of {object} was {done} then; `identitymesh mesh history {object}` says what was done"
    );
    found.sort_unstable_by_key(|again| again.row.seq);
    let stored = reader.configuration()?;
    let told = |again: &SentAgain| {
        let target = again.row.connector.map(|id| connector_name(stored.as_ref(), id));
        row_told(object, target.as_deref(), again)
    };
    let data: Vec<Json> = found
        .iter()
        .map(|again| {
            json!({ "row": again.row.seq, "at": again.row.at, "run": again.row.run,
                "connector": again.row.connector.map(|id| connector_name(stored.as_ref(), id)),
                "configuration": again.version, "recorded": again.row.after, "agreement": again.agreement,
                "why": told(again) })
        })
        .collect();
    shell
        .output
        .answer(&data, || found.iter().map(|again| told(again).join("\n")).collect::<Vec<_>>().join("\n\n"))
}

fn row_told(object: &str, target: Option<&str>, again: &SentAgain) -> Vec<String> {
    let what = match (target, again.is_deletion()) {
        (None, _) => format!("{object} went for good"),
        (Some(target), true) => format!("{object} was deleted in {target}"),
        (Some(target), false) => format!("{object} was written to {target}"),
    };
    let row = &again.row;
    let mut told = vec![
        format!("{what} in run {} at {}", row.run, row.at),
        format!("by version {} of the configuration; {}", again.version, agreed(&again.agreement)),
    ];
    told.extend(again.made.iter().flat_map(made_told));
    told
}

/// What was so just before.
fn made_told(made: &Made) -> Vec<String> {
    let mut told = vec![format!("it was {}", state(made.state))];
    told.extend(made.holders.iter().filter_map(|holder| holder_told(&made.in_force, holder)));
    told.extend(
        made.grace_end.map(|end| format!("until {end} a source that returned would have brought it back")),
    );
    if let Some(item) = &made.item {
        told.push(format!("its rules want: {}, because {}", item.operation, item.reason.text));
    }
    told.extend(made.scopes.iter().map(scope_told));
    told.extend(made.leaves.iter().flat_map(|leave| leave_told(&made.in_force, leave)));
    told
}
