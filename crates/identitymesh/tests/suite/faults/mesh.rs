//! A mesh with a directory behind a relay: fed from a personnel file, or feeding an LDIF file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Output;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use identitymesh_testkit::real::{Action, Message, Operation, Relay};
use serde_json::Value as Json;

use super::directory::{Directory, Family, Person, person};
use crate::process::Place;

const MESH: &str = r#"
[[type]]
name = "user"
[type.attributes]
account = "string"
name = "string"
title = "string"
unit = "string"
mail = "string"
"#;

/// The control of paged searches.
const PAGED: &str = "1.2.840.113556.1.4.319";

/// Which way people go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From a personnel file into the directory.
    In,
    /// From the directory into an LDIF file.
    Out,
}

pub(super) struct Mesh {
    pub(super) place: Place,
    pub(super) directory: Arc<Mutex<Directory>>,
    pub(super) relay: Relay,
}

impl Mesh {
    /// A mesh with a directory of `count` people, and the configuration in force.
    pub(super) fn start(family: Family, way: Way, count: usize, settings: &str) -> Option<Self> {
        Some(Self::over(Directory::start(family, count)?, way, settings))
    }

    /// A mesh with this directory.
    pub(super) fn over(directory: Directory, way: Way, settings: &str) -> Self {
        let relay = Relay::to(directory.url(), &directory.ca_file());
        let mesh = Self { place: Place::new(), directory: Arc::new(Mutex::new(directory)), relay };
        mesh.configure(way, settings);
        mesh.place.keep_secret("directory", mesh.directory().bind().1);
        mesh.place.good(&["apply", "rules"]);
        mesh
    }

    pub(super) fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the rules; `settings` are further lines of the directory's connector.
    pub(super) fn configure(&self, way: Way, settings: &str) {
        let directory = self.directory();
        let family = directory.family();
        let kind = if family == Family::Samba { "active-directory" } else { "ldap" };
        let mut text = format!(
            "[connector]\nname = \"directory\"\ntype = \"{kind}\"\n\n[connector.settings]\nservers = [\"{}\"]\n\
             ca_file = \"{}\"\nbase = \"dc=mesh,dc=test\"\ninclude = [\"ou=Staff,dc=mesh,dc=test\"]\n\
             bind_dn = \"{}\"\nbind_password = \"{{{{secret:directory}}}}\"\n{settings}\n",
            self.relay.url,
            self.relay.ca_file.display(),
            directory.bind().0,
        );
        let (account, name) = names(family);
        if family != Family::Samba {
            let attributes =
                "uid = \"string\", cn = \"string\", sn = \"string\", title = \"string\", mail = \"string\"";
            writeln!(text, "\n[connector.settings.types.user]\nattributes = {{ {attributes} }}").unwrap();
        }
        let other = match way {
            Way::In => {
                text += &projection(family);
                personnel()
            }
            Way::Out => {
                text += &flows(
                    "user",
                    "user",
                    account,
                    &[(account, "account"), (name, "name"), ("title", "title")],
                );
                file()
            }
        };
        self.place.write_rules(MESH, &[("directory", &text), ("other", &other)]);
    }

    /// The personnel file.
    pub(super) fn write(&self, people: &BTreeMap<String, Person>) {
        let mut text = "account,name,title,unit,mail\n".to_owned();
        for (account, [name, title, unit]) in people {
            // Whose title says so has an address that no directory takes.
            let mail = if title == REFUSED { "ü".repeat(300) } else { String::new() };
            writeln!(text, "{account},{name},{title},{unit},{mail}").unwrap();
        }
        std::fs::write(self.place.path().join("people.csv"), text).unwrap();
    }

    /// A whole cycle that may fail.
    pub(super) fn cycle(&self) -> Output {
        self.place.run(&["run", "cycle"])
    }

    /// Lets what waits be sent, runs a cycle, and another that must not send anything.
    pub(super) fn settle(&self) {
        self.relay.calm();
        for _ in 0..2 {
            self.place.good(&["exports", "retry"]);
            self.place.good(&["run", "cycle"]);
        }
        self.relay.take_requests();
        self.place.good(&["run", "cycle"]);
        let writes = self.relay.take_requests().into_iter().filter(|request| request.operation.is_write());
        let writes: Vec<String> = writes.map(|request| request.name).collect();
        assert!(writes.is_empty(), "sent again: {writes:?}");
        self.place.good(&["audit", "verify"]);
    }

    /// The people of the LDIF file: accounts and titles.
    pub(super) fn copied(&self) -> BTreeMap<String, String> {
        let text = std::fs::read_to_string(self.place.path().join("copy.ldif")).unwrap_or_default();
        let value = |entry: &str, name: &str| {
            entry.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
        };
        let people =
            text.split("\n\n").filter_map(|entry| Some((value(entry, "uid")?, value(entry, "title")?)));
        people.collect()
    }

    /// The newest run of a step.
    pub(super) fn last(&self, step: &str) -> Json {
        let runs = self.place.json(&["runs", "list"]);
        runs.as_array().unwrap().iter().find(|run| run["step"] == step).unwrap().clone()
    }

    /// The runs of a step that came to something, newest first.
    pub(super) fn busy(&self, step: &str) -> Vec<Json> {
        let runs = self.place.json(&["runs", "list", "--limit", "200"]);
        let is_it = |run: &&Json| run["step"] == step && run["counters"] != serde_json::json!({});
        runs.as_array().unwrap().iter().filter(is_it).cloned().collect()
    }

