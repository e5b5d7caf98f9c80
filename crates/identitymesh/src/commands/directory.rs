//! A directory that is named on the command line, for commands that make rules over it.

use std::path::{Path, PathBuf};

use identitymesh_secrets::{SecretChange, SecretString};

use crate::open::Opened;

/// A directory as named on the command line.
pub(super) struct Directory {
    url: String,
    bind: String,
    base: String,
    ca: Option<PathBuf>,
}

impl Directory {
    /// The directory at `url`, below `base`, signed in to as `bind`; with an authority `ca` TLS is used.
    pub(super) fn new(url: &str, bind: &str, base: &str, ca: Option<&Path>) -> anyhow::Result<Self> {
        let ca = ca.map(std::path::absolute).transpose()?;
        Ok(Self { url: url.to_owned(), bind: bind.to_owned(), base: base.to_owned(), ca })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    /// Whether an unencrypted connection is turned into TLS.
    pub(super) fn starts_tls(&self) -> bool {
        self.url.starts_with("ldap://") && self.ca.is_some()
    }

    /// A template of rules with this directory in its places.
    pub(super) fn fill(&self, template: &str) -> String {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut tls = Vec::new();
        if let Some(ca) = &self.ca {
            tls.push(format!("ca_file = \"{}\"", quoted(&ca.to_string_lossy())));
        }
        if self.starts_tls() {
            tls.push("starttls = true".to_owned());
        }
        template
            .replace("{URL}", &quoted(&self.url))
            .replace("{BASE}", &quoted(&self.base))
            .replace("{BIND}", &quoted(&self.bind))
            .replace("{TLS}", &tls.join("\n"))
    }

    /// Keeps the password as the secret `name`, from the environment's `variable` or a prompt; once is enough.
    pub(super) fn keep_password(
        &self,
        opened: &Opened,
        name: &str,
        variable: &str,
        description: &str,
    ) -> anyhow::Result<()> {
        let known = opened.secrets.list()?.iter().any(|info| info.name.as_str() == name);
        let given = std::env::var(variable).ok().filter(|text| !text.is_empty());
        let password = match (given, known) {
            (Some(given), _) => given,
            (None, true) => return Ok(()),
            (None, false) => rpassword::prompt_password(format!("password of {} (not shown): ", self.bind))?,
        };
        let change = SecretChange { actor: &opened.mesh.actor, at: opened.mesh.clock.now().to_jiff() };
        opened.secrets.set(name, &SecretString::from(password), description, change)?;
        Ok(())
    }
}
