//! The settings as the connector works with them, and every problem that they can have.

use std::path::PathBuf;
use std::time::Duration;

use identitymesh_connector::{Problem, Settings};
use url::{Host, Url};

use super::types::{self, Family, TypeConfig};
use crate::naming;
use crate::scope::Scope;

/// Most addresses that are tried.
const SERVER_COUNT_MAX: usize = 16;

/// One address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) url: Url,
}

impl Server {
    /// Whether the connection begins with TLS.
    pub(crate) fn is_ldaps(&self) -> bool {
        self.url.scheme() == "ldaps"
    }

    /// Whether it is this machine.
    fn is_loopback(&self) -> bool {
        // Addresses of foreign schemes are not taken apart by the library, so both forms are looked at.
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// How a server is asked what changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changes {
    /// By what the server's family has: DirSync where the account may and else sequence numbers, content
    /// synchronisation, or the retro changelog.
    Auto,
    /// By sequence numbers; Active Directory only.
    Usn,
    /// By the log of writes; OpenLDAP only.
    AccessLog,
    /// Not at all.
    None,
}

/// Whom Kerberos signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kerberos {
    /// The file with the account's keys; without it the machine's own tickets and keys are used.
    pub(crate) keytab: Option<PathBuf>,
    /// The account; without it the first one that there are keys or tickets for.
    pub(crate) principal: Option<String>,
}

/// Everything that a session must know. It holds the password, so it has no debug form.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) family: Family,
    pub(crate) servers: Vec<Server>,
    pub(crate) starttls: bool,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) trust_server_certificate: bool,
    /// Name and password; without it nobody signs in.
    pub(crate) bind: Option<(String, String)>,
    /// Sign in by Kerberos instead.
    pub(crate) kerberos: Option<Kerberos>,
    pub(crate) request_timeout: Duration,
    pub(crate) base: String,
    pub(crate) types: Vec<TypeConfig>,
    pub(crate) scope: Scope,
    /// The attribute that identifies an entry; without it the server's family decides.
    pub(crate) external_id: Option<String>,
    pub(crate) page_size: usize,
    pub(crate) window: usize,
    /// Most operations begun in a second.
    pub(crate) writes_per_s_max: Option<u32>,
    pub(crate) empty_member: String,
    pub(crate) changes: Changes,
    /// Where OpenLDAP's log of writes lies.
    pub(crate) log_base: String,
    /// Attributes out of which the server takes entries that are deleted, without saying so.
    pub(crate) refint_attributes: Vec<String>,
}

impl Config {
    /// Whether what is sent is encrypted, or does not leave this machine.
    pub(crate) fn is_private(&self) -> bool {
        self.starttls || self.servers.iter().all(|server| server.is_ldaps() || server.is_loopback())
    }

    /// What these settings allow and should not allow for long.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let any_certificate = self.trust_server_certificate.then_some(
            "any certificate is accepted (trust_server_certificate): whoever stands between can read and change everything",
        );
        any_certificate.into_iter().map(str::to_owned).collect()
    }

    /// Reads settings that fit their schema.
    ///
    /// # Errors
    /// Every problem.
    pub(crate) fn read(settings: &Settings, family: Family) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let servers = servers(settings, &mut problems);
        let starttls = settings.is_on("starttls");
        if starttls && !servers.is_empty() && servers.iter().all(Server::is_ldaps) {
            problems.push(Problem::setting(
                "starttls",
                "is for ldap:// addresses; ldaps:// is encrypted from the start",
            ));
        }
        let bind = bind(settings, &mut problems);
        let kerberos = kerberos(settings, &mut problems);
        let plain = servers.iter().find(|server| !server.is_ldaps() && !starttls && !server.is_loopback());
        if let (Some(server), Some(_), false) = (plain, &bind, settings.is_on("allow_plain")) {
            problems.push(Problem::setting(
                "servers",
                format!(
                    "{} would get the password without encryption; use ldaps:// or starttls = true, or say allow_plain = true",
                    server.url
                ),
            ));
        }
        let base = dn_setting(settings, "base", &mut problems);
        let types = types::read(settings.get("types"), &base, family).unwrap_or_else(|found| {
            problems.extend(found);
            Vec::new()
        });
        let external_id = external_id(settings, &mut problems);
        let empty_member = dn_setting(settings, "empty_member", &mut problems);
        let changes = changes(settings, family, &mut problems);
        let refint_attributes: Vec<String> =
            settings.list("refint_attributes").into_iter().map(str::to_owned).collect();
        for wrong in refint_attributes.iter().filter(|name| !types::is_word(name)) {
            problems
                .push(Problem::setting("refint_attributes", format!("{wrong:?} is no name of an attribute")));
        }
        let log_base = match family {
            Family::Any => dn_setting(settings, "log_base", &mut problems),
            Family::ActiveDirectory => String::new(),
        };
        for list in ["include", "exclude"] {
            for wrong in settings.list(list).into_iter().filter(|container| naming::rdn(container).is_none())
            {
                problems.push(Problem::setting(list, not_a_dn(wrong)));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let whole = |name: &str, default: i64| settings.integer(name).unwrap_or(default);
        let (Ok(page_size), Ok(window), Ok(seconds)) = (
            usize::try_from(whole("page_size", 1_000)),
            usize::try_from(whole("window", 16)),
            u64::try_from(whole("request_timeout_s", 30)),
        ) else {
            return Err(vec![Problem::setting("page_size", "numbers must not be negative")]);
        };
        Ok(Self {
            family,
            servers,
            starttls,
            ca_file: settings.path("ca_file"),
            trust_server_certificate: settings.is_on("trust_server_certificate"),
            bind,
            kerberos,
            request_timeout: Duration::from_secs(seconds),
            base,
            types,
            scope: Scope::new(&settings.list("include"), &settings.list("exclude")),
            external_id,
            page_size,
            window,
            writes_per_s_max: settings.integer("writes_per_s_max").and_then(|most| u32::try_from(most).ok()),
            empty_member,
            changes,
            log_base,
            refint_attributes,
        })
    }
}

