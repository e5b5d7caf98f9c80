//! The `test` command: set-up, structural checks, then one cargo call after the other.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use super::real_systems;
use super::stage::{Stage, stages};
use crate::process::{cargo, is_installed, succeeds, succeeds_quietly};
use crate::{layers, tidy};

/// Read by the test kit: a test whose real system is missing then fails instead of being skipped.
const POLICY_VARIABLE: &str = "IDENTITYMESH_REAL_SYSTEMS";

/// Runs everything; the exit code is a failure when any part fails.
pub(crate) fn run(quick: bool) -> Result<ExitCode> {
    ensure!(is_installed("git"), "git is missing; install it with: apt-get install -y git");
    let stages = stages(succeeds_quietly(&mut cargo(&["nextest", "--version"])?));
    stages.iter().try_for_each(check_component)?;
    let is_complete = real_systems::set_up(quick)?;
    for check in [layers::run, tidy::run] {
        let outcome = check()?;
        if outcome != ExitCode::SUCCESS {
            return Ok(outcome);
        }
    }
    for stage in stages {
        eprintln!("== cargo {}", stage.arguments.join(" "));
        let mut command = cargo(stage.arguments)?;
        if is_complete {
            command.env(POLICY_VARIABLE, "required");
        }
        // The stage has said what is wrong; nothing is to come below its last line.
        if !succeeds(&mut command)? {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check_component(stage: &Stage) -> Result<()> {
    let Some(component) = stage.component else { return Ok(()) };
    let is_there = succeeds_quietly(&mut cargo(&[stage.arguments[0], "--version"])?);
    ensure!(is_there, "{component} is missing; install it with: rustup component add {component}");
    Ok(())
}
