//! IdentityMesh: one binary for engine and administration.
//!
//! The binary reads arguments, opens the data directory, calls the runner or the store, and prints answers. What a
//! command decides, it decides elsewhere. Exit codes: 0 done, 1 failed, 2 usage, 3 held or findings with `--strict`,
//! 130 and 143 when a second request to stop did not wait for the end of a step.

mod arguments;
mod commands;
mod edge;
mod explain;
mod input;
mod open;
mod output;
mod progress;
mod secret_rows;
mod stop;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of a command that could not do its work.
const FAILED: u8 = 1;
/// The exit code of a run that is held or has findings, where `--strict` asks for it.
const HELD: u8 = 3;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    start_log(&arguments);
    match commands::carry_out(arguments) {
        Ok(commands::Done::Well) => ExitCode::SUCCESS,
        Ok(commands::Done::Held) => ExitCode::from(HELD),
        Err(error) => {
            explain::failure(&error);
            ExitCode::from(FAILED)
        }
    }
}

/// The log goes to the error stream: warnings, or what `IDENTITYMESH_LOG` says.
fn start_log(arguments: &arguments::Arguments) {
    use tracing_subscriber::EnvFilter;
    let default = if arguments.verbose { "info" } else { "error" };
    let filter = EnvFilter::try_from_env("IDENTITYMESH_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