fn servers(settings: &Settings, problems: &mut Vec<Problem>) -> Vec<Server> {
    let written = settings.list("servers");
    if written.is_empty() || written.len() > SERVER_COUNT_MAX {
        problems.push(Problem::setting("servers", format!("must have 1 to {SERVER_COUNT_MAX} addresses")));
    }
    let mut servers = Vec::new();
    for address in written {
        match server(address) {
            Some(server) => servers.push(server),
            None => problems.push(Problem::setting(
                "servers",
                format!(
                    "{address:?} is no address such as ldaps://ldap1.example.com or ldap://10.0.0.1:3389"
                ),
            )),
        }
    }
    servers
}

fn server(address: &str) -> Option<Server> {
    let url = Url::parse(address).ok()?;
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.username().is_empty();
    // An IPv6 address would be taken for a name when the certificate is checked.
    let has_host = url.host_str().is_some_and(|host| !host.is_empty())
        && !(url.scheme() == "ldaps" && matches!(url.host(), Some(Host::Ipv6(_))));
    (matches!(url.scheme(), "ldap" | "ldaps") && is_bare && has_host).then_some(Server { url })
}

fn bind(settings: &Settings, problems: &mut Vec<Problem>) -> Option<(String, String)> {
    match (settings.text("bind_dn"), settings.text("bind_password")) {
        (None, None) => None,
        (Some(dn), Some(password)) if !dn.is_empty() && !password.is_empty() => {
            Some((dn.to_owned(), password.to_owned()))
        }
        (Some(_), _) => {
            // Servers take a name without a password for an anonymous bind and say that it worked.
            problems.push(Problem::setting("bind_password", "is needed with bind_dn, and must not be empty"));
            None
        }
        (None, Some(_)) => {
            problems.push(Problem::setting("bind_dn", "is needed with bind_password"));
            None
        }
    }
}

fn changes(settings: &Settings, family: Family, problems: &mut Vec<Problem>) -> Changes {
    let (word, changes) = match family {
        Family::Any => ("accesslog", Changes::AccessLog),
        Family::ActiveDirectory => ("usn", Changes::Usn),
    };
    match settings.text("changes") {
        None | Some("auto") => Changes::Auto,
        Some("none") => Changes::None,
        Some(said) if said == word => changes,
        Some(other) => {
            problems
                .push(Problem::setting("changes", format!("must be auto, {word} or none, not {other:?}")));
            Changes::Auto
        }
    }
}

fn kerberos(settings: &Settings, problems: &mut Vec<Problem>) -> Option<Kerberos> {
    let kerberos = Kerberos {
        keytab: settings.path("keytab"),
        principal: settings.text("principal").map(str::to_owned),
    };
    if settings.is_on("kerberos") {
        for name in ["bind_dn", "bind_password"].into_iter().filter(|name| settings.text(name).is_some()) {
            problems
                .push(Problem::setting(name, "is not for kerberos = true, which uses keytab and principal"));
        }
        return Some(kerberos);
    }
    for (name, is_there) in
        [("keytab", kerberos.keytab.is_some()), ("principal", kerberos.principal.is_some())]
    {
        if is_there {
            problems.push(Problem::setting(name, "is for kerberos = true"));
        }
    }
    None
}

