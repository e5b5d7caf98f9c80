//! The directory that a demo may fill.

use crate::arguments::DemoArguments;
use crate::commands::directory::Directory;
use crate::open::Opened;

/// The environment variable that holds the password where nobody can be asked.
const PASSWORD_VARIABLE: &str = "IDENTITYMESH_DEMO_LDAP_PASSWORD";
/// The secret's name.
const SECRET: &str = "demo/ldap";

/// The directory of the arguments, if they name one.
pub(super) fn named(arguments: &DemoArguments) -> anyhow::Result<Option<Directory>> {
    match (&arguments.ldap, &arguments.ldap_bind, &arguments.ldap_base) {
        (Some(url), Some(bind), Some(base)) => {
            Directory::new(url, bind, base, arguments.ldap_ca.as_deref()).map(Some)
        }
        _ => Ok(None),
    }
}

/// Keeps the directory's password, from the environment or a prompt; once is enough.
pub(super) fn keep_password(directory: &Directory, opened: &Opened) -> anyhow::Result<()> {
    directory.keep_password(opened, SECRET, PASSWORD_VARIABLE, "the demo's directory")
}
