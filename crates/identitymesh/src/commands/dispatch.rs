//! From arguments to the command that carries them out, with what every command gets.

use std::path::PathBuf;
use std::sync::Arc;

use clap::CommandFactory as _;
use identitymesh_runner::{Observer, Silent};
use tokio_util::sync::CancellationToken;

use crate::arguments::{Arguments, Command};
use crate::open::{Opened, open, registry};
use crate::output::Output;
use crate::progress::Bars;
use crate::stop::StopRequests;

use super::{
    audit, bench, configuration, connector, demo, doctor, exports, holds, init, joins, mesh, password, plans,
    preview, reasons, run, runs, secrets, space, undo,
};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// As asked.
    Well,
    /// Something is held or has findings, and the caller wants to know by the exit code.
    Held,
}

/// What every command gets.
pub(crate) struct Shell {
    pub(crate) data: PathBuf,
    pub(crate) output: Output,
    pub(crate) cancel: CancellationToken,
}

impl Shell {
    /// The data directory, to read from.
    pub(crate) fn read(&self) -> anyhow::Result<Opened> {
        open(&self.data, false, registry(), Arc::new(Silent), self.cancel.clone())
    }

    /// The data directory, for this process alone.
    pub(crate) fn write(&self) -> anyhow::Result<Opened> {
        let observer: Arc<dyn Observer> =
            if self.output.is_watched() { Arc::new(Bars::default()) } else { Arc::new(Silent) };
        open(&self.data, true, registry(), observer, self.cancel.clone())
    }

    /// Runs asynchronous work to its end; a first request to stop ends it between two parts, a second at once.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?;
        let cancel = self.cancel.clone();
        let mut requests = runtime.block_on(async { StopRequests::listen() })?;
        runtime.spawn(async move {
            requests.next().await;
            cancel.cancel();
            std::process::exit(requests.next().await);
        });
        runtime.block_on(work)
    }
}

/// Carries out a command.
pub(crate) fn carry_out(arguments: Arguments) -> anyhow::Result<Done> {
    let shell = Shell {
        data: arguments.data,
        output: Output { json: arguments.json },
        cancel: CancellationToken::new(),
    };
    match arguments.command {
        Command::Demo(demo) => demo::run(&shell, &demo),
        Command::Init { directory } => init::run(&shell, &directory),
        Command::Plan { directory } => configuration::plan(&shell, &directory),
        Command::Apply { directory } => configuration::apply(&shell, &directory),
        Command::ExportConfig { directory } => configuration::export(&shell, &directory),
        Command::Run(run) => run::run(&shell, &run),
        Command::Preview(arguments) => preview::run(&shell, &arguments),
        Command::Plans(command) => plans::run(&shell, command),
        Command::Connector(command) => connector::run(&shell, command),
        Command::Space(command) => space::run(&shell, command),
        Command::Mesh(command) => mesh::run(&shell, command),
        Command::Exports(command) => exports::run(&shell, command),
        Command::Holds(command) => holds::run(&shell, command),
        Command::Why(command) => reasons::run(&shell, command),
        Command::Undo(command) => undo::run(&shell, command),
        Command::Joins(command) => joins::run(&shell, command),
        Command::Runs(command) => runs::run(&shell, command),
        Command::Password(command) => password::run(&shell, command),
        Command::Secrets(command) => secrets::run(&shell, command),
        Command::Audit(command) => audit::run(&shell, command),
        Command::Bench(arguments) => bench::run(&shell, &arguments),
        Command::Doctor => doctor::run(&shell),
        Command::Completions { shell: kind } => {
            clap_complete::generate(kind, &mut Arguments::command(), "identitymesh", &mut std::io::stdout());
            Ok(Done::Well)
        }
    }
}
