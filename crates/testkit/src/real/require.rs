//! Whether a real system that a test needs is there, and what happens when it is not.
//!
//! Skipping is loud and can be forbidden, so that a run which claims to be complete cannot pass because
//! somebody's machine lacks a program.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// Set to `required`, it turns a skipped test into a failed one.
const POLICY_VARIABLE: &str = "IDENTITYMESH_REAL_SYSTEMS";

/// A system that tests start, with the programs that it takes and the packages that hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct System {
    /// Its name as people say it.
    pub name: &'static str,
    /// Programs that must be installed, all of them.
    pub programs: &'static [&'static str],
    /// Packages of Debian and Ubuntu that hold the programs.
    pub packages: &'static str,
}

/// True when the system is installed; otherwise the test is to return at once, and stderr says why.
///
/// # Panics
/// When the system is missing and the environment variable `IDENTITYMESH_REAL_SYSTEMS` is `required`.
#[must_use = "a test must end when its system is missing"]
pub fn require(system: &System) -> bool {
    judge(absence(system, |program| find_program(program).is_some()))
}

/// Like [`require`], for a system that cannot run without root's rights.
///
/// # Panics
/// As [`require`], and when the user is not root where the system is required.
#[must_use = "a test must end when its system is missing"]
pub fn require_as_root(system: &System) -> bool {
    let absence = absence(system, |program| find_program(program).is_some());
    judge(absence.or_else(|| {
        let id = Command::new("id").arg("-u").output().map(|output| output.stdout).unwrap_or_default();
        (id.trim_ascii() != b"0").then(|| format!("{} is needed and only root can start it", system.name))
    }))
}

fn judge(absence: Option<String>) -> bool {
    let policy = env::var(POLICY_VARIABLE).unwrap_or_default();
    match absence {
        None => true,
        Some(absence) => {
            assert!(policy != "required", "{absence}");
            // The print macros would be captured by the test runner, and a skipped test is to be seen.
            let _unseen = writeln!(std::io::stderr(), "SKIPPED: {absence}");
            false
        }
    }
}

/// Where the program is installed; daemons are found although ordinary users do not have them on their path.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let daemons = ["/usr/sbin", "/sbin", "/usr/libexec"].map(PathBuf::from);
    env::split_paths(&path).chain(daemons).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn absence(system: &System, is_installed: impl Fn(&str) -> bool) -> Option<String> {
    let missing = system.programs.iter().copied().filter(|program| !is_installed(program));
    let missing = missing.collect::<Vec<_>>().join(", ");
    let System { name, packages, .. } = system;
    (!missing.is_empty()).then(|| {
        format!("{name} is needed and {missing} is missing; install it with: apt-get install -y {packages}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: System =
        System { name: "a directory", programs: &["serverd", "reader"], packages: "dir-server dir-utils" };

    #[test]
    fn a_system_is_there_when_all_its_programs_are() {
        assert_eq!(absence(&SYSTEM, |_| true), None);
        let absence = absence(&SYSTEM, |program| program == "serverd").unwrap();
        assert!(
            absence.contains("reader is missing") && absence.ends_with("dir-server dir-utils"),
            "{absence}"
        );
    }

    #[test]
    fn programs_are_found_by_name() {
        assert!(find_program("sh").is_some());
        assert_eq!(find_program("no-such-program-anywhere"), None);
    }
}
