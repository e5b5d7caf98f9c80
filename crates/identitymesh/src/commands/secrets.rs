//! `secrets`: set from a prompt or standard input, listed without values, removed.

use identitymesh_secrets::SecretChange;
use serde_json::json;

use super::{Done, Shell};
use crate::arguments::SecretsCommand;
use crate::input::secret;
use crate::output::table;

pub(super) fn run(shell: &Shell, command: SecretsCommand) -> anyhow::Result<Done> {
    match command {
        SecretsCommand::Set { name, description } => {
            let value = secret(&format!("value of {name}"))?;
            let opened = shell.write()?;
            let change = SecretChange { actor: &opened.mesh.actor, at: opened.mesh.clock.now().to_jiff() };
            let info = opened.secrets.set(&name, &value, &description, change)?;
            shell.output.answer(&info, || {
                format!(
                    "the secret {} is set, version {}; refer to it as {{{{secret:{}}}}}",
                    name, info.version, name
                )
            })?;
        }
        SecretsCommand::List => {
            let opened = shell.read()?;
            let list = opened.secrets.list()?;
            shell.output.answer(&list, || {
                if list.is_empty() {
                    return "no secrets are set; set one with `identitymesh secrets set NAME`".to_owned();
                }
                let rows: Vec<Vec<String>> = list
                    .iter()
                    .map(|info| {
                        vec![
                            info.name.as_str().to_owned(),
                            info.version.to_string(),
                            info.set_by.clone(),
                            info.set_at.to_string(),
                            info.description.clone(),
                        ]
                    })
                    .collect();
                table(&["secret", "version", "set by", "set at", "for"], &rows)
            })?;
        }
        SecretsCommand::Remove { name } => {
            let opened = shell.write()?;
            let change = SecretChange { actor: &opened.mesh.actor, at: opened.mesh.clock.now().to_jiff() };
            opened.secrets.remove(&name, change)?;
            shell.output.answer(&json!({ "removed": name }), || format!("the secret {name} is removed"))?;
        }
    }
    Ok(Done::Well)
}
