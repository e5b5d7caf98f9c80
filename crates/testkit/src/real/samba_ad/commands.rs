//! Reading and changing a domain with OpenLDAP's commands, so that the product is not checked by itself.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::domain::{BASE, feed};
use super::server::SambaAd;
use crate::real::ldif::{Entries, parse_ldif};

impl SambaAd {
    /// Entries at and below `base` that match `filter`, read by the administrator over LDAPS.
    ///
    /// # Errors
    /// With what the command says when it fails, such as a base that does not exist.
    pub fn search(&self, base: &str, filter: &str, attributes: &[&str]) -> Result<Entries> {
        let mut command = self.command("ldapsearch", (&self.bind_name, &self.password));
        // A domain of thousands is read in pages, as everywhere.
        command.args(["-LLL", "-o", "ldif-wrap=no", "-E", "pr=1000/noprompt", "-b", base, filter]);
        let output = command.args(attributes).output().context("cannot start ldapsearch")?;
        if !output.status.success() {
            bail!("ldapsearch failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let text =
            String::from_utf8(output.stdout).context("ldapsearch printed something other than UTF-8")?;
        let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("# pagedresults")).collect();
        parse_ldif(&(text.join("\n") + "\n"))
    }

    /// Changes entries by LDIF change records (or adds, without `changetype`), as the administrator.
    ///
    /// # Errors
    /// With what the command says when it fails.
    pub fn modify(&self, ldif: &str) -> Result<()> {
        let mut command = self.command("ldapmodify", (&self.bind_name, &self.password));
        feed(command.arg("-a"), ldif)
    }

    /// Whether the account can sign in with this password.
    #[must_use]
    pub fn binds(&self, name: &str, password: &str) -> bool {
        let mut command = self.command("ldapsearch", (name, password));
        let output = command.args(["-LLL", "-s", "base", "-b", "", "1.1"]).output();
        output.is_ok_and(|output| output.status.success())
    }

    /// Makes an account with a password and returns the file with its Kerberos keys.
    ///
    /// # Errors
    /// With what Samba says when it fails.
    pub fn account_with_keytab(&self, name: &str, password: &str) -> Result<PathBuf> {
        let configuration = format!("--configfile={}", self.domain().configuration().display());
        let database = self.domain().database().display().to_string();
        let keytab = self.domain().folder.join(format!("{name}.keytab"));
        let tool = |arguments: &[&str]| -> Result<()> {
            let output = Command::new("samba-tool").args(arguments).arg(&configuration).output()?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Ok(())
        };
        tool(&["user", "create", name, password, "-H", &database])?;
        let principal = format!("--principal={name}");
        tool(&["domain", "exportkeytab", &keytab.display().to_string(), &principal])?;
        Ok(keytab)
    }

    /// The domain's own container for people.
    #[must_use]
    pub fn users(&self) -> String {
        format!("CN=Users,{BASE}")
    }

    fn command(&self, program: &str, (name, password): (&str, &str)) -> Command {
        let mut command = Command::new(program);
        // The environment outranks whatever this machine and user have configured for OpenLDAP.
        command.env("LDAPTLS_CACERT", &self.ca_file).env("LDAPTLS_REQCERT", "demand");
        command.args(["-x", "-o", "nettimeout=10", "-H", &self.ldaps_url, "-D", name, "-w", password]);
        command
    }
}
