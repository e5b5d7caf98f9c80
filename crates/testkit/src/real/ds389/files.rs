//! The folder of a server: configuration from the distribution's templates, certificates, data.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::options::Ds389Options;
use crate::real::certificates::{Certificates, Validity};
use crate::temp::{self, TempDir};

const TEMPLATES: &str = "/usr/share/dirsrv/data";
const SETTINGS: &str = "/etc/dirsrv/config";
const SCHEMA: &str = "/etc/dirsrv/schema";
/// The name by which the configuration template knows the server's certificate.
const CERTIFICATE: &str = "Server-Cert";
const BACKEND: &str = "userRoot";

/// Everything that stays over a restart; vanishes when dropped.
#[derive(Debug)]
pub(super) struct Files {
    folder: TempDir,
    pub(super) certificates: Certificates,
}

impl Files {
    /// Writes everything but the ports, and loads the first entries.
    pub(super) fn create(options: &Ds389Options) -> Result<Self> {
        let folder = temp::directory();
        let certificates = Certificates::create(folder.path(), &[], Validity::Always)?;
        let files = Self { folder, certificates };
        for name in ["conf", "conf/schema", "log", "run", "lock", "tmp", "ldif", "bak", "db", "home", "inst"]
        {
            fs::create_dir(files.path(name)).with_context(|| format!("cannot create the folder {name}"))?;
        }
        for (from, name, to) in [
            (SETTINGS, "slapd-collations.conf", "conf"),
            (SETTINGS, "certmap.conf", "conf"),
            (SCHEMA, "99user.ldif", "conf/schema"),
        ] {
            fs::copy(Path::new(from).join(name), files.path(to).join(name))
                .with_context(|| format!("cannot copy {from}/{name}"))?;
        }
        files.store_certificates()?;
        // Loading needs ports that could be; nobody listens on them yet.
        files.write_configuration(options, (389, 636))?;
        files.load(options)?;
        Ok(files)
    }

    pub(super) fn configuration_folder(&self) -> PathBuf {
        self.path("conf")
    }

    pub(super) fn pid_file(&self) -> PathBuf {
        self.path("run/pid")
    }

    /// What the server says on its streams.
    pub(super) fn log(&self) -> PathBuf {
        self.path("output")
    }

    /// What the server writes into its own log.
    pub(super) fn error_log(&self) -> String {
        fs::read_to_string(self.path("log/errors")).unwrap_or_default()
    }

