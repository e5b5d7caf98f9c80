//! A running controller: started when it answers, ended by its process group, at the latest when it is dropped.
//!
//! It also ends when the thread that started it does, so that a killed test leaves nothing behind.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::domain::{self, Domain, Role};
use super::options::SambaAdOptions;
use crate::real::require::{System, require_as_root};
use crate::temp::{TempDir, directory};

const SYSTEM: System = System {
    name: "Samba as an Active Directory domain controller",
    programs: &["setpriv", "samba", "samba-tool", "ldbmodify", "ldbadd", "ldapsearch", "ldapmodify"],
    packages: "samba samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba winbind ldb-tools ldap-utils",
};

/// Ports of which each proves one service.
const PORTS: [u16; 3] = [389, 636, 88];
/// A port on the controller's address that the test holds, so that two tests never choose one address.
const RESERVED_PORT: u16 = 20_389;
const ANSWER_ATTEMPTS_MAX: usize = 1_200;
const ANSWER_WAIT: Duration = Duration::from_millis(50);

/// A domain controller that belongs to one test.
#[derive(Debug)]
pub struct SambaAd {
    /// Its loopback address; ports are those of the protocols.
    pub address: String,
    /// `ldap://ADDRESS`.
    pub url: String,
    /// `ldaps://ADDRESS`.
    pub ldaps_url: String,
    /// PEM file of the authority that signed its certificate.
    pub ca_file: PathBuf,
    /// The administrator's principal name, with which one can bind.
    pub bind_name: String,
    /// The administrator's password.
    pub password: String,
    /// `DC=mesh,DC=test`.
    pub base: String,
    domain: Domain,
    process: Option<Child>,
    _reserved: TcpListener,
    _folder: TempDir,
}

impl SambaAd {
    /// Starts a controller and waits until it answers; `None` when Samba is not installed or the user is not root,
    /// and it may be missing.
    ///
    /// # Panics
    /// When Samba is required and missing, and when it does not start although it is installed.
    #[must_use = "the controller ends when the value is dropped"]
    pub fn start(options: &SambaAdOptions) -> Option<Self> {
        if !is_there() {
            return None;
        }
        match Role::alone().and_then(|role| Self::try_start(options, role)) {
            Ok(server) => Some(server),
            Err(error) => panic!("no domain controller for this test: {error:#}"),
        }
    }

    /// Kills the controller at once, as a power cut would; its data stay for [`SambaAd::restart`].
    pub fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        if let Ok(Some(status)) = process.try_wait() {
            eprintln!("the domain controller had ended by itself with {status}: {}", self.log_text());
        }
        // Workers are children of their own; the group is named by its leader. It may have ended by itself.
        let _ended = Command::new("kill").args(["-KILL", "--", &format!("-{}", process.id())]).status();
        let _reaped = process.wait();
    }

    /// Starts the controller again at its address with its data, killing it first if it runs.
    ///
    /// # Errors
    /// With its own words when it does not come up.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.launch()
    }

    /// The file that Kerberos programs and libraries need in `KRB5_CONFIG`.
    #[must_use]
    pub fn krb5_configuration(&self) -> PathBuf {
        self.domain.krb5_configuration()
    }

    pub(super) fn domain(&self) -> &Domain {
        &self.domain
    }

    pub(super) fn try_start(options: &SambaAdOptions, role: Role) -> Result<Self> {
        let folder = directory();
        let (address, reserved) = reserve()?;
        let domain = Domain::create(folder.path(), &address, options, role)?;
        let mut server = Self {
            url: format!("ldap://{address}"),
            ldaps_url: format!("ldaps://{address}"),
            address,
            ca_file: domain.certificates.authority.clone(),
            bind_name: "administrator@mesh.test".to_owned(),
            password: domain::PASSWORD.to_owned(),
            base: domain::BASE.to_owned(),
            domain,
            process: None,
            _reserved: reserved,
            _folder: folder,
        };
        server.launch().map(|()| server)
    }

    fn launch(&mut self) -> Result<()> {
        let log = File::create(self.domain.folder.join("samba.out"))
            .context("cannot write the controller's log")?;
        // The workers end when the first process does.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "samba", "-F", "--no-process-group"]);
        command.arg(format!("--configfile={}", self.domain.configuration().display()));
        command.env("KRB5_CONFIG", self.domain.krb5_configuration()).process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.process = Some(command.spawn().context("cannot start samba")?);
        let outcome = self.wait_until_it_answers();
        if outcome.is_err() {
            self.stop();
        }
        outcome
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        for _ in 0..ANSWER_ATTEMPTS_MAX {
            let process = self.process.as_mut().context("the controller is not running")?;
            if let Some(status) = process.try_wait()? {
                bail!("samba ended with {status}: {}", self.log_text());
            }
            let is_open = |port: &u16| TcpStream::connect((self.address.as_str(), *port)).is_ok();
            if PORTS.iter().all(is_open) && self.search(&self.base, "(cn=-)", &[]).is_ok() {
                return Ok(());
            }
            thread::sleep(ANSWER_WAIT);
        }
        bail!("samba does not answer at {}: {}", self.address, self.log_text())
    }

    fn log_text(&self) -> String {
        let said = ["samba.out", "log.samba"].map(|name| fs::read_to_string(self.domain.folder.join(name)));
        let said: String = said.into_iter().flatten().collect();
        said.lines().rev().take(20).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for SambaAd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether controllers can be started here; where they may be missing, the reason is said.
pub(super) fn is_there() -> bool {
    require_as_root(&SYSTEM)
}

/// An address on which nobody listens, and what keeps it ours.
fn reserve() -> Result<(String, TcpListener)> {
    // Different processes begin at different places.
    let start = process::id();
    for step in 0..65_536_u32 {
        let place = (start + step) % 65_536;
        let address = format!("127.89.{}.{}", place / 256, place % 254 + 1);
        if let Ok(held) = TcpListener::bind((address.as_str(), RESERVED_PORT))
            && PORTS.iter().all(|port| TcpStream::connect((address.as_str(), *port)).is_err())
        {
            return Ok((address, held));
        }
    }
    bail!("no loopback address is free")
}
