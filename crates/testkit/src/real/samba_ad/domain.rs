//! The files of a domain: made once on a machine, copied for each controller, configured for its address.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::options::SambaAdOptions;
use crate::real::certificates::{Certificates, Validity};

pub(super) const REALM: &str = "MESH.TEST";
pub(super) const DOMAIN: &str = "MESH";
pub(super) const BASE: &str = "DC=mesh,DC=test";
pub(super) const PASSWORD: &str = "Passw0rd!adm";
/// Counts up when the domain is made differently.
const TEMPLATE_VERSION: u32 = 1;

/// Which controller it is, and what it does besides directory and Kerberos.
#[derive(Debug, Clone)]
pub(super) struct Role {
    /// Its name in the domain.
    pub(super) name: &'static str,
    /// Samba's words for its services.
    pub(super) services: &'static str,
    /// Whether its address is among its names as a service, so that Kerberos needs no name resolution.
    pub(super) is_named_by_address: bool,
    /// The folder that it begins as a copy of.
    pub(super) template: PathBuf,
}

impl Role {
    /// The only controller of its domain.
    pub(super) fn alone() -> Result<Self> {
        Ok(Self {
            name: "DC1",
            services: "ldap, cldap, kdc",
            is_named_by_address: true,
            template: template()?,
        })
    }
}

/// Where everything of one controller lies.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) role: Role,
    pub(super) folder: PathBuf,
    pub(super) certificates: Certificates,
}

impl Domain {
    /// A copy of the machine's domain in `folder`, for a controller at `address`.
    pub(super) fn create(folder: &Path, address: &str, options: &SambaAdOptions, role: Role) -> Result<Self> {
        let folder = folder.join("ad");
        copy(&role.template, &folder)?;
        let tls = folder.join("tls");
        fs::create_dir_all(&tls)?;
        let certificates = Certificates::create(
            &tls,
            &[&format!("{}.mesh.test", role.name), "mesh.test", address],
            Validity::Always,
        )?;
        // Samba does not use a key that others may read.
        fs::set_permissions(&certificates.server_key, fs::Permissions::from_mode(0o600))?;
        let domain = Self { role, folder, certificates };
        domain.configure(address, options)?;
        domain.prepare(address, &options.initial_ldif)?;
        Ok(domain)
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.folder.join("etc/smb.conf")
    }

    pub(super) fn krb5_configuration(&self) -> PathBuf {
        self.folder.join("krb5.conf")
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder.join("private/sam.ldb")
    }

    fn configure(&self, address: &str, options: &SambaAdOptions) -> Result<()> {
        for folder in ["run", "ncalrpc", "etc"] {
            fs::create_dir_all(self.folder.join(folder))?;
        }
        let folder = self.folder.display();
        let Certificates { authority, server, server_key } = &self.certificates;
        let strong = if options.strong_auth { "yes" } else { "no" };
        // The /8 is needed: with /32 Samba finds no network interfaces. Every directory lies below our own.
        let text = format!(
            "[global]\n\
             server role = active directory domain controller\n\
             realm = {REALM}\nworkgroup = {DOMAIN}\nnetbios name = {}\n\
             server services = {}\n\
             interfaces = {address}/8\nbind interfaces only = yes\ndisable netbios = yes\n\
             lock directory = {folder}\nprivate dir = {folder}/private\nstate directory = {folder}/state\n\
             cache directory = {folder}/cache\npid directory = {folder}/run\nncalrpc dir = {folder}/ncalrpc\n\
             binddns dir = {folder}/bind-dns\nntp signd socket directory = {folder}/ntp_signd\n\
             winbindd socket directory = {folder}/winbindd\n\
             logging = file\nlog file = {folder}/log.samba\nmax log size = 0\n\
             ldap server require strong auth = {strong}\n\
             tls enabled = yes\ntls certfile = {}\ntls keyfile = {}\ntls cafile = {}\n\
             prefork children = 1\nidmap_ldb:use rfc2307 = yes\n",
            self.role.name,
            self.role.services,
            server.display(),
            server_key.display(),
            authority.display(),
        );
        fs::write(self.configuration(), text).context("cannot write smb.conf")?;
        // Nothing is asked of any name service, and tickets go over TCP at once because they are large.
        let krb5 = format!(
            "[libdefaults]\n default_realm = {REALM}\n dns_lookup_realm = false\n dns_lookup_kdc = false\n \
             rdns = false\n dns_canonicalize_hostname = false\n udp_preference_limit = 1\n\
             [realms]\n {REALM} = {{\n  kdc = {address}:88\n  kpasswd_server = {address}:464\n }}\n\
             [domain_realm]\n .mesh.test = {REALM}\n mesh.test = {REALM}\n"
        );
        fs::write(self.krb5_configuration(), krb5).context("cannot write krb5.conf")
    }

