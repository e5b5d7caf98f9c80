//! A running server: started when it answers, ended by its process id, at the latest when it is dropped.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::files::Files;
use super::options::SlapdOptions;
use crate::real::daemon::Daemon;
use crate::real::ports::free_port;
use crate::real::require::{System, require};

const SYSTEM: System = System {
    name: "OpenLDAP",
    programs: &["slapd", "ldapsearch", "ldapmodify"],
    packages: "slapd ldap-utils",
};

const PORT_ATTEMPTS_MAX: usize = 5;

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
    daemon: Daemon,
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
        self.daemon.stop();
    }

    /// Asks the server to end and waits, as a service manager does; its data stay for [`Slapd::restart`].
    pub fn end(&mut self) {
        self.daemon.end();
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
        self.daemon.signal("-STOP")
    }

    /// Lets a frozen server go on where it was.
    ///
    /// # Errors
    /// When the server is not running.
    pub fn thaw(&self) -> Result<()> {
        self.daemon.signal("-CONT")
    }

    /// Keeps the data as they are now, for [`Slapd::restore`]. The server is stopped for that and started again.
    ///
    /// # Errors
    /// When the data cannot be copied, or the server does not come up again.
    pub fn back_up(&mut self) -> Result<()> {
        self.stop();
        self.files.back_up()?;
        self.launch()
    }

    /// Brings back the data that [`Slapd::back_up`] kept, as an administrator does after a loss.
    ///
    /// # Errors
    /// When there is no backup, or the server does not come up with it.
    pub fn restore(&mut self) -> Result<()> {
        self.stop();
        self.files.restore()?;
        self.launch()
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
            daemon: Daemon::default(),
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
        let listeners = if self.tls { format!("{} {}", self.url, self.ldaps_url) } else { self.url.clone() };
        let mut command = Command::new(self.files.program());
        // A debug level, even of nothing, keeps the server in the foreground under our child's id.
        command.args(["-d", "0", "-h", &listeners]).arg("-F").arg(self.files.configuration_folder());
        let mut daemon = std::mem::take(&mut self.daemon);
        // The announced id proves that the answer comes from this server and not from a neighbour's.
        let outcome = daemon.launch(command, &self.files.log(), |id| {
            self.files.announced_pid() == Some(id) && self.search(&self.suffix, "(cn=-)", &[]).is_ok()
        });
        self.daemon = daemon;
        outcome
    }

    fn log_says_port_taken(&self) -> bool {
        self.daemon.log_text().contains("Address already in use")
    }
}