fn dn_setting(settings: &Settings, name: &str, problems: &mut Vec<Problem>) -> String {
    let text = settings.text(name).unwrap_or_default().trim();
    if naming::rdn(text).is_none() {
        problems.push(Problem::setting(name, not_a_dn(text)));
    }
    text.to_owned()
}

fn not_a_dn(text: &str) -> String {
    format!("{text:?} is no name of an entry such as ou=people,dc=example,dc=com")
}

fn external_id(settings: &Settings, problems: &mut Vec<Problem>) -> Option<String> {
    let name = settings.text("external_id")?;
    if !types::is_word(name) || name.eq_ignore_ascii_case("dn") {
        problems.push(Problem::setting(
            "external_id",
            "must be an attribute that never changes, such as entryUUID; a dn changes with every move",
        ));
    }
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::settings::descriptor;

    fn read(changes: serde_json::Value) -> Result<Config, Vec<Problem>> {
        let mut written = json!({"servers": ["ldaps://ldap.test"], "base": "dc=t", "bind_dn": "cn=a,dc=t",
            "bind_password": "{{secret:x}}"});
        for (name, value) in changes.as_object().unwrap() {
            written[name] = value.clone();
        }
        let written: BTreeMap<_, _> = serde_json::from_value(written).unwrap();
        let (settings, problems) = descriptor(Family::Any).settings.read(&written, Path::new("/mesh"));
        if problems.is_empty() { Config::read(&settings, Family::Any) } else { Err(problems) }
    }

    fn problem(changes: serde_json::Value) -> String {
        let problems = read(changes).err().expect("there is a problem");
        problems.iter().map(|problem| format!("{} {}\n", problem.path, problem.message)).collect()
    }

    #[test]
    fn little_must_be_said() {
        let config = read(json!({"ca_file": "ca.pem"})).ok().unwrap();
        assert_eq!((config.page_size, config.window, config.external_id.as_deref()), (1_000, 16, None));
        assert_eq!(config.ca_file.as_deref(), Some(Path::new("/mesh/ca.pem")));
        assert_eq!((config.request_timeout, config.types.len()), (Duration::from_secs(30), 3));
    }

    #[test]
    fn a_password_does_not_travel_in_the_open_unless_told_to() {
        assert!(
            problem(json!({"servers": ["ldaps://a", "ldap://ldap.test"]})).contains("without encryption")
        );
        for allowed in [
            json!({"servers": ["ldap://ldap.test"], "allow_plain": true}),
            json!({"servers": ["ldap://ldap.test"], "starttls": true}),
            json!({"servers": ["ldap://127.0.0.1:3389", "ldap://localhost", "ldap://[::1]:389"]}),
        ] {
            assert!(read(allowed.clone()).is_ok(), "{allowed}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (changes, expected) in [
            (json!({"servers": []}), "settings.servers must have 1 to 16"),
            (json!({"servers": vec!["ldaps://a"; 17]}), "1 to 16"),
            (json!({"servers": ["http://a"]}), "\"http://a\" is no address"),
            (json!({"servers": ["ldap.test"]}), "is no address"),
            (json!({"servers": ["ldaps://ldap.test/dc=t"]}), "is no address"),
            (json!({"starttls": true}), "settings.starttls"),
            (json!({"bind_password": ""}), "settings.bind_password is needed"),
            (json!({"bind_dn": ""}), "settings.bind_password is needed"),
            (json!({"base": "example.com"}), "settings.base \"example.com\" is no name"),
            (json!({"exclude": ["old people"]}), "settings.exclude"),
            (json!({"external_id": "dn"}), "settings.external_id"),
            (json!({"changes": "usn"}), "settings.changes must be auto, accesslog or none"),
            (json!({"refint_attributes": ["a b"]}), "settings.refint_attributes \"a b\" is no name"),
            (json!({"log_base": "accesslog"}), "settings.log_base \"accesslog\" is no name"),
            (json!({"page_size": 5_001}), "settings.page_size must be a whole number from 1 to 5000"),
            (json!({"page_size": 0}), "settings.page_size"),
            (json!({"types": {"user": {"filter": "x"}}}), "settings.types.user"),
        ] {
            let found = problem(changes.clone());
            assert!(found.contains(expected), "{changes}: {found}");
        }
    }
}
