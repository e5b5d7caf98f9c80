//! `password`: what is owed, and setting a password anew.

use anyhow::bail;
use identitymesh_connector::NewPassword;
use identitymesh_model::{MeshId, SpaceRecord};
use identitymesh_runner::{ResetPassword, reset_password};
use identitymesh_store::PasswordDue;
use serde_json::json;

use super::lookup::{connector_id, connector_name, mesh_object};
use super::{Done, Shell};
use crate::arguments::PasswordCommand;
use crate::input::secret;
use crate::output::table;

/// Most objects that one list shows.
const SHOWN_MAX: usize = 1_000;

pub(super) fn run(shell: &Shell, command: PasswordCommand) -> anyhow::Result<Done> {
    match command {
        PasswordCommand::List { connector } => list(shell, connector.as_deref()),
        PasswordCommand::Reset { connector, object, ask, must_change } => {
            reset(shell, &connector, &object, ask.then_some(must_change))
        }
    }
}

fn list(shell: &Shell, connector: Option<&str>) -> anyhow::Result<Done> {
    let opened = shell.read()?;
    let connector = match connector {
        Some(name) => Some(connector_id(opened.mesh.in_force()?.as_ref(), name)?.1),
        None => None,
    };
    let mut reader = opened.mesh.store.read()?;
    let configuration = reader.configuration()?;
    let due = reader.passwords_due(connector, None, None, SHOWN_MAX)?;
    let meshes: Vec<MeshId> = due.iter().map(|due| due.mesh).collect();
    let anchors: Vec<String> = reader
        .views(&meshes)?
        .into_iter()
        .map(|view| view.map_or_else(String::new, |view| view.record.anchor.to_string()))
        .collect();
    let name = |due: &PasswordDue| connector_name(configuration.as_ref(), due.connector);
    let data: Vec<_> = due
        .iter()
        .zip(&anchors)
        .map(|(due, anchor)| {
            json!({ "connector": name(due), "object": anchor, "since": due.since, "attempts": due.attempts,
                "not_before": due.not_before, "reason": due.reason })
        })
        .collect();
    shell.output.answer(&json!({ "owed": data }), || {
        if due.is_empty() {
            return "no password is owed".to_owned();
        }
        let rows: Vec<Vec<String>> = due
            .iter()
            .zip(&anchors)
            .map(|(due, anchor)| {
                vec![
                    name(due),
                    anchor.clone(),
                    due.since.to_string(),
                    due.attempts.to_string(),
                    due.not_before.to_string(),
                    due.reason.clone().unwrap_or_default(),
                ]
            })
            .collect();
        table(&["target", "object", "owed since", "tries", "not before", "why"], &rows)
    })?;
    Ok(Done::Well)
}

/// With `ask` a person gives the password, and it says whether it has to be changed.
fn reset(shell: &Shell, connector: &str, object: &str, ask: Option<bool>) -> anyhow::Result<Done> {
    let opened = shell.write()?;
    let (name, id) = connector_id(opened.mesh.in_force()?.as_ref(), connector)?;
    let view = mesh_object(opened.mesh.store.read()?.as_mut(), object)?;
    let linked: Vec<&SpaceRecord> =
        view.linked.iter().filter(|space| space.connector == id && !space.deleted).collect();
    let space = match linked.as_slice() {
        [space] => space.id,
        [] => bail!("{} has no object in {name}", view.record.anchor),
        several => {
            let ids: Vec<&str> = several.iter().map(|space| space.external_id.as_str()).collect();
            bail!(
                "{} has several objects in {name}, and which is meant is not clear: {}",
                view.record.anchor,
                ids.join(", ")
            )
        }
    };
    let how = match ask {
        Some(must_change) => {
            let value = secret(&format!("new password of {} in {name}", view.record.anchor))?;
            ResetPassword::Given(NewPassword::new(value, must_change))
        }
        None => ResetPassword::ByRule,
    };
    let report = shell.block_on(async { Ok(reset_password(&opened.mesh, name, space, how).await?) })?;
    let owed = opened.mesh.store.read()?.passwords_due(Some(id), None, None, SHOWN_MAX)?;
    if let Some(owed) = owed.into_iter().find(|due| due.space == space) {
        let reason = owed.reason.unwrap_or_else(|| "it was not tried".to_owned());
        bail!("the new password is not delivered yet, and the next export makes another: {reason}");
    }
    shell.output.answer(&report, || {
        let what = if ask.is_some() { "set" } else { "set and delivered" };
        format!("the password of {} in {name} is {what}; `mesh history` has where to", view.record.anchor)
    })?;
    Ok(Done::Well)
}
