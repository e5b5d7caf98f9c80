//! Reading a directory with `ldapsearch`, so that the product is not checked by itself.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::server::Slapd;
use crate::real::ldif::{Entries, parse_ldif};

/// How the command reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Plain,
    StartTls,
    Ldaps,
}

impl Slapd {
    /// Entries at and below `base` that match `filter`, read by the administrator; no names in `attributes`
    /// means all user attributes, `+` all operational ones.
    ///
    /// # Errors
    /// With what the command says when it fails, such as a base that does not exist.
    pub fn search(&self, base: &str, filter: &str, attributes: &[&str]) -> Result<Entries> {
        self.run_search(Transport::Plain, (&self.bind_dn, &self.password), base, filter, attributes)
    }

    /// Like [`Slapd::search`], bound as another entry.
    ///
    /// # Errors
    /// As for [`Slapd::search`], and when the directory refuses the name or the password.
    pub fn search_as(&self, bind: (&str, &str), base: &str, filter: &str) -> Result<Entries> {
        self.run_search(Transport::Plain, bind, base, filter, &[])
    }

    /// The entry of the suffix, read over LDAPS with the server's own authority as the only trusted one.
    ///
    /// # Errors
    /// When the handshake fails, as it must on a server without TLS.
    pub fn search_over_ldaps(&self) -> Result<Entries> {
        self.suffix_over(Transport::Ldaps)
    }

    /// Like [`Slapd::search_over_ldaps`], over the plain port turned into TLS by StartTLS.
    ///
    /// # Errors
    /// When the server refuses StartTLS or the handshake fails.
    pub fn search_over_start_tls(&self) -> Result<Entries> {
        self.suffix_over(Transport::StartTls)
    }

    fn suffix_over(&self, transport: Transport) -> Result<Entries> {
        self.run_search(transport, (&self.bind_dn, &self.password), &self.suffix, "(objectClass=*)", &[])
    }

    fn run_search(
        &self,
        transport: Transport,
        (bind_dn, password): (&str, &str),
        base: &str,
        filter: &str,
        attributes: &[&str],
    ) -> Result<Entries> {
        let url = if transport == Transport::Ldaps { &self.ldaps_url } else { &self.url };
        let mut command = Command::new("ldapsearch");
        // The environment outranks whatever this machine and user have configured for OpenLDAP.
        command.env("LDAPTLS_CACERT", &self.ca_file).env("LDAPTLS_REQCERT", "demand");
        command.args(["-x", "-LLL", "-o", "ldif-wrap=no", "-o", "nettimeout=10", "-H", url]);
        command.args(["-D", bind_dn, "-w", password, "-b", base]);
        if transport == Transport::StartTls {
            command.arg("-ZZ");
        }
        let output = command.arg(filter).args(attributes).output().context("cannot start ldapsearch")?;
        if !output.status.success() {
            bail!("ldapsearch failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        parse_ldif(
            &String::from_utf8(output.stdout).context("ldapsearch printed something other than UTF-8")?,
        )
    }
}
