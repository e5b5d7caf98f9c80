//! Programs of the workspace as they would be shipped: `cargo xtask demo`, `cargo xtask simulate`.
//!
//! On Unix this process *becomes* the program: its exit code, its terminal and the signals sent to it
//! are the program's own, so killing `cargo xtask demo` kills the demonstration and nothing is left behind.

use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};

use crate::process::{cargo, succeeds};

/// Builds the package and runs `program` of it with `first` and then the given arguments.
pub(crate) fn run(package: &str, program: &str, first: &[&str], arguments: &[String]) -> Result<ExitCode> {
    let chosen = ["--release", "--package", package, "--bin", program];
    let mut build = cargo(&[&["build"], &chosen[..]].concat())?;
    ensure!(succeeds(&mut build)?, "{program} does not build; the compiler's message is above");
    // `cargo run` finds the program in whatever target directory is configured.
    let mut command = cargo(&[&["run", "--quiet"], &chosen[..], &["--"]].concat())?;
    become_program(command.args(first).args(arguments))
}

#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    // Returns only when the program could not be started.
    Err(anyhow::Error::new(command.exec()).context("cannot start cargo"))
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
