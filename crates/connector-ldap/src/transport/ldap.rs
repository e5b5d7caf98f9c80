//! The seam's real side: the protocol library over a socket.
//!
//! Every request has a deadline for its whole answer. The reason for which the connection ended is kept, because
//! the request that notices only learns that nobody will answer. Dropping the last handle closes the connection.

use std::collections::HashSet;
use std::error::Error;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use ldap3::controls::{Assertion, Control, MakeCritical, PagedResults, PostRead, RawControl};
use ldap3::{LdapConnAsync, LdapError, LdapResult, Mod, Scope};

use super::ber;
use super::requests::{
    Answer, Bytes, Failure, Found, Modification, Reach, Search, Transport, Write, WriteRequest,
};

const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
const POST_READ: &str = "1.3.6.1.1.13.2";

/// One connection, driven by a task of its own.
pub(crate) struct Connection {
    ldap: ldap3::Ldap,
    timeout: Duration,
    ended: Arc<OnceLock<String>>,
}

impl Connection {
    /// Takes over an open connection.
    pub(crate) fn start(connection: LdapConnAsync, ldap: ldap3::Ldap, timeout: Duration) -> Self {
        let ended = Arc::new(OnceLock::new());
        let reason = Arc::clone(&ended);
        tokio::spawn(async move {
            let said = match connection.drive().await {
                Ok(()) => "the server closed the connection".to_owned(),
                Err(error) => error.to_string(),
            };
            // The first reason stays; there is only this one writer.
            let _kept = reason.set(said);
        });
        Self { ldap, timeout, ended }
    }

    /// Signs in with a name and password.
    pub(crate) async fn bind(&self, dn: &str, password: &str) -> Result<Answer, Failure> {
        let mut ldap = self.ldap.clone();
        answer(self.within(ldap.simple_bind(dn, password)).await?)
    }

    async fn within<T>(&self, call: impl Future<Output = Result<T, LdapError>>) -> Result<T, Failure> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(result) => result.map_err(|error| self.failure(error)),
            Err(_elapsed) => Err(Failure::TimedOut(self.timeout)),
        }
    }

    fn failure(&self, error: LdapError) -> Failure {
        match error {
            LdapError::OpSend { .. } => Failure::NotSent,
            LdapError::ResultRecv { .. } | LdapError::EndOfStream | LdapError::Io { .. } => {
                Failure::Lost(self.reason(error))
            }
            other => Failure::Malformed(other.to_string()),
        }
    }

    fn reason(&self, error: LdapError) -> Box<dyn Error + Send + Sync> {
        match self.ended.get() {
            Some(said) => said.clone().into(),
            None => error.into(),
        }
    }

    async fn run_search(&self, search: &Search) -> Result<Found, LdapError> {
        let mut ldap = self.ldap.clone();
        if let Some(page) = &search.page {
            let control = PagedResults { size: page.size, cookie: page.cookie.clone() };
            ldap.with_controls(RawControl::from(control.critical()));
        }
        let scope = match search.reach {
            Reach::Base => Scope::Base,
            Reach::Subtree => Scope::Subtree,
        };
        let attributes: Vec<&str> = search.attributes.iter().map(String::as_str).collect();
        let mut stream = ldap.streaming_search(&search.base, scope, &search.filter, attributes).await?;
        let mut found = Found::default();
        let as_error = |failure: Failure| LdapError::AdapterInit(failure.to_string());
        while let Some(item) = stream.next().await? {
            if item.is_intermediate() {
                continue;
            }
            if item.is_ref() {
                found.references.extend(ber::references(item.0).map_err(as_error)?);
            } else {
                found.entries.push(ber::entry(item.0).map_err(as_error)?);
            }
        }
        let result = stream.finish().await;
        if let Some(value) = control_value(&result.ctrls, PAGED_RESULTS) {
            found.cookie = ber::page_cookie(value).map_err(as_error)?;
        }
        found.answer = answer(result).map_err(as_error)?;
        Ok(found)
    }
}

#[async_trait]
impl Transport for Connection {
    async fn search(&self, search: &Search) -> Result<Found, Failure> {
        self.within(self.run_search(search)).await
    }

    async fn write(&self, request: &WriteRequest) -> Result<Answer, Failure> {
        let mut ldap = self.ldap.clone();
        let controls = controls(request)?;
        if !controls.is_empty() {
            ldap.with_controls(controls);
        }
        let result = match &request.write {
            Write::Add { dn, attributes } => {
                let attributes = attributes.iter();
                let attributes = attributes.map(|(name, values)| (name.as_bytes(), set(values))).collect();
                self.within(ldap.add(dn, attributes)).await
            }
            Write::Modify { dn, changes } => {
                self.within(ldap.modify(dn, changes.iter().map(modification).collect())).await
            }
            Write::Rename { dn, new_rdn, delete_old, new_parent } => {
                self.within(ldap.modifydn(dn, new_rdn, *delete_old, new_parent.as_deref())).await
            }
            Write::Delete { dn } => self.within(ldap.delete(dn)).await,
        };
        answer(result?)
    }

    fn is_open(&self) -> bool {
        !self.ldap.clone().is_closed()
    }
}

fn controls(request: &WriteRequest) -> Result<Vec<RawControl>, Failure> {
    let mut controls = Vec::new();
    if let Some(filter) = &request.assertion {
        // The library's constructor does not survive a filter that it cannot parse.
        ldap3::parse_filter(filter).map_err(|()| Failure::Malformed(format!("{filter} is no filter")))?;
        let control = Assertion::new(filter);
        controls.push(RawControl { crit: true, ..control });
    }
    if !request.post_read.is_empty() {
        controls.push(PostRead::new(request.post_read.iter().map(String::as_str).collect()));
    }
    Ok(controls)
}

fn set(values: &[Bytes]) -> HashSet<&[u8]> {
    values.iter().map(Vec::as_slice).collect()
}

fn modification(change: &Modification) -> Mod<&[u8]> {
    match change {
        Modification::Add(name, values) => Mod::Add(name.as_bytes(), set(values)),
        Modification::Delete(name, values) => Mod::Delete(name.as_bytes(), set(values)),
        Modification::Replace(name, values) => Mod::Replace(name.as_bytes(), set(values)),
    }
}

fn control_value<'a>(controls: &'a [Control], oid: &str) -> Option<&'a [u8]> {
    controls.iter().find(|control| control.1.ctype == oid).and_then(|control| control.1.val.as_deref())
}

fn answer(result: LdapResult) -> Result<Answer, Failure> {
    let entry = control_value(&result.ctrls, POST_READ).map(ber::control_entry).transpose()?;
    let message = result.text.trim_end_matches('\0').to_owned();
    Ok(Answer { code: result.rc, message, referrals: result.refs, entry })
}
