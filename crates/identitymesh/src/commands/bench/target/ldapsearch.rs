//! OpenLDAP's own command, reading the same entries into a pipe.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use identitymesh_connector::Settings;

use crate::commands::directory::Directory;
use crate::edge::Stopwatch;

/// Entries of a page, as the connector has them.
const PAGE_SIZE: usize = 1_000;
/// Bytes taken from the pipe at once.
const PIPE_BYTES: usize = 64 << 10;

/// The command, ready to be run.
pub(super) struct LdapSearch<'a> {
    pub(super) directory: &'a Directory,
    pub(super) settings: &'a Settings,
    /// Where the password is put for the command; it never stands among its arguments.
    pub(super) password_file: &'a Path,
    pub(super) filter: &'a str,
    pub(super) attributes: &'a [String],
}

impl LdapSearch<'_> {
    /// How long it takes to read all entries, of which there must be `objects`.
    pub(super) fn read(&self, objects: u64) -> anyhow::Result<Duration> {
        self.write_password()?;
        let watch = Stopwatch::start();
        let mut process = self.command().spawn().context(
            "ldapsearch could not be started; reading is measured beside it, and it comes with the package ldap-utils",
        )?;
        let mut output = process.stdout.take().context("ldapsearch has no output")?;
        let (mut entries, mut buffer, mut last) = (0, vec![0; PIPE_BYTES], b'\n');
        loop {
            let count = output.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            // Entries are set apart by empty lines.
            for byte in &buffer[..count] {
                entries += u64::from(*byte == b'\n' && last == b'\n');
                last = *byte;
            }
        }
        let status = process.wait()?;
        let spent = watch.elapsed();
        ensure!(status.success(), "ldapsearch failed: {status}");
        ensure!(entries == objects, "ldapsearch read {entries} of {objects} entries");
        Ok(spent)
    }

    fn command(&self) -> Command {
        let text = |name: &str| self.settings.text(name).unwrap_or_default();
        let mut command = Command::new("ldapsearch");
        if let Some(ca) = self.directory.ca() {
            command.env("LDAPTLS_CACERT", ca).env("LDAPTLS_REQCERT", "demand");
        }
        if self.directory.starts_tls() {
            command.arg("-ZZ");
        }
        command.args(["-x", "-LLL", "-o", "ldif-wrap=no", "-H", self.directory.url(), "-D", text("bind_dn")]);
        command.arg("-y").arg(self.password_file).arg("-E").arg(format!("pr={PAGE_SIZE}/noprompt"));
        command.args(["-b", text("base"), self.filter]).args(self.attributes);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    fn write_password(&self) -> anyhow::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let password = self.settings.text("bind_password").unwrap_or_default();
        Ok(options.open(self.password_file)?.write_all(password.as_bytes())?)
    }
}