    /// The process that the server says it is.
    pub(super) fn announced_pid(&self) -> Option<u32> {
        fs::read_to_string(self.pid_file()).ok()?.trim().parse().ok()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration for these ports (plain, TLS); only before the first start, the server changes it.
    pub(super) fn write_configuration(&self, options: &Ds389Options, ports: (u16, u16)) -> Result<()> {
        let text = configuration(options, self.folder.path(), ports)?;
        fs::write(self.path("conf/dse.ldif"), text).context("cannot write the configuration")
    }

    /// The server reads its certificate from a database of its own kind.
    fn store_certificates(&self) -> Result<()> {
        let Certificates { authority, server, server_key } = &self.certificates;
        let (database, bundle) = (self.path("conf"), self.path("bundle.p12"));
        let mut export = Command::new("openssl");
        export.args(["pkcs12", "-export", "-passout", "pass:x", "-name", CERTIFICATE]);
        export.arg("-in").arg(server).arg("-inkey").arg(server_key).arg("-out").arg(&bundle);
        let mut create = Command::new("certutil");
        create.args(["-N", "--empty-password", "-d"]).arg(&database);
        let mut trust = Command::new("certutil");
        trust
            .args(["-A", "-n", "authority", "-t", "CT,,", "-a", "-i"])
            .arg(authority)
            .arg("-d")
            .arg(&database);
        let mut import = Command::new("pk12util");
        import.args(["-W", "x", "-K", "", "-i"]).arg(&bundle).arg("-d").arg(&database);
        [export, create, trust, import].iter_mut().try_for_each(run)
    }

    fn load(&self, options: &Ds389Options) -> Result<()> {
        let source = self.path("load.ldif");
        let first = options.suffix.split(',').next().and_then(|rdn| rdn.strip_prefix("dc="));
        let first = first.with_context(|| format!("{} does not begin with dc=", options.suffix))?;
        let suffix = format!("dn: {}\nobjectClass: domain\ndc: {first}\n\n", options.suffix);
        fs::write(&source, format!("{suffix}{}", options.initial_ldif))
            .context("cannot write the entries to load")?;
        let mut tool = Command::new("ns-slapd");
        tool.arg("ldif2db")
            .arg("-D")
            .arg(self.configuration_folder())
            .args(["-n", BACKEND, "-i"])
            .arg(&source);
        run(&mut tool)?;
        // Entries that it does not take are only mentioned.
        let skipped: Vec<String> = self
            .error_log()
            .lines()
            .filter(|line| line.contains("WARN") && line.contains("kipping"))
            .map(str::to_owned)
            .collect();
        ensure!(skipped.is_empty(), "the server does not take all entries: {}", skipped.join("\n"));
        Ok(())
    }
}

/// The distribution's templates, filled in for one folder.
fn configuration(options: &Ds389Options, folder: &Path, (port, tls_port): (u16, u16)) -> Result<String> {
    let Ds389Options { suffix, password, .. } = options;
    ensure!(
        !format!("{suffix}{password}").contains(['\n', '%']),
        "a suffix or password has one line and no %"
    );
    let folder = folder.to_str().context("the path of the temporary directory is not UTF-8")?;
    let at = |name: &str| format!("{folder}/{name}");
    let user = Command::new("id").arg("-un").output().context("cannot ask who this is")?;
    let user = String::from_utf8(user.stdout).context("this user has a strange name")?.trim().to_owned();
    let mut text = String::new();
    for name in ["template-dse.ldif", "template-suffix-db.ldif"] {
        let path = Path::new(TEMPLATES).join(name);
        let template =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let lines = template.trim().lines().filter(|line| !line.starts_with('#'));
        text += &lines.collect::<Vec<_>>().join("\n");
        // The server takes one empty line between entries, and no more.
        text += "\n\n";
    }
    for (place, value) in [
        ("schema_dir", at("conf/schema")),
        ("lock_dir", at("lock")),
        ("tmp_dir", at("tmp")),
        ("cert_dir", at("conf")),
        ("config_dir", at("conf")),
        ("ldif_dir", at("ldif")),
        ("bak_dir", at("bak")),
        ("run_dir", at("run")),
        ("inst_dir", at("inst")),
        ("log_dir", at("log")),
        ("db_dir", at("db")),
        ("db_home_dir", at("home")),
        ("db_lib", "bdb".to_owned()),
        ("fqdn", "localhost".to_owned()),
        ("ds_port", port.to_string()),
        ("ds_user", user),
        ("rootdn", super::server::MANAGER.to_owned()),
        // The scheme is named, because the server takes a bare password for one that is hashed already.
        ("ds_passwd", format!("{{CLEAR}}{password}")),
        ("ldapi_enabled", "off".to_owned()),
        ("ldapi_autobind", "off".to_owned()),
        ("ldapi", at("run/ldapi")),
        ("ds_suffix", suffix.clone()),
        ("ds_bename", BACKEND.to_owned()),
    ] {
        text = text.replace(&format!("%{place}%"), &value);
    }
    let listen = format!(
        "nsslapd-port: {port}\nnsslapd-listenhost: 127.0.0.1\nnsslapd-securelistenhost: 127.0.0.1\n\
         nsslapd-security: on\nnsslapd-secureport: {tls_port}\n"
    );
    text = text.replace(&format!("nsslapd-port: {port}\n"), &listen);
    if options.changelog {
        text = with_plugin_on(
            &text,
            "Retro Changelog Plugin",
            "nsslapd-attribute: nsuniqueid:targetUniqueId\n",
        )?;
    }
    if options.refint {
        text = with_plugin_on(&text, "referential integrity postoperation", "")?;
    }
    if options.member_of {
        text = with_plugin_on(&text, "MemberOf Plugin", "")?;
    }
    Ok(text)
}

/// Switches a plugin on that the template has switched off.
fn with_plugin_on(text: &str, name: &str, settings: &str) -> Result<String> {
    const OFF: &str = "nsslapd-pluginenabled: off\n";
    let start =
        text.find(&format!("dn: cn={name},")).with_context(|| format!("no {name} in the template"))?;
    let (before, rest) = text.split_at(start);
    let at = rest.find(OFF).with_context(|| format!("{name} is not off in the template"))?;
    if rest[..at].contains("\n\n") {
        bail!("{name} is not off in the template");
    }
    Ok(format!("{before}{}nsslapd-pluginenabled: on\n{settings}{}", &rest[..at], &rest[at + OFF.len()..]))
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = command.env("PATH", path).output().with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!("{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_plugin_is_switched_on() {
        let text =
            "dn: cn=A,cn=p\nnsslapd-pluginenabled: off\n\ndn: cn=B,cn=p\nnsslapd-pluginenabled: off\nx: y\n";
        let on = with_plugin_on(text, "B", "z: 1\n").unwrap();
        assert!(on.starts_with("dn: cn=A,cn=p\nnsslapd-pluginenabled: off\n"), "{on}");
        assert!(on.ends_with("nsslapd-pluginenabled: on\nz: 1\nx: y\n"), "{on}");
        assert!(with_plugin_on(text, "C", "").is_err());
        assert!(with_plugin_on("dn: cn=A,cn=p\n\nnsslapd-pluginenabled: off\n", "A", "").is_err());
    }
}
