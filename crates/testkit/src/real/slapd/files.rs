//! The folder of a server: its program, configuration, certificates and data.
//!
//! The program is a copy: Ubuntu confines the installed one to its own data directory, and knows it by its
//! place. Its tools are the same program under another word, so the copy loads the data as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::options::SlapdOptions;
use crate::real::certificates::{Certificates, Validity};
use crate::real::require::find_program;
use crate::temp::{self, TempDir};

const CONFIGURATION: &str = include_str!("slapd.ldif.in");

/// The folders with data, and where their copies are.
const KEPT: [(&str, &str); 2] = [("data", "backup"), ("log-data", "log-backup")];

/// Everything that stays over a restart; vanishes when dropped.
#[derive(Debug)]
pub(super) struct Files {
    folder: TempDir,
    pub(super) certificates: Certificates,
}

impl Files {
    /// Writes the configuration and loads the first entries.
    pub(super) fn create(options: &SlapdOptions) -> Result<Self> {
        let folder = temp::directory();
        let validity = if options.expired { Validity::Expired } else { Validity::Always };
        let certificates = Certificates::create(folder.path(), &[], validity)?;
        let files = Self { folder, certificates };
        let installed = find_program("slapd").context("slapd is not installed")?;
        fs::copy(&installed, files.program()).context("cannot copy slapd")?;
        for name in ["configuration", "data", "log-data"] {
            fs::create_dir(files.path(name)).with_context(|| format!("cannot create the folder {name}"))?;
        }
        files.load(&["-n", "0"], &files.configuration(options)?)?;
        let entries = format!("{}\n{}", suffix_entry(&options.suffix)?, options.initial_ldif);
        let mut database = vec!["-b", options.suffix.as_str()];
        // A server that tells what changed starts from the mark of the newest entry.
        database.extend(options.sync.map(|_| "-w"));
        files.load(&database, &entries)?;
        Ok(files)
    }

    pub(super) fn program(&self) -> PathBuf {
        self.path("slapd")
    }

    pub(super) fn configuration_folder(&self) -> PathBuf {
        self.path("configuration")
    }

    /// Copies the data of a server that does not run.
    pub(super) fn back_up(&self) -> Result<()> {
        for (data, backup) in KEPT {
            copy_folder(&self.path(data), &self.path(backup))?;
        }
        Ok(())
    }

    /// Puts the copy in place of the data.
    pub(super) fn restore(&self) -> Result<()> {
        for (data, backup) in KEPT {
            fs::remove_dir_all(self.path(data)).context("cannot remove the data")?;
            copy_folder(&self.path(backup), &self.path(data))?;
        }
        Ok(())
    }

    /// What the server and its tools say.
    pub(super) fn log(&self) -> PathBuf {
        self.path("log")
    }

    /// The process that the server says it is; written after it listens.
    pub(super) fn announced_pid(&self) -> Option<u32> {
        fs::read_to_string(self.path("pid")).ok()?.trim().parse().ok()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configuration(&self, options: &SlapdOptions) -> Result<String> {
        let SlapdOptions { suffix, password, .. } = options;
        ensure!(!format!("{suffix}{password}").contains('\n'), "a suffix or password has one line");
        let tls = if options.tls { tls_settings(&self.certificates) } else { "# without TLS".to_owned() };
        let size_limit = options.size_limit.map_or("unlimited".to_owned(), |limit| limit.to_string());
        let id_index = if options.id_index { "olcDbIndex: entryUUID,entryCSN eq\n" } else { "" };
        let folder = shown(self.folder.path())?;
        let number = if options.has_access_log() { 2 } else { 1 };
        let configuration = format!("{CONFIGURATION}{}", options.overlays(number));
        Ok(configuration
            .replace("@MODULES@\n", &options.modules())
            .replace("@ACCESS_LOG@\n", &options.access_log_database(&folder))
            .replace("@NUMBER@", &number.to_string())
            .replace("@FOLDER@", &folder)
            .replace("@ID_INDEX@\n", id_index)
            .replace("@TLS@", &tls)
            .replace("@SIZE_LIMIT@", &size_limit)
            .replace("@SUFFIX@", suffix)
            .replace("@ADMIN@", &options.bind_dn())
            .replace("@PASSWORD@", password))
    }

    fn load(&self, database: &[&str], ldif: &str) -> Result<()> {
        let source = self.path("load.ldif");
        fs::write(&source, ldif).context("cannot write the entries to load")?;
        let mut tool = Command::new(self.program());
        tool.args(["-T", "add", "-q"]).args(database);
        let output = tool.arg("-F").arg(self.configuration_folder()).arg("-l").arg(&source).output();
        let output = output.context("cannot start the copied slapd; TMPDIR must allow programs to run")?;
        if !output.status.success() {
            bail!("slapd does not take the entries: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}

impl SlapdOptions {
    pub(super) fn bind_dn(&self) -> String {
        format!("cn=admin,{}", self.suffix)
    }
}

fn tls_settings(certificates: &Certificates) -> String {
    let Certificates { authority, server, server_key } = certificates;
    format!(
        "olcTLSCACertificateFile: {}\nolcTLSCertificateFile: {}\nolcTLSCertificateKeyFile: {}",
        authority.display(),
        server.display(),
        server_key.display()
    )
}

fn suffix_entry(suffix: &str) -> Result<String> {
    let first = suffix.split(',').next().unwrap_or(suffix);
    let (name, value) =
        first.split_once('=').with_context(|| format!("{suffix} is no distinguished name"))?;
    let classes = match name {
        "dc" => "objectClass: dcObject\nobjectClass: organization\no: Test",
        "o" => "objectClass: organization",
        "ou" => "objectClass: organizationalUnit",
        _ => bail!("a suffix begins with dc=, o= or ou=, not with {name}="),
    };
    Ok(format!("dn: {suffix}\n{classes}\n{name}: {value}\n"))
}

fn shown(path: &Path) -> Result<String> {
    Ok(path.to_str().context("the path of the temporary directory is not UTF-8")?.to_owned())
}

/// Copies a folder to a place where there is none. The command leaves the holes in files that a database makes large.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().context("cannot start cp")?;
    ensure!(copied.success(), "{} could not be copied", from.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_entry_has_the_class_of_its_name() {
        assert!(suffix_entry("dc=a,dc=b").unwrap().contains("dcObject"));
        assert!(suffix_entry("o=a").unwrap().ends_with("objectClass: organization\no: a\n"));
        assert!(suffix_entry("cn=a").is_err() && suffix_entry("a").is_err());
    }
}
