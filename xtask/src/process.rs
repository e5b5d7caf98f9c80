//! Running other programs from the workspace root.
//!
//! A program that cannot be started is an error that names it; one that ends with a failure is an answer,
//! because callers differ in what they make of it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// The workspace root: the parent of this crate's folder, as cargo tells it to programs that it runs.
pub(crate) fn workspace_root() -> Result<PathBuf> {
    let own = env::var_os("CARGO_MANIFEST_DIR").context("start this program as `cargo xtask`")?;
    let root = Path::new(&own).parent().context("the xtask crate has no parent folder")?;
    Ok(root.to_owned())
}

/// The cargo that runs us, so that a toolchain chosen with `cargo +NAME` stays chosen.
pub(crate) fn cargo(arguments: &[&str]) -> Result<Command> {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace_root()?);
    Ok(command)
}

/// Runs the command with our own streams; true when it ended with exit code 0.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    Ok(status.success())
}

/// Like [`succeeds`] with everything it prints thrown away; a program that does not exist is a no.
pub(crate) fn succeeds_quietly(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What the command prints on its standard output; a failure carries what it said on standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", shown(command)))?;
    anyhow::ensure!(
        output.status.success(),
        "{} failed: {}",
        shown(command),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed something other than UTF-8", shown(command)))
}

/// True when a program of this name is on the search path or where Debian keeps daemons.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let daemons = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(daemons).any(|folder| folder.join(program).is_file())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
