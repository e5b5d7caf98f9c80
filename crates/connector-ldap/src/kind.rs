//! The kinds `ldap` and `active-directory`: one connector, with other settings to begin with.

use std::sync::Arc;

use async_trait::async_trait;
use identitymesh_connector::{
    Class, ConnectorError, ConnectorKind, Context, Descriptor, Problem, Session, Settings,
};

use crate::error;
use crate::session::LdapSession;
use crate::settings::{self, Config, Family};
use crate::transport::Servers;

/// LDAP directories, as the contract sees them.
#[derive(Debug)]
pub struct Ldap {
    family: Family,
    descriptor: Descriptor,
}

impl Ldap {
    /// The kind `ldap`, which finds out what it talks to.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Family::Any)
    }

    /// The kind `active-directory`, whose settings need less saying and which accepts nothing else.
    #[must_use]
    pub fn active_directory() -> Self {
        Self::of(Family::ActiveDirectory)
    }

    fn of(family: Family) -> Self {
        Self { family, descriptor: settings::descriptor(family) }
    }
}

impl Default for Ldap {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl ConnectorKind for Ldap {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn validate(&self, settings: &Settings) -> Vec<Problem> {
        Config::read(settings, self.family).err().unwrap_or_default()
    }

    fn warnings(&self, settings: &Settings) -> Vec<String> {
        Config::read(settings, self.family).map(|config| config.warnings()).unwrap_or_default()
    }

    async fn connect(
        &self,
        settings: &Settings,
        context: &Context,
    ) -> Result<Box<dyn Session>, ConnectorError> {
        let mut config = Config::read(settings, self.family).map_err(|problems| unusable(&problems))?;
        config.request_timeout = config.request_timeout.min(context.request_timeout);
        let config = Arc::new(config);
        let servers = Arc::new(Servers::new(Arc::clone(&config))?);
        Ok(Box::new(LdapSession::open(servers, config, context.clone()).await?))
    }
}

/// Settings can turn out wrong only now, for instance when a secret resolves to nothing.
fn unusable(problems: &[Problem]) -> ConnectorError {
    let said: Vec<String> =
        problems.iter().map(|problem| format!("{} {}", problem.path, problem.message)).collect();
    ConnectorError::new(error::SETTINGS, Class::Configuration, said.join("; "))
        .advice("run `identitymesh plan DIR` with your configuration directory, and check the secrets that the settings name")
}
