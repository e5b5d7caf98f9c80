//! Two controllers of one domain, which learn from each other only when a test says so.
//!
//! Joining the second takes longer than most tests, so the pair is made once on a machine and copied. Neither looks for
//! the other by itself: a change is at one of them until it is pulled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::domain::{self, BASE, DOMAIN, PASSWORD, REALM, Role, copy, file_options, once};
use super::options::SambaAdOptions;
use super::server::{SambaAd, is_there};

/// What a controller that others learn from does.
const SERVICES: &str = "ldap, cldap, kdc, rpc";

impl SambaAd {
    /// Starts two controllers that hold the same; `None` as for [`SambaAd::start`].
    ///
    /// # Panics
    /// As [`SambaAd::start`].
    #[must_use = "the controllers end when the values are dropped"]
    pub fn start_pair(options: &SambaAdOptions) -> Option<(Self, Self)> {
        if !is_there() {
            return None;
        }
        match try_start(options) {
            Ok(pair) => Some(pair),
            Err(error) => panic!("no two domain controllers for this test: {error:#}"),
        }
    }

    /// Takes over what the other controller has and this one has not.
    ///
    /// # Errors
    /// With what Samba says when it fails.
    pub fn pull_from(&self, other: &Self) -> Result<()> {
        let domain = self.domain();
        let mut command = Command::new("samba-tool");
        command.args(["drs", "replicate", "--local", domain.role.name, &other.address, BASE]);
        command.arg(format!("--configfile={}", domain.configuration().display())).args(credentials());
        let output = command.env("KRB5_CONFIG", domain.krb5_configuration()).output()?;
        if output.status.success() {
            return Ok(());
        }
        bail!("{} takes nothing over: {}", domain.role.name, String::from_utf8_lossy(&output.stderr).trim())
    }
}

fn try_start(options: &SambaAdOptions) -> Result<(SambaAd, SambaAd)> {
    let template = template()?;
    let role = |name, folder| Role {
        name,
        services: SERVICES,
        is_named_by_address: false,
        template: template.join(folder),
    };
    let first = SambaAd::try_start(options, role("DC1", "one"))?;
    let second = SambaAd::try_start(&SambaAdOptions::default(), role("DC2", "two"))?;
    second.pull_from(&first)?;
    Ok((first, second))
}

fn credentials() -> [String; 3] {
    [
        format!("--user={DOMAIN}\\administrator"),
        format!("--password={PASSWORD}"),
        "--use-kerberos=off".to_owned(),
    ]
}

fn template() -> Result<PathBuf> {
    once("pair", "two/private/sam.ldb", |folder| {
        let role = Role { services: SERVICES, is_named_by_address: false, ..Role::alone()? };
        let mut first = SambaAd::try_start(&SambaAdOptions::default(), role)?;
        join(&first, &folder.join("two"))?;
        first.stop();
        copy(&first.domain().folder, &folder.join("one"))
    })
}

fn join(first: &SambaAd, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("etc")).context("cannot make the second controller's folder")?;
    // An empty file, so that the machine's own configuration plays no part.
    let empty = folder.join("etc/smb.conf");
    fs::write(&empty, "")?;
    let mut arguments = vec!["domain".to_owned(), "join".to_owned(), REALM.to_lowercase(), "DC".to_owned()];
    arguments.extend(credentials());
    arguments.extend([
        format!("--server={}", first.address),
        format!("--realm={REALM}"),
        format!("--configfile={}", empty.display()),
        format!("--targetdir={}", folder.display()),
        "--dns-backend=NONE".to_owned(),
        format!("--option=workgroup={DOMAIN}"),
        "--option=netbios name=DC2".to_owned(),
        format!("--option=interfaces={}/8", first.address),
        "--option=bind interfaces only=yes".to_owned(),
    ]);
    arguments.extend(file_options(folder));
    domain::run("samba-tool", &arguments)
}
