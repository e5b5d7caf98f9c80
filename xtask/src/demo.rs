//! `cargo xtask demo`: builds the product as it would be shipped and runs its demonstration.
//!
//! On Unix this process *becomes* the demonstration: its exit code, its terminal and the signals sent to it
//! are the product's own, so killing `cargo xtask demo` kills the demonstration and nothing is left behind.

use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};

use crate::process::{cargo, succeeds};

const PACKAGE: &str = "identitymesh";

/// Builds, then runs `identitymesh demo` with the given arguments.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let mut build = cargo(&["build", "--release", "--package", PACKAGE])?;
    ensure!(succeeds(&mut build)?, "the product does not build; the compiler's message is above");
    // `cargo run` finds the binary in whatever target directory is configured.
    let mut demo = cargo(&["run", "--quiet", "--release", "--package", PACKAGE, "--", "demo"])?;
    become_program(demo.args(arguments))
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
