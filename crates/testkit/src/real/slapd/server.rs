//! A running server: started when it answers, ended by its process id, at the latest when it is dropped.
//!
//! It stays in the process group of the test, so that a runner which ends a hanging test ends the server too.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::files::Files;
use super::options::SlapdOptions;
use crate::real::ports::free_port;
use crate::real::require::{System, require};

const SYSTEM: System =
    System { name: "OpenLDAP", programs: &["slapd", "ldapsearch"], packages: "slapd ldap-utils" };

const PORT_ATTEMPTS_MAX: usize = 5;
const ANSWER_ATTEMPTS_MAX: usize = 600;
const ANSWER_WAIT: Duration = Duration::from_millis(50);

/// An OpenLDAP server that belongs to one test.
#[derive(Debug)]
pub struct Slapd {
    /// `ldap://127.0.0.1:PORT`; the same before and after a restart.
    pub url: String,
    /// `ldaps://127.0.0.1:PORT`; nobody listens there without [`SlapdOptions::tls`].
    pub ldaps_url: String,
    /// PEM file of the authority that signed the server's certificate.
    pub ca_file: PathBuf,
    /// Distinguished name of the administrator.
    pub bind_dn: String,
    /// The administrator's password.
    pub password: String,
    /// The entry under which everything stands.
    pub suffix: String,
    tls: bool,
    files: Files,
    process: Option<Child>,
}

impl Slapd {
    /// Starts a server and waits until it answers; `None` when OpenLDAP is not installed and may be missing.
    ///
    /// # Panics
    /// When OpenLDAP is required and missing, and when a server does not start although it is installed: the
    /// message carries what it said.
    #[must_use = "the server ends when the value is dropped"]
    pub fn start(options: SlapdOptions) -> Option<Self> {
        if !require(&SYSTEM) {
            return None;
        }
        match Self::try_start(options) {
            Ok(server) => Some(server),
            Err(error) => panic!("no OpenLDAP server for this test: {error:#}"),
        }
    }

    /// Kills the server at once, as a power cut would; its data stay for [`Slapd::restart`].
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Both fail only for a process that has ended, which is what is wanted.
            let _ended = process.kill();
            let _reaped = process.wait();
        }
    }

    /// Starts the server again on the same ports with the same data, killing it first if it runs.
    ///
    /// # Errors
    /// With the server's own words when it does not come up.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.launch()
    }

    /// Stops the server from answering without closing a connection, as a hanging machine would.
    ///
    /// # Errors
    /// When the server is not running.
    pub fn freeze(&self) -> Result<()> {
        self.signal("-STOP")
    }

    /// Lets a frozen server go on where it was.
    ///
    /// # Errors
    /// When the server is not running.
    pub fn thaw(&self) -> Result<()> {
        self.signal("-CONT")
    }

    fn try_start(options: SlapdOptions) -> Result<Self> {
        let files = Files::create(&options)?;
        let mut server = Self {
            url: String::new(),
            ldaps_url: String::new(),
            ca_file: files.certificates.authority.clone(),
            bind_dn: options.bind_dn(),
            password: options.password,
            suffix: options.suffix,
            tls: options.tls,
            files,
            process: None,
        };
        for _ in 1..PORT_ATTEMPTS_MAX {
            server.choose_ports();
            match server.launch() {
                // Somebody else took the port between our look and the start.
                Err(error) if server.log_says_port_taken() => eprintln!("trying other ports: {error:#}"),
                outcome => return outcome.map(|()| server),
            }
        }
        server.choose_ports();
        server.launch().map(|()| server)
    }

    fn choose_ports(&mut self) {
        self.url = format!("ldap://127.0.0.1:{}", free_port());
        self.ldaps_url = format!("ldaps://127.0.0.1:{}", free_port());
    }

    fn launch(&mut self) -> Result<()> {
        let log = File::create(self.files.log()).context("cannot write the server's log")?;
        let listeners = if self.tls { format!("{} {}", self.url, self.ldaps_url) } else { self.url.clone() };
        let mut command = Command::new(self.files.program());
        // A debug level, even of nothing, keeps the server in the foreground under our child's id.
        command.args(["-d", "0", "-h", &listeners]).arg("-F").arg(self.files.configuration_folder());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.process = Some(command.spawn().context("cannot start slapd")?);
        let outcome = self.wait_until_it_answers();
        if outcome.is_err() {
            self.stop();
        }
        outcome
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        for _ in 0..ANSWER_ATTEMPTS_MAX {
            let process = self.process.as_mut().context("the server is not running")?;
            if let Some(status) = process.try_wait()? {
                bail!("slapd ended with {status}: {}", self.log_text());
            }
            // The announced id proves that the answer comes from this server and not from a neighbour's.
            if self.files.announced_pid() == Some(process.id())
                && self.search(&self.suffix, "(cn=-)", &[]).is_ok()
            {
                return Ok(());
            }
            thread::sleep(ANSWER_WAIT);
        }
        bail!("slapd does not answer at {}: {}", self.url, self.log_text())
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let process = self.process.as_ref().context("the server is not running")?;
        let status = Command::new("kill").args([signal, &process.id().to_string()]).status()?;
        ensure!(status.success(), "the signal {signal} could not be sent");
        Ok(())
    }

    fn log_text(&self) -> String {
        fs::read_to_string(self.files.log()).unwrap_or_default().trim().to_owned()
    }

    fn log_says_port_taken(&self) -> bool {
        self.log_text().contains("Address already in use")
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
    }
}