    /// No import has ever taken anybody as gone.
    pub(super) fn nobody_was_taken_as_gone(&self) {
        let runs = self.place.json(&["runs", "list", "--limit", "200"]);
        for run in runs.as_array().unwrap() {
            assert_eq!(run["counters"].get("deleted"), None, "{run}");
        }
    }
}

/// The title of people whom the directory refuses.
pub(super) const REFUSED: &str = "Refused";

/// The first `count` people as a directory should hold them.
pub(super) fn people(count: usize) -> BTreeMap<String, Person> {
    (0..count).map(|at| (format!("p{at:03}"), person(at))).collect()
}

/// The last part of a page of people.
pub(super) fn ends_page(message: &Message) -> bool {
    let is_about_people = message.name.eq_ignore_ascii_case("dc=mesh,dc=test") && message.has(PAGED);
    !message.is_request && message.is_last && message.operation == Operation::Search && is_about_people
}

/// The request for a page of people.
pub(super) fn asks_page(message: &Message) -> bool {
    let is_about_people = message.name.eq_ignore_ascii_case("dc=mesh,dc=test") && message.has(PAGED);
    message.is_request && message.operation == Operation::Search && is_about_people
}

/// Does `action` to the `nth` message that is `wanted`, counted from 1, and hands on all others.
pub(super) fn nth(
    nth: usize,
    wanted: impl Fn(&Message) -> bool + Send + 'static,
    mut action: impl FnMut() -> Action + Send + 'static,
) -> impl FnMut(&Message) -> Action + Send + 'static {
    let mut seen = 0;
    move |message| {
        seen += usize::from(wanted(message));
        if seen == nth && wanted(message) { action() } else { Action::Pass }
    }
}

/// Writes that nobody had an answer to, sent again on another connection before anybody looked what became of them.
pub(super) fn blind_repeats(requests: &[Message]) -> Vec<String> {
    let mut blind = Vec::new();
    for (at, request) in requests.iter().enumerate().filter(|(_, request)| request.operation.is_write()) {
        let is_lost = |other: &Message| {
            other.body == request.body && !other.is_answered && other.connection != request.connection
        };
        let Some(before) = requests[..at].iter().rposition(is_lost) else { continue };
        if !requests[before..at].iter().any(|other| other.operation == Operation::Search) {
            blind.push(request.name.clone());
        }
    }
    blind
}

fn names(family: Family) -> (&'static str, &'static str) {
    if family == Family::Samba { ("sAMAccountName", "displayName") } else { ("uid", "cn") }
}

/// Rules that make mesh objects of a type, and let attributes flow into them.
pub(super) fn flows(object_type: &str, mesh_type: &str, anchor: &str, flows: &[(&str, &str)]) -> String {
    let mut text = format!(
        "\n[[create]]\nobject_type = \"{object_type}\"\nmesh_type = \"{mesh_type}\"\nanchor = \"{anchor}\"\n\n\
         [[leave]]\nobject_type = \"{object_type}\"\nmesh_object = \"delete_when_last\"\n"
    );
    for (source, target) in flows {
        write!(
            text,
            "\n[[flow]]\nobject_type = \"{object_type}\"\nsource = \"{source}\"\ntarget = \"{target}\"\nconfidence = 90\n"
        )
        .unwrap();
    }
    text
}

fn personnel() -> String {
    let settings = "[connector]\nname = \"other\"\ntype = \"csv\"\n\n[connector.settings]\npath = \"../../people.csv\"\n\
        object_type = \"person\"\nkey = \"account\"\nsettle_ms = 0\n";
    let pairs =
        [("account", "account"), ("name", "name"), ("title", "title"), ("unit", "unit"), ("mail", "mail")];
    format!("{settings}{}", flows("person", "user", "account", &pairs))
}

fn projection(family: Family) -> String {
    let (account, name) = names(family);
    let rdn = if family == Family::Samba { "cn" } else { "uid" };
    let mut text = format!(
        "\n[[projection]]\nname = \"people\"\nmesh_type = \"user\"\nobject_type = \"user\"\n\
         container = \"'ou=' + unit + ',ou=Staff,dc=mesh,dc=test'\"\nrdn = \"{rdn}\"\ncreate_container = true\n\
         leave = [{{ do = \"delete\" }}]\n"
    );
    let mut pairs = vec![(account, "account"), (name, "name"), ("title", "title"), ("mail", "mail")];
    pairs.push(if family == Family::Samba { ("cn", "account") } else { ("sn", "name") });
    for (target, source) in pairs {
        write!(text, "\n[[projection.attribute]]\ntarget = \"{target}\"\nsource = \"{source}\"\n").unwrap();
    }
    text
}

fn file() -> String {
    let mut text = "[connector]\nname = \"other\"\ntype = \"ldif\"\n\n[connector.settings]\npath = \"../../copy.ldif\"\n\
        export = \"full\"\nsettle_ms = 0\n\n[connector.settings.types.user]\nobject_class = \"inetOrgPerson\"\n\
        key = \"uid\"\n\n[connector.settings.attributes]\nuid = \"string\"\ncn = \"string\"\nsn = \"string\"\n\
        title = \"string\"\n\n[[projection]]\nname = \"copies\"\nmesh_type = \"user\"\nobject_type = \"user\"\n\
        container = \"'ou=Copies,dc=corp,dc=example'\"\nrdn = \"uid\"\ncreate_container = true\n\
        leave = [{ do = \"delete\" }]\n"
        .to_owned();
    for (target, source) in [("uid", "account"), ("cn", "name"), ("sn", "name"), ("title", "title")] {
        write!(text, "\n[[projection.attribute]]\ntarget = \"{target}\"\nsource = \"{source}\"\n").unwrap();
    }
    text
}
