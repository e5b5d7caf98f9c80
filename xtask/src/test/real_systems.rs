//! The real systems that tests run against: found, installed, or named with the command that installs them.
//!
//! Only packages of Debian and Ubuntu are known. Without the right to install nothing is attempted; the same
//! commands are printed for somebody who has it. `--quick` never installs and says what will be skipped.

use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::process::{is_installed, output, succeeds, succeeds_quietly};

const INSTALL_SCRIPT: &str = include_str!("install.sh");

/// Programs that tests start, and the packages that hold them.
const NEEDED: &[Program] = &[
    Program { name: "slapd", package: "slapd", purpose: "the OpenLDAP server" },
    Program { name: "ldapsearch", package: "ldap-utils", purpose: "reads back what was exported" },
    Program { name: "ns-slapd", package: "389-ds-base", purpose: "the 389 Directory Server" },
    Program { name: "certutil", package: "libnss3-tools", purpose: "keeps that server's certificates" },
    Program { name: "openssl", package: "openssl", purpose: "bundles that server's certificates" },
    Program {
        name: "samba",
        package: "samba samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba winbind",
        purpose: "an Active Directory domain controller (its tests need root)",
    },
    Program {
        name: "kinit",
        package: "krb5-user",
        purpose: "fetches the tickets that Kerberos signs in with",
    },
    Program { name: "age", package: "age", purpose: "opens sealed files as their recipients do" },
    Program { name: "ldbadd", package: "ldb-tools", purpose: "fills the domain controller before it starts" },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Program {
    name: &'static str,
    /// One or several, separated by blanks.
    package: &'static str,
    purpose: &'static str,
}

/// How this user may install packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Privilege {
    Root,
    Sudo,
    None,
}

/// Makes sure that the real systems are there; true when every one is.
pub(crate) fn set_up(quick: bool) -> Result<bool> {
    let missing: Vec<Program> =
        NEEDED.iter().copied().filter(|program| !is_installed(program.name)).collect();
    if missing.is_empty() {
        return Ok(true);
    }
    if quick {
        eprintln!("SKIPPED: tests against real systems, because these are missing:\n{}", explained(&missing));
        return Ok(false);
    }
    install(&missing)?;
    Ok(true)
}

fn install(missing: &[Program]) -> Result<()> {
    let privilege = privilege();
    if privilege == Privilege::None || !is_installed("apt-get") {
        bail!("tests need programs that are missing here:\n{}", explained(missing));
    }
    eprintln!("installing what the tests need:\n{}", explained(missing));
    ensure!(succeeds(&mut installer(privilege, missing))?, "the packages could not be installed; see above");
    let still_missing: Vec<Program> =
        missing.iter().copied().filter(|program| !is_installed(program.name)).collect();
    ensure!(still_missing.is_empty(), "installed, and still not found:\n{}", explained(&still_missing));
    Ok(())
}

fn installer(privilege: Privilege, missing: &[Program]) -> Command {
    let mut command = match privilege {
        Privilege::Sudo => Command::new("sudo"),
        Privilege::Root | Privilege::None => Command::new("sh"),
    };
    if privilege == Privilege::Sudo {
        command.args(["-n", "sh"]);
    }
    command.args(["-c", INSTALL_SCRIPT, "install"]);
    command.args(missing.iter().flat_map(|program| program.package.split(' ')));
    command
}

fn privilege() -> Privilege {
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if is_root {
        Privilege::Root
    } else if succeeds_quietly(Command::new("sudo").args(["-n", "true"])) {
        Privilege::Sudo
    } else {
        Privilege::None
    }
}

/// What is missing and why, and the command that installs it.
fn explained(missing: &[Program]) -> String {
    let lines = missing.iter().map(|program| format!("  {}: {}\n", program.name, program.purpose));
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    let lines: String = lines.collect();
    format!(
        "{lines}install them as root on Debian or Ubuntu, then start again:\n  \
         apt-get update && apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_explained_with_the_command() {
        let text = explained(NEEDED);
        assert!(text.contains("slapd: the OpenLDAP server"), "{text}");
        assert!(text.contains("install -y --no-install-recommends slapd ldap-utils"), "{text}");
    }

    #[test]
    fn packages_reach_the_script_as_arguments() {
        let words = |command: Command| -> Vec<String> {
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            words.map(|word| word.to_string_lossy().into_owned()).collect()
        };
        let direct = words(installer(Privilege::Root, &NEEDED[..1]));
        assert_eq!(direct, ["sh", "-c", INSTALL_SCRIPT, "install", "slapd"]);
        let through_sudo = words(installer(Privilege::Sudo, &NEEDED[..1]));
        assert_eq!(through_sudo, ["sudo", "-n", "sh", "-c", INSTALL_SCRIPT, "install", "slapd"]);
    }

    #[test]
    fn the_script_stops_at_the_first_failure_and_starts_no_daemon() {
        assert!(INSTALL_SCRIPT.contains("set -eu") && INSTALL_SCRIPT.contains("exit 101"));
        assert!(succeeds(Command::new("sh").args(["-n", "-c", INSTALL_SCRIPT])).unwrap());
    }
}
