//! Reading and changing a server's entries with OpenLDAP's own commands.

use anyhow::Result;

use super::server::Slapd;
use crate::real::client::Client;
use crate::real::ldif::Entries;

impl Slapd {
    /// Entries at and below `base` that match `filter`, read by the administrator; no names in `attributes`
    /// means all user attributes, `+` all operational ones.
    ///
    /// # Errors
    /// With what the command says when it fails, such as a base that does not exist.
    pub fn search(&self, base: &str, filter: &str, attributes: &[&str]) -> Result<Entries> {
        self.client().search(base, filter, attributes)
    }

    /// Like [`Slapd::search`], bound as another entry.
    ///
    /// # Errors
    /// As for [`Slapd::search`], and when the directory refuses the name or the password.
    pub fn search_as(&self, bind: (&str, &str), base: &str, filter: &str) -> Result<Entries> {
        Client { bind, ..self.client() }.search(base, filter, &[])
    }

    /// The entry of the suffix, read over LDAPS with the server's own authority as the only trusted one.
    ///
    /// # Errors
    /// When the handshake fails, as it must on a server without TLS.
    pub fn search_over_ldaps(&self) -> Result<Entries> {
        Client { url: &self.ldaps_url, ..self.client() }.search(&self.suffix, "(objectClass=*)", &[])
    }

    /// Like [`Slapd::search_over_ldaps`], over the plain port turned into TLS by StartTLS.
    ///
    /// # Errors
    /// When the server refuses StartTLS or the handshake fails.
    pub fn search_over_start_tls(&self) -> Result<Entries> {
        Client { start_tls: true, ..self.client() }.search(&self.suffix, "(objectClass=*)", &[])
    }

    /// Carries out LDIF change records as the administrator.
    ///
    /// # Errors
    /// With the server's words for the first record that it refuses; those before it are done.
    pub fn modify(&self, change_records: &str) -> Result<()> {
        self.client().modify(change_records)
    }

    /// Like [`Slapd::modify`], bound as another entry.
    ///
    /// # Errors
    /// As for [`Slapd::modify`], and when the directory refuses the name or the password.
    pub fn modify_as(&self, bind: (&str, &str), change_records: &str) -> Result<()> {
        Client { bind, ..self.client() }.modify(change_records)
    }

    fn client(&self) -> Client<'_> {
        let bind = (self.bind_dn.as_str(), self.password.as_str());
        Client { url: &self.url, ca_file: &self.ca_file, start_tls: false, bind }
    }
}