    /// The address as a service name, where it is to be one, and the test's own entries.
    fn prepare(&self, address: &str, ldif: &str) -> Result<()> {
        let spn = format!(
            "dn: CN={},OU=Domain Controllers,{BASE}\nchangetype: modify\nadd: servicePrincipalName\n\
             servicePrincipalName: ldap/{address}\n",
            self.role.name,
        );
        if self.role.is_named_by_address {
            self.ldb("ldbmodify", &[], &spn)?;
        }
        if !ldif.is_empty() {
            // Without these two the time grows with the square of the number of entries.
            let fast = ["--nosync", "-o", "batch_mode:1", "-o", "transaction_index_cache_size:200000"];
            self.ldb("ldbadd", &fast, ldif)?;
        }
        Ok(())
    }

    fn ldb(&self, program: &str, options: &[&str], ldif: &str) -> Result<()> {
        let mut command = Command::new(program);
        command.args(options).arg(format!("--configfile={}", self.configuration().display()));
        command.arg("-H").arg(self.database());
        feed(&mut command, ldif)
    }
}

/// Copies a folder with everything that files carry besides their content.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status()?;
    if copied.success() { Ok(()) } else { bail!("{} could not be copied", from.display()) }
}

/// Runs a command that reads `input`.
pub(super) fn feed(command: &mut Command, input: &str) -> Result<()> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
    let mut pipe = child.stdin.take().context("the command has no input")?;
    let input = input.to_owned();
    // Output and input at the same time, or both sides wait for each other when much is said.
    let writer = std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    let _said = writer.join();
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    bail!("{:?} failed: {}", command.get_program(), String::from_utf8_lossy(&said).trim())
}

/// The machine's domain, made if there is none yet.
fn template() -> Result<PathBuf> {
    once("ad", "private/sam.ldb", provision)
}

/// A folder that is made once on a machine, and is whole when `proof` lies in it.
pub(super) fn once(name: &str, proof: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let template = std::env::temp_dir().join(format!("identitymesh-samba-{name}-{TEMPLATE_VERSION}"));
    if template.join(proof).is_file() {
        return Ok(template);
    }
    let made = tempfile::Builder::new().prefix("identitymesh-samba-").tempdir()?.keep();
    let outcome = make(&made.join("ad")).and_then(|()| {
        // Whoever is first wins; the others use that one.
        match fs::rename(made.join("ad"), &template) {
            Err(error) if !template.join(proof).is_file() => Err(error.into()),
            _ => Ok(()),
        }
    });
    let _removed = fs::remove_dir_all(&made);
    outcome.map(|()| template)
}

fn provision(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("etc"))?;
    // An empty file, so that the machine's own configuration plays no part.
    let empty = folder.join("etc/smb.conf");
    fs::write(&empty, "")?;
    let configuration = format!("--configfile={}", empty.display());
    let mut arguments: Vec<String> = [
        "domain",
        "provision",
        "--server-role=dc",
        "--dns-backend=SAMBA_INTERNAL",
        "--host-name=dc1",
        "--host-ip=127.89.0.1",
        "--host-ip6=::1",
        "--use-rfc2307",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.extend([
        configuration.clone(),
        format!("--targetdir={}", folder.display()),
        format!("--realm={REALM}"),
        format!("--domain={DOMAIN}"),
        format!("--adminpass={PASSWORD}"),
    ]);
    arguments.extend(file_options(folder));
    run("samba-tool", &arguments)?;
    let policy = [
        "domain",
        "passwordsettings",
        "set",
        "--complexity=off",
        "--min-pwd-age=0",
        "--max-pwd-age=0",
        "--min-pwd-length=4",
        "--history-length=0",
        &configuration,
        "-H",
    ];
    let mut policy: Vec<String> = policy.map(str::to_owned).to_vec();
    policy.push(folder.join("private/sam.ldb").display().to_string());
    run("samba-tool", &policy)
}

/// What it takes where, as in containers, the attributes in which file permissions of Windows are kept may not be written.
pub(super) fn file_options(folder: &Path) -> Vec<String> {
    if keeps_attributes(folder) {
        return Vec::new();
    }
    let table = format!("--option=xattr_tdb:file={}/xattr.tdb", folder.display());
    vec!["--option=vfs objects=dfs_samba4 acl_xattr xattr_tdb".to_owned(), table]
}

fn keeps_attributes(folder: &Path) -> bool {
    let probe = folder.join("probe");
    let script =
        "import os,sys\nopen(sys.argv[1],'w').close()\nos.setxattr(sys.argv[1],'security.NTACL',b'x')";
    let tried = Command::new("python3").args(["-c", script]).arg(&probe).output();
    let _removed = fs::remove_file(&probe);
    tried.is_ok_and(|output| output.status.success())
}

pub(super) fn run(program: &str, arguments: &[String]) -> Result<()> {
    let output =
        Command::new(program).args(arguments).output().with_context(|| format!("cannot start {program}"))?;
    if output.status.success() {
        return Ok(());
    }
    bail!("{program} {} failed: {}", arguments[0], String::from_utf8_lossy(&output.stderr).trim())
}
