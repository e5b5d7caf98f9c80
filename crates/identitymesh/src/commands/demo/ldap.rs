//! The directory that a demo may fill.

use std::path::PathBuf;

use identitymesh_secrets::{SecretChange, SecretString};

use crate::arguments::DemoArguments;
use crate::open::Opened;

/// The environment variable that holds the password where nobody can be asked.
const PASSWORD_VARIABLE: &str = "IDENTITYMESH_DEMO_LDAP_PASSWORD";
/// The secret's name.
const SECRET: &str = "demo/ldap";

/// A directory as named on the command line.
pub(super) struct Directory {
    url: String,
    bind: String,
    base: String,
    ca: Option<PathBuf>,
}

impl Directory {
    pub(super) fn of(arguments: &DemoArguments) -> anyhow::Result<Option<Self>> {
        let (Some(url), Some(bind), Some(base)) =
            (&arguments.ldap, &arguments.ldap_bind, &arguments.ldap_base)
        else {
            return Ok(None);
        };
        let ca = arguments.ldap_ca.as_deref().map(std::path::absolute).transpose()?;
        Ok(Some(Self { url: url.clone(), bind: bind.clone(), base: base.clone(), ca }))
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A template of rules with this directory in its places.
    pub(super) fn fill(&self, template: &str) -> String {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let starts_tls = self.url.starts_with("ldap://") && self.ca.is_some();
        let mut tls = Vec::new();
        if let Some(ca) = &self.ca {
            tls.push(format!("ca_file = \"{}\"", quoted(&ca.to_string_lossy())));
        }
        if starts_tls {
            tls.push("starttls = true".to_owned());
        }
        template
            .replace("{URL}", &quoted(&self.url))
            .replace("{BASE}", &quoted(&self.base))
            .replace("{BIND}", &quoted(&self.bind))
            .replace("{TLS}", &tls.join("\n"))
    }

    /// Keeps the password as a secret, from the environment or a prompt; once is enough.
    pub(super) fn keep_password(&self, opened: &Opened) -> anyhow::Result<()> {
        let known = opened.secrets.list()?.iter().any(|info| info.name.as_str() == SECRET);
        let given = std::env::var(PASSWORD_VARIABLE).ok().filter(|text| !text.is_empty());
        let password = match (given, known) {
            (Some(given), _) => given,
            (None, true) => return Ok(()),
            (None, false) => rpassword::prompt_password(format!("password of {} (not shown): ", self.bind))?,
        };
        let change = SecretChange { actor: &opened.mesh.actor, at: opened.mesh.clock.now().to_jiff() };
        opened.secrets.set(SECRET, &SecretString::from(password), "the demo's directory", change)?;
        Ok(())
    }
}
