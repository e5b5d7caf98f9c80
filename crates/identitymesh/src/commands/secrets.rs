//! `secrets`: set from a prompt or standard input, listed without values, removed.

use std::io::{IsTerminal as _, Read as _};

use anyhow::Context as _;
use identitymesh_secrets::{SecretChange, SecretString};
use serde_json::json;

use super::{Done, Shell};
use crate::arguments::SecretsCommand;
use crate::output::table;

/// Most bytes that are read from standard input.
const INPUT_BYTES_MAX: u64 = 64 * 1024 + 1;

pub(super) fn run(shell: &Shell, command: SecretsCommand) -> anyhow::Result<Done> {
    match command {
        SecretsCommand::Set { name, description } => {
            let value = value(&name)?;
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

/// The value, from a prompt on a terminal, else from standard input without its last line end.
fn value(name: &str) -> anyhow::Result<SecretString> {
    let text = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("value of {name} (not shown): "))
            .context("the prompt could not be read")?
    } else {
        let mut text = String::new();
        std::io::stdin()
            .take(INPUT_BYTES_MAX)
            .read_to_string(&mut text)
            .context("standard input is no text")?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        line.strip_suffix('\r').unwrap_or(line).to_owned()
    };
    anyhow::ensure!(!text.is_empty(), "no value was given; nothing is changed");
    Ok(SecretString::from(text))
}
