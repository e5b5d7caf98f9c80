//! A server's process: our child under the id we know, killed at the latest when dropped.
//!
//! It stays in the process group of the test, so that a runner which ends a hanging test ends the server too.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

const ANSWER_ATTEMPTS_MAX: usize = 1_200;
const ANSWER_WAIT: Duration = Duration::from_millis(50);

/// A process that may run.
#[derive(Debug, Default)]
pub(crate) struct Daemon {
    process: Option<Child>,
    log: PathBuf,
}

impl Daemon {
    /// Starts the program with everything it says in `log`, and waits until `answers` says so of its process id.
    pub(crate) fn launch(
        &mut self,
        mut command: Command,
        log: &Path,
        answers: impl Fn(u32) -> bool,
    ) -> Result<()> {
        self.stop();
        self.log = log.to_owned();
        let file = File::create(log).context("cannot write the server's log")?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        self.process = Some(command.spawn().context("cannot start the server")?);
        let outcome = self.wait_until(answers);
        if outcome.is_err() {
            self.stop();
        }
        outcome
    }

    fn wait_until(&mut self, answers: impl Fn(u32) -> bool) -> Result<()> {
        for _ in 0..ANSWER_ATTEMPTS_MAX {
            let process = self.process.as_mut().context("the server is not running")?;
            if let Some(status) = process.try_wait()? {
                bail!("the server ended with {status}: {}", self.log_text());
            }
            if answers(process.id()) {
                return Ok(());
            }
            thread::sleep(ANSWER_WAIT);
        }
        bail!("the server does not answer: {}", self.log_text())
    }

    /// Kills the process at once, as a power cut would. One that had ended by itself is told about: nobody wanted that.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            if let Ok(Some(status)) = process.try_wait() {
                eprintln!("a server had ended by itself with {status}: {}", self.log_text());
            }
            // Both fail only for a process that has ended, which is what is wanted.
            let _ended = process.kill();
            let _reaped = process.wait();
        }
    }

    /// Sends a signal such as `-STOP`.
    pub(crate) fn signal(&self, signal: &str) -> Result<()> {
        let process = self.process.as_ref().context("the server is not running")?;
        let status = Command::new("kill").args([signal, &process.id().to_string()]).status()?;
        ensure!(status.success(), "the signal {signal} could not be sent");
        Ok(())
    }

    /// Asks the process to end and waits for it; kills it when it does not.
    pub(crate) fn end(&mut self) {
        if self.signal("-TERM").is_ok() {
            for _ in 0..ANSWER_ATTEMPTS_MAX {
                let ended =
                    self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None)));
                if ended {
                    break;
                }
                thread::sleep(ANSWER_WAIT);
            }
        }
        self.stop();
    }

    pub(crate) fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default().trim().to_owned()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}
