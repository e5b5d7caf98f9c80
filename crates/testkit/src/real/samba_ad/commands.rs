//! Reading and changing a domain with OpenLDAP's commands, so that the product is not checked by itself.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::domain::{BASE, feed};
use super::server::SambaAd;
use crate::real::ldif::{Entries, parse_ldif};

/// The Python that Samba's own tools run in, whichever else is on the path.
const PYTHON: &str = "/usr/bin/python3";

/// What `samba-tool dsacl set` does, also to objects that it does not find because they are deleted.
const GRANT: &str = "\
import sys
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
from samba.sd_utils import SDUtils
configuration, database, dn, *rights = sys.argv[1:]
lp = LoadParm()
lp.load(configuration)
domain = SamDB(url=database, session_info=system_session(), lp=lp)
SDUtils(domain).update_aces_in_dacl(dn, add_aces=rights, controls=['sd_flags:1:4', 'show_deleted:1'])
";

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
        self.modify_as((&self.bind_name, &self.password), ldif)
    }

    /// Like [`SambaAd::modify`], bound as another account.
    ///
    /// # Errors
    /// As for [`SambaAd::modify`], and when the domain refuses the name or the password.
    pub fn modify_as(&self, bind: (&str, &str), ldif: &str) -> Result<()> {
        let mut command = self.command("ldapmodify", bind);
        feed(command.arg("-a"), ldif)
    }

    /// Whether the account can sign in with this password.
    #[must_use]
    pub fn binds(&self, name: &str, password: &str) -> bool {
        let mut command = self.command("ldapsearch", (name, password));
        let output = command.args(["-LLL", "-s", "base", "-b", "", "1.1"]).output();
        output.is_ok_and(|output| output.status.success())
    }

    /// Makes an account with a password among the domain's own people; it is enabled and can sign in.
    ///
    /// # Errors
    /// With what Samba says when it fails.
    pub fn add_account(&self, name: &str, password: &str) -> Result<()> {
        let database = self.domain().database().display().to_string();
        self.tool(&["user", "create", name, password, "-H", &database])
    }

    /// Makes an account with a password and returns the file with its Kerberos keys.
    ///
    /// # Errors
    /// With what Samba says when it fails.
    pub fn account_with_keytab(&self, name: &str, password: &str) -> Result<PathBuf> {
        let keytab = self.domain().folder.join(format!("{name}.keytab"));
        self.add_account(name, password)?;
        let principal = format!("--principal={name}");
        self.tool(&["domain", "exportkeytab", &keytab.display().to_string(), &principal])?;
        Ok(keytab)
    }

    /// Makes the account of a machine called `name` and returns the file with its Kerberos keys as such a machine keeps
    /// it, those of its service `host/NAME` first.
    ///
    /// # Errors
    /// With what Samba says when it fails.
    pub fn machine_with_keytab(&self, name: &str, password: &str) -> Result<PathBuf> {
        let database = self.domain().database().display().to_string();
        let service = format!("host/{name}.mesh.test");
        let named = format!("--service-principal-name={service}");
        self.tool(&["computer", "create", name, &named, "-H", &database])?;
        let account = format!("{name}$");
        let password = format!("--newpassword={password}");
        self.tool(&["user", "setpassword", &account, &password, "-H", &database])?;
        let keytab = self.domain().folder.join(format!("{name}.keytab"));
        for principal in [service, account] {
            let principal = format!("--principal={principal}");
            self.tool(&["domain", "exportkeytab", &keytab.display().to_string(), &principal])?;
        }
        Ok(keytab)
    }

    /// The security identifier of an account, `S-1-5-21-…`.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn sid(&self, account: &str) -> Result<String> {
        let mut command = Command::new("ldbsearch");
        command.arg(format!("--configfile={}", self.domain().configuration().display()));
        command.arg("-H").arg(self.domain().database());
        let output = command.args([&format!("(sAMAccountName={account})"), "objectSid"]).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let sid = text.lines().find_map(|line| line.strip_prefix("objectSid: "));
        sid.map(str::to_owned).with_context(|| format!("{account} has no security identifier: {text}"))
    }

    /// Adds rights to what an object's list of rights holds, each in the words of SDDL: `(A;;RP;;;S-1-5-…)`.
    ///
    /// # Errors
    /// With what Samba says when it refuses.
    pub fn grant(&self, dn: &str, rights: &[String]) -> Result<()> {
        let mut command = Command::new(PYTHON);
        command.args(["-c", GRANT]).arg(self.domain().configuration()).arg(self.domain().database());
        let output = command.arg(dn).args(rights).output().context("cannot start Python")?;
        ensure!(output.status.success(), "{dn}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// The domain's own container for people.
    #[must_use]
    pub fn users(&self) -> String {
        format!("CN=Users,{BASE}")
    }

    fn tool(&self, arguments: &[&str]) -> Result<()> {
        let configuration = format!("--configfile={}", self.domain().configuration().display());
        let output = Command::new("samba-tool").args(arguments).arg(&configuration).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    fn command(&self, program: &str, (name, password): (&str, &str)) -> Command {
        let mut command = Command::new(program);
        // The environment outranks whatever this machine and user have configured for OpenLDAP.
        command.env("LDAPTLS_CACERT", &self.ca_file).env("LDAPTLS_REQCERT", "demand");
        command.args(["-x", "-o", "nettimeout=10", "-H", &self.ldaps_url, "-D", name, "-w", password]);
        command
    }
}
