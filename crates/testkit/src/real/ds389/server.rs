//! A running server: started when it answers, ended by its process id, at the latest when it is dropped.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::files::Files;
use super::options::Ds389Options;
use crate::real::client::Client;
use crate::real::daemon::Daemon;
use crate::real::ldif::Entries;
use crate::real::ports::free_port;
use crate::real::require::{System, find_program, require};

const SYSTEM: System = System {
    name: "389 Directory Server",
    programs: &["ns-slapd", "certutil", "pk12util", "openssl", "ldapsearch", "ldapmodify"],
    packages: "389-ds-base libnss3-tools openssl ldap-utils",
};

/// The administrator of every server.
pub(super) const MANAGER: &str = "cn=Directory Manager";

const PORT_ATTEMPTS_MAX: usize = 5;

/// A 389 Directory Server that belongs to one test.
#[derive(Debug)]
pub struct Ds389 {
    /// `ldap://127.0.0.1:PORT`; the same before and after a restart.
    pub url: String,
    /// `ldaps://127.0.0.1:PORT`.
    pub ldaps_url: String,
    /// PEM file of the authority that signed the server's certificate.
    pub ca_file: PathBuf,
    /// Distinguished name of the administrator.
    pub bind_dn: String,
    /// The administrator's password.
    pub password: String,
    /// The entry under which everything stands.
    pub suffix: String,
    files: Files,
    daemon: Daemon,
}

impl Ds389 {
    /// Starts a server and waits until it answers; `None` when it is not installed and may be missing.
    ///
    /// # Panics
    /// When the server is required and missing, and when it does not start although it is installed: the message
    /// carries what it said.
    #[must_use = "the server ends when the value is dropped"]
    pub fn start(options: Ds389Options) -> Option<Self> {
        if !require(&SYSTEM) {
            return None;
        }
        match Self::try_start(options) {
            Ok(server) => Some(server),
            Err(error) => panic!("no 389 Directory Server for this test: {error:#}"),
        }
    }

    /// Ends the server; its data stay for [`Ds389::restart`].
    pub fn stop(&mut self) {
        self.daemon.end();
    }

    /// Kills the server at once, as a power cut would.
    pub fn kill(&mut self) {
        self.daemon.stop();
    }

    /// Starts the server again on the same ports with the same data, killing it first if it runs.
    ///
    /// # Errors
    /// With the server's own words when it does not come up.
    pub fn restart(&mut self) -> Result<()> {
        self.launch()
    }

    /// Entries at and below `base` that match `filter`, read by the administrator.
    ///
    /// # Errors
    /// With what the command says when it fails, such as a base that does not exist.
    pub fn search(&self, base: &str, filter: &str, attributes: &[&str]) -> Result<Entries> {
        self.client().search(base, filter, attributes)
    }

    /// Like [`Ds389::search`], over LDAPS.
    ///
    /// # Errors
    /// As for [`Ds389::search`], and when the handshake fails.
    pub fn search_over_ldaps(&self, base: &str, filter: &str) -> Result<Entries> {
        Client { url: &self.ldaps_url, ..self.client() }.search(base, filter, &[])
    }

    /// Like [`Ds389::search`], bound as another entry.
    ///
    /// # Errors
    /// As for [`Ds389::search`], and when the directory refuses the name or the password.
    pub fn search_as(&self, bind: (&str, &str), base: &str, filter: &str) -> Result<Entries> {
        Client { bind, ..self.client() }.search(base, filter, &[])
    }

    /// Carries out LDIF change records as the administrator.
    ///
    /// # Errors
    /// With the server's words for the first record that it refuses; those before it are done.
    pub fn modify(&self, change_records: &str) -> Result<()> {
        self.client().modify(change_records)
    }

    /// Like [`Ds389::modify`], bound as another entry.
    ///
    /// # Errors
    /// As for [`Ds389::modify`], and when the directory refuses the name or the password.
    pub fn modify_as(&self, bind: (&str, &str), change_records: &str) -> Result<()> {
        Client { bind, ..self.client() }.modify(change_records)
    }

    fn client(&self) -> Client<'_> {
        let bind = (self.bind_dn.as_str(), self.password.as_str());
        Client { url: &self.url, ca_file: &self.ca_file, start_tls: false, bind }
    }

    fn try_start(options: Ds389Options) -> Result<Self> {
        let files = Files::create(&options)?;
        let mut server = Self {
            url: String::new(),
            ldaps_url: String::new(),
            ca_file: files.certificates.authority.clone(),
            bind_dn: MANAGER.to_owned(),
            password: options.password.clone(),
            suffix: options.suffix.clone(),
            files,
            daemon: Daemon::default(),
        };
        for _ in 1..PORT_ATTEMPTS_MAX {
            match server.launch_elsewhere(&options) {
                // Somebody else took the port between our look and the start.
                Err(error) if server.files.error_log().contains("already in use") => {
                    eprintln!("trying other ports: {error:#}");
                }
                outcome => return outcome.map(|()| server),
            }
        }
        server.launch_elsewhere(&options).map(|()| server)
    }

    fn launch_elsewhere(&mut self, options: &Ds389Options) -> Result<()> {
        let ports = (free_port(), free_port());
        self.url = format!("ldap://127.0.0.1:{}", ports.0);
        self.ldaps_url = format!("ldaps://127.0.0.1:{}", ports.1);
        self.files.write_configuration(options, ports)?;
        self.launch()
    }

    fn launch(&mut self) -> Result<()> {
        let program = find_program("ns-slapd").unwrap_or_else(|| "ns-slapd".into());
        let mut command = Command::new(program);
        // A debug level, even of nothing, keeps the server in the foreground under our child's id.
        command.args(["-d", "0", "-D"]).arg(self.files.configuration_folder());
        command.arg("-i").arg(self.files.pid_file());
        let mut daemon = std::mem::take(&mut self.daemon);
        let outcome = daemon.launch(command, &self.files.log(), |id| {
            self.files.announced_pid() == Some(id) && self.search(&self.suffix, "(cn=-)", &[]).is_ok()
        });
        self.daemon = daemon;
        outcome.map_err(|error| error.context(self.files.error_log()))
    }
}

impl Drop for Ds389 {
    fn drop(&mut self) {
        // Its shared memory is removed by itself only when it may end in peace; the folder goes in any case.
        self.daemon.stop();
    }
}
