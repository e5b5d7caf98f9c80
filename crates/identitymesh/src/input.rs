//! Values that must not stand on the command line.

use std::io::{IsTerminal as _, Read as _};

use anyhow::Context as _;
use identitymesh_secrets::SecretString;

/// Most bytes that are read from standard input.
const INPUT_BYTES_MAX: u64 = 64 * 1024 + 1;

/// A secret value, from a prompt on a terminal, else from standard input without its last line end.
pub(crate) fn secret(asked: &str) -> anyhow::Result<SecretString> {
    let text = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("{asked} (not shown): "))
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
