//! Reaching a server: the addresses in order, encryption, signing in.
//!
//! Only trouble that may be one server's alone leads to the next address, such as a certificate that has expired: it
//! was told nothing. A refused password ends the search, or each attempt would count towards locking the account.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use identitymesh_connector::{Class, ConnectorError};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use super::gssapi;
use super::message::Credentials;
use super::requests::{Answer, Transport};
use super::tls;
use super::wire::{NotEncrypted, Wire};
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

    async fn reach(&self, server: &Server) -> Result<Wire, ConnectorError> {
        let address = address(server);
        match tokio::time::timeout(self.config.request_timeout, self.open(server, &address)).await {
            Ok(opened) => opened,
            Err(_elapsed) => Err(unreachable(&address, "no answer in time")),
        }
    }

    async fn open(&self, server: &Server, address: &str) -> Result<Wire, ConnectorError> {
        let no_connection = |source: io::Error| unreachable(address, "no connection").caused_by(source);
        let socket = TcpStream::connect(address).await.map_err(no_connection)?;
        // Small requests in a row must not wait for each other's acknowledgement.
        socket.set_nodelay(true).map_err(no_connection)?;
        let timeout = self.config.request_timeout;
        if server.is_ldaps() {
            return Wire::tls(socket, server_name(server, address)?, Arc::clone(&self.tls), timeout)
                .await
                .map_err(|source| handshake_failed(address, source));
        }
        let wire = Wire::plain(socket, timeout);
        if !self.config.starttls {
            return Ok(wire);
        }
        wire.start_tls(server_name(server, address)?, Arc::clone(&self.tls)).await.map_err(|why| match why {
            NotEncrypted::Handshake(source) => handshake_failed(address, source),
            NotEncrypted::Failed(failure) => {
                error::no_answer(&format!("asking {address} for StartTLS"), failure)
            }
            NotEncrypted::Refused(answer) => starttls_refused(address, &answer),
        })
    }

    /// A connection to the first server that can be had, signed in, that carries one request at a time.
    pub(crate) async fn wire(&self) -> Result<Wire, ConnectorError> {
        let mut passed_over = Vec::new();
        for server in &self.config.servers {
            match self.try_server(server).await {
                Ok(mut wire) => {
                    wire.server = server.url.to_string();
                    return Ok(wire);
                }
                Err(error) if !is_one_servers_own(&error) => return Err(error),
                Err(error) => {
                    tracing::warn!(server = %server.url, error = in_words(&error), "server passed over");
                    passed_over.push(error);
                }
            }
        }
        Err(none_left(passed_over))
    }

    async fn try_server(&self, server: &Server) -> Result<Wire, ConnectorError> {
        let mut wire = self.reach(server).await?;
        if let Some(kerberos) = &self.config.kerberos {
            let what = format!("signing in to {} by Kerberos", address(server));
            let host = server.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
            let signing_in = gssapi::sign_in(&mut wire, host, kerberos, &what);
            let answer = tokio::time::timeout(self.config.request_timeout, signing_in)
                .await
                .map_err(|_elapsed| unreachable(&address(server), "Kerberos did not answer in time"))??;
            if answer.code != result::SUCCESS {
                return Err(bind_refused(&what, &answer));
            }
        } else if let Some((dn, password)) = &self.config.bind {
            let what = format!("signing in to {} as {dn}", address(server));
            let bound = wire.bind(&Credentials::Simple { dn, password }).await;
            let (answer, _token) = bound.map_err(|failure| error::no_answer(&what, failure))?;
            if answer.code != result::SUCCESS {
                return Err(bind_refused(&what, &answer));
            }
        }
        Ok(wire)
    }
}

#[async_trait]
impl Dial for Servers {
    async fn dial(&self) -> Result<Arc<dyn Transport>, ConnectorError> {
        Ok(Arc::new(self.wire().await?.into_connection()))
    }
}

/// Whether another server may do better.
fn is_one_servers_own(error: &ConnectorError) -> bool {
    error.class == Class::Transient || error.code == error::TLS
}

/// The error that names each server's. Trouble that may pass decides what it is: another try can help then.
fn none_left(mut errors: Vec<ConnectorError>) -> ConnectorError {
    let said: Vec<String> = errors.iter().map(in_words).collect();
    let mut advice: Vec<String> = errors.iter().filter_map(|error| error.advice.clone()).collect();
    advice.dedup();
    let at = errors.iter().position(|error| error.class == Class::Transient).unwrap_or(0);
    match errors.len() {
        0 => ConnectorError::new(error::SETTINGS, Class::Configuration, "no server is configured"),
        1 => errors.remove(0),
        _ => ConnectorError {
            message: said.join("; "),
            advice: Some(advice.join("; ")),
            source: None,
            ..errors.swap_remove(at)
        },
    }
}

fn in_words(error: &ConnectorError) -> String {
    match &error.source {
        Some(source) => format!("{}: {source}", error.message),
        None => error.message.clone(),
    }
}

fn address(server: &Server) -> String {
    let default = if server.is_ldaps() { 636 } else { 389 };
    format!("{}:{}", server.url.host_str().unwrap_or_default(), server.url.port().unwrap_or(default))
}

fn server_name(server: &Server, address: &str) -> Result<ServerName<'static>, ConnectorError> {
    let host = server.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    ServerName::try_from(host).map_err(|source| {
        let message = format!("{address} cannot stand in a certificate");
        ConnectorError::new(error::TLS, Class::Configuration, message)
            .advice("use a host name")
            .caused_by(source)
    })
}

fn unreachable(address: &str, why: &str) -> ConnectorError {
    let message = format!("{address} cannot be reached: {why}");
    ConnectorError::new(error::UNREACHABLE, Class::Transient, message)
        .advice("check the address and port, that the server runs, and that no firewall stands between")
}

fn handshake_failed(address: &str, source: io::Error) -> ConnectorError {
    tls::handshake_failed(address, &source).unwrap_or_else(|| {
        let message = format!("{address} ended the connection");
        ConnectorError::new(error::UNREACHABLE, Class::Transient, message)
            .advice("check that the port speaks LDAP, and TLS if the address begins with ldaps://")
            .caused_by(source)
    })
}

fn starttls_refused(address: &str, answer: &Answer) -> ConnectorError {
    let class = if result::is_transient(answer.code) { Class::Transient } else { Class::Configuration };
    let message = format!("{address} refuses StartTLS: {}", result::in_words(answer));
    ConnectorError::new(error::TLS, class, message)
        .advice("give the server a certificate, or use its ldaps:// address")
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
    fn when_no_server_is_left_the_error_names_each() {
        let broken = |address: &str| {
            let error = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
            handshake_failed(address, io::Error::new(io::ErrorKind::InvalidData, error))
        };
        let both = none_left(vec![broken("dc1:636"), unreachable("dc2:636", "no connection")]);
        assert_eq!((both.code, both.class), (error::UNREACHABLE, Class::Transient));
        assert!(both.message.contains("dc1:636: invalid peer certificate: Expired"), "{both}");
        assert!(both.message.contains("dc2:636 cannot be reached"), "{both}");
        let advice = both.advice.unwrap();
        assert!(advice.contains("renew it") && advice.contains("firewall"), "{advice}");
        let expired = none_left(vec![broken("dc1:636"), broken("dc2:636")]);
        assert_eq!((expired.code, expired.class), (error::TLS, Class::Configuration));
        assert_eq!(expired.advice.unwrap().matches("renew it").count(), 1);
        assert_eq!(none_left(Vec::new()).code, error::SETTINGS);
    }

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
