//! Reaching a server: the addresses in order, encryption, signing in.
//!
//! Only trouble that may be one server's alone leads to the next address. A refused password ends the search, or
//! each attempt would count towards locking the account.

use std::sync::Arc;

use async_trait::async_trait;
use identitymesh_connector::{Class, ConnectorError};
use ldap3::{LdapConnAsync, LdapConnSettings, LdapError, StdStream};
use rustls::ClientConfig;
use tokio::net::TcpStream;

use super::ldap::Connection;
use super::requests::{Answer, Transport};
use super::tls;
use crate::error;
use crate::result;
use crate::settings::{Config, Server};

/// Makes connections, the first and every later one.
#[async_trait]
pub(crate) trait Dial: Send + Sync {
    /// A new connection, signed in.
    async fn dial(&self) -> Result<Arc<dyn Transport>, ConnectorError>;
}

/// The configured servers.
pub(crate) struct Servers {
    config: Arc<Config>,
    tls: Arc<ClientConfig>,
}

impl Servers {
    /// Reads the authorities to trust.
    pub(crate) fn new(config: Arc<Config>) -> Result<Self, ConnectorError> {
        let tls = tls::client_config(&config)?;
        Ok(Self { config, tls })
    }

    async fn reach(&self, server: &Server) -> Result<Connection, ConnectorError> {
        let address = address(server);
        let unreachable = |why: &str| {
            ConnectorError::new(
                error::UNREACHABLE,
                Class::Transient,
                format!("{address} cannot be reached: {why}"),
            )
            .advice("check the address and port, that the server runs, and that no firewall stands between")
        };
        let open = async {
            let socket = TcpStream::connect(&address)
                .await
                .map_err(|source| unreachable("no connection").caused_by(source))?;
            // Small requests in a row must not wait for each other's acknowledgement.
            socket.set_nodelay(true).map_err(|source| unreachable("no connection").caused_by(source))?;
            let socket =
                socket.into_std().map_err(|source| unreachable("no connection").caused_by(source))?;
            let settings = LdapConnSettings::new()
                .set_std_stream(StdStream::Tcp(socket))
                .set_starttls(self.config.starttls && !server.is_ldaps())
                .set_config(Arc::clone(&self.tls));
            LdapConnAsync::from_url_with_settings(settings, &server.url)
                .await
                .map_err(|failure| encryption_failed(&address, failure))
        };
        match tokio::time::timeout(self.config.request_timeout, open).await {
            Ok(opened) => {
                let (connection, ldap) = opened?;
                Ok(Connection::start(connection, ldap, self.config.request_timeout))
            }
            Err(_elapsed) => Err(unreachable("no answer in time")),
        }
    }

    async fn try_server(&self, server: &Server) -> Result<Arc<dyn Transport>, ConnectorError> {
        let connection = self.reach(server).await?;
        if let Some((dn, password)) = &self.config.bind {
            let what = format!("signing in to {} as {dn}", address(server));
            let answer =
                connection.bind(dn, password).await.map_err(|failure| error::no_answer(&what, failure))?;
            if answer.code != result::SUCCESS {
                return Err(bind_refused(&what, &answer));
            }
        }
        Ok(Arc::new(connection))
    }
}

#[async_trait]
impl Dial for Servers {
    async fn dial(&self) -> Result<Arc<dyn Transport>, ConnectorError> {
        let mut last = None;
        for server in &self.config.servers {
            match self.try_server(server).await {
                Ok(transport) => return Ok(transport),
                Err(error) if error.class != Class::Transient => return Err(error),
                Err(error) => {
                    tracing::warn!(server = %server.url, %error, "server passed over");
                    last = Some(error);
                }
            }
        }
        Err(last.unwrap_or_else(|| {
            ConnectorError::new(error::SETTINGS, Class::Configuration, "no server is configured")
        }))
    }
}

fn address(server: &Server) -> String {
    let default = if server.is_ldaps() { 636 } else { 389 };
    format!("{}:{}", server.url.host_str().unwrap_or_default(), server.url.port().unwrap_or(default))
}

fn encryption_failed(address: &str, failure: LdapError) -> ConnectorError {
    match failure {
        LdapError::Io { source } => tls::handshake_failed(address, &source).unwrap_or_else(|| {
            ConnectorError::new(
                error::UNREACHABLE,
                Class::Transient,
                format!("{address} ended the connection"),
            )
            .advice("check that the port speaks LDAP, and TLS if the address begins with ldaps://")
            .caused_by(source)
        }),
        LdapError::LdapResult { result } => {
            let class = if result::is_transient(result.rc) { Class::Transient } else { Class::Configuration };
            ConnectorError::new(error::TLS, class, format!("{address} refuses StartTLS"))
                .advice("give the server a certificate, or use its ldaps:// address")
                .caused_by(result)
        }
        LdapError::DNSName { .. } => ConnectorError::new(
            error::TLS,
            Class::Configuration,
            format!("{address} cannot stand in a certificate"),
        )
        .advice("use a host name")
        .caused_by(failure),
        other => {
            ConnectorError::new(error::UNREACHABLE, Class::Transient, format!("{address} gave no connection"))
                .caused_by(other)
        }
    }
}

fn bind_refused(what: &str, answer: &Answer) -> ConnectorError {
    let message = format!("{what}: the server answered {}", result::in_words(answer));
    match answer.code {
        8 | 13 => ConnectorError::new(error::ENCRYPTION_WANTED, Class::Configuration, message)
            .advice("the server takes passwords over encrypted connections only: use ldaps:// or starttls = true"),
        code if result::is_transient(code) => ConnectorError::new(error::UNREACHABLE, Class::Transient, message),
        _ => ConnectorError::new(error::BIND, Class::Denied, message).advice(
            "check bind_dn and the secret of bind_password by hand (ldapwhoami -x -D NAME -W -H ADDRESS), and that the account is not locked or expired",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_bind_says_whose_turn_it_is() {
        let class = |code| bind_refused("signing in", &Answer { code, ..Answer::default() }).class;
        assert_eq!(class(49), Class::Denied);
        assert_eq!(class(53), Class::Denied);
        assert_eq!(class(8), Class::Configuration);
        assert_eq!(class(13), Class::Configuration);
        assert_eq!(class(51), Class::Transient);
    }
}
