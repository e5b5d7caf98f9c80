//! `cargo xtask`: the project's own chores, each in a module of its own.
//!
//! Exit code 0 means done, 1 failed; `demo` passes on the exit code of the product. Everything is said on
//! the standard error stream, so that what a child program prints stays what it was.

mod finding;
mod layers;
mod process;
mod program;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own chores")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the product and run its demonstration; everything after `demo` goes to `identitymesh demo`
    #[command(disable_help_flag = true)]
    Demo {
        /// Arguments of `identitymesh demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the simulation and play whole lives of a mesh from seeds; `simulate --help` lists its options
    #[command(disable_help_flag = true)]
    Simulate {
        /// Arguments of `simulate`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Set up what the tests need, check the structure, and run every test
    Test {
        /// Install nothing; tests whose real system is missing are skipped, and said to be
        #[arg(long)]
        quick: bool,
    },
    /// Check the rings: arrows between crates, libraries the core must not use, inherited lints, reasons
    #[command(visible_alias = "layers")]
    CheckLayers,
    /// Check the house rules: file sizes, module documentation, unfinished places, error-code pages
    Tidy,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo { arguments } => program::run("identitymesh", "identitymesh", &["demo"], &arguments),
        Command::Simulate { arguments } => {
            program::run("identitymesh-simulation", "simulate", &[], &arguments)
        }
        Command::Test { quick } => test::run(quick),
        Command::CheckLayers => layers::run(),
        Command::Tidy => tidy::run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
