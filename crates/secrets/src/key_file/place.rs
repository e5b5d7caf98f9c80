//! Where the key file lies, and where it must not.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::SecretError;

/// The environment variable that names the key file.
pub const KEY_FILE_VARIABLE: &str = "IDENTITYMESH_KEY_FILE";
/// Where Linux keeps the machine id.
pub const MACHINE_ID_PATH: &str = "/etc/machine-id";

const ROOT_KEY_FILE: &str = "/etc/identitymesh/protector.key";
const USER_KEY_FILE: &str = "identitymesh/protector.key";

/// The key file's place: what [`KEY_FILE_VARIABLE`] says, else below `/etc` for root, else in the user's configuration.
/// `variable` looks up an environment variable.
///
/// # Errors
/// [`SecretError::NoKeyFilePlace`] when the environment names no home.
pub fn default_key_file_path(
    variable: impl Fn(&str) -> Option<OsString>,
    is_root: bool,
) -> Result<PathBuf, SecretError> {
    if let Some(path) = variable(KEY_FILE_VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    if is_root {
        return Ok(PathBuf::from(ROOT_KEY_FILE));
    }
    // A relative XDG_CONFIG_HOME is invalid by its specification and must be passed over.
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let configuration = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    configuration.map(|directory| directory.join(USER_KEY_FILE)).ok_or(SecretError::NoKeyFilePlace)
}

/// Whether the process has root's rights.
pub fn is_running_as_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// `path` with links followed as far as it exists, so that two paths can be compared.
pub(super) fn resolved(path: &Path) -> Result<PathBuf, SecretError> {
    let failed = |source| SecretError::File { action: "resolve", path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(failed)?;
    let mut missing = Vec::new();
    let mut existing = absolute.as_path();
    loop {
        match existing.canonicalize() {
            Ok(found) => return Ok(missing.into_iter().rev().fold(found, |path, name| path.join(name))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let (Some(parent), Some(name)) = (existing.parent(), existing.file_name()) else {
            return Err(failed(std::io::ErrorKind::NotFound.into()));
        };
        missing.push(name);
        existing = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_places() {
        for (environment, is_root, expected) in [
            (&[("IDENTITYMESH_KEY_FILE", "/k"), ("HOME", "/home/a")][..], true, Some("/k")),
            (
                &[("IDENTITYMESH_KEY_FILE", ""), ("HOME", "/home/a")],
                true,
                Some("/etc/identitymesh/protector.key"),
            ),
            (&[("HOME", "/home/a")], false, Some("/home/a/.config/identitymesh/protector.key")),
            (&[("HOME", "/home/a"), ("XDG_CONFIG_HOME", "/x")], false, Some("/x/identitymesh/protector.key")),
            (
                &[("HOME", "/h"), ("XDG_CONFIG_HOME", "x")],
                false,
                Some("/h/.config/identitymesh/protector.key"),
            ),
            (&[("HOME", "h")], false, None),
            (&[], false, None),
        ] {
            let variable = |name: &str| {
                environment.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
            };
            match (default_key_file_path(variable, is_root), expected) {
                (Ok(path), Some(expected)) => assert_eq!(path, Path::new(expected)),
                (Err(error), None) => assert_eq!(error.code(), "SEC-013"),
                (other, _) => panic!("{environment:?}: {other:?}"),
            }
        }
    }
}
