//! Directories read and changed with the commands of OpenLDAP, so that the product is not checked by itself.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use super::ldif::{Entries, parse_ldif};

/// How the commands reach a server and sign in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client<'a> {
    pub(crate) url: &'a str,
    pub(crate) ca_file: &'a Path,
    /// Whether a plain connection is turned into TLS.
    pub(crate) start_tls: bool,
    /// Name and password.
    pub(crate) bind: (&'a str, &'a str),
}

impl Client<'_> {
    /// Entries at and below `base`; no names in `attributes` means all user attributes.
    pub(crate) fn search(&self, base: &str, filter: &str, attributes: &[&str]) -> Result<Entries> {
        let mut command = self.command("ldapsearch");
        command.args(["-LLL", "-o", "ldif-wrap=no", "-b", base, filter]).args(attributes);
        let output = command.output().context("cannot start ldapsearch")?;
        let printed = printed("ldapsearch", output)?;
        parse_ldif(&String::from_utf8(printed).context("ldapsearch printed something other than UTF-8")?)
    }

    /// Carries out change records; the first that is refused ends it.
    pub(crate) fn modify(&self, change_records: &str) -> Result<()> {
        let mut command = self.command("ldapmodify");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().context("cannot start ldapmodify")?;
        let mut input = process.stdin.take().context("ldapmodify takes no input")?;
        // The command answers each record on its output, which must be read while records are still written.
        let records = change_records.to_owned();
        let writing = std::thread::spawn(move || input.write_all(records.as_bytes()));
        let output = process.wait_with_output()?;
        // A command that stopped at a record does not read the rest; what it says counts.
        let _written = writing.join();
        printed("ldapmodify", output).map(drop)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // The environment outranks whatever this machine and user have configured for OpenLDAP.
        command.env("LDAPTLS_CACERT", self.ca_file).env("LDAPTLS_REQCERT", "demand");
        command.args(["-x", "-o", "nettimeout=10", "-H", self.url, "-D", self.bind.0, "-w", self.bind.1]);
        if self.start_tls {
            command.arg("-ZZ");
        }
        command
    }
}

fn printed(program: &str, output: Output) -> Result<Vec<u8>> {
    if !output.status.success() {
        bail!("{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}
