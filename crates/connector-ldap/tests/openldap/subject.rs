//! OpenLDAP and 389 Directory Server as the conformance suite sees them: emptied, filled and read with OpenLDAP's commands.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identitymesh_connector::conformance::{Form, Stop, Subject};
use identitymesh_connector::{ConnectorKind, Identity, ImportedObject};
use identitymesh_connector_ldap::Ldap;
use identitymesh_model::{
    AttributeSchema, AttributeType, Name, Object, ObjectSchema, Schema, Text, Value, ValueType, Values,
};
use identitymesh_testkit::real::{Ds389, Entries, SessionLog, Slapd, SlapdOptions, Wire};
use serde_json::{Value as Json, json};

use crate::support::{TREE, name, object};

const PEOPLE: &str = "ou=people,dc=mesh,dc=test";
const ATTRIBUTES: [&str; 6] = ["uid", "cn", "sn", "title", "employeeType", "description"];
const MULTI: &str = "description";

/// A server of the test kit.
pub(crate) trait Server: Send + Sync {
    fn find(&self, base: &str, filter: &str, attributes: &[&str]) -> anyhow::Result<Entries>;
    fn change(&self, records: &str) -> anyhow::Result<()>;
    fn signs_in(&self, dn: &str, password: &str) -> bool;
    /// Its address, authority, administrator and password.
    fn access(&self) -> (&str, &Path, &str, &str);
    /// The attribute that identifies an entry.
    fn id(&self) -> &'static str;
    /// What a connector is told besides.
    fn further(&self) -> Json {
        json!({})
    }
}

impl Server for Slapd {
    fn find(&self, base: &str, filter: &str, attributes: &[&str]) -> anyhow::Result<Entries> {
        self.search(base, filter, attributes)
    }

    fn change(&self, records: &str) -> anyhow::Result<()> {
        self.modify(records)
    }

    fn signs_in(&self, dn: &str, password: &str) -> bool {
        self.search_as((dn, password), PEOPLE, "(objectClass=*)").is_ok()
    }

    fn access(&self) -> (&str, &Path, &str, &str) {
        (&self.ldaps_url, &self.ca_file, &self.bind_dn, &self.password)
    }

    fn id(&self) -> &'static str {
        "entryUUID"
    }
}

impl Server for Ds389 {
    fn find(&self, base: &str, filter: &str, attributes: &[&str]) -> anyhow::Result<Entries> {
        self.search(base, filter, attributes)
    }

    fn change(&self, records: &str) -> anyhow::Result<()> {
        self.modify(records)
    }

    fn signs_in(&self, dn: &str, password: &str) -> bool {
        // Somebody without rights sees nothing, which is a success all the same.
        self.search_as((dn, password), PEOPLE, "(objectClass=*)").is_ok()
    }

    fn access(&self) -> (&str, &Path, &str, &str) {
        (&self.ldaps_url, &self.ca_file, &self.bind_dn, &self.password)
    }

    fn id(&self) -> &'static str {
        "nsUniqueId"
    }
}

/// OpenLDAP over a wire that counts.
pub(crate) struct Wired {
    pub(crate) slapd: Slapd,
    pub(crate) wire: Wire,
    /// How its changes are read.
    pub(crate) changes: &'static str,
}

impl Wired {
    /// One whose changes are read from its log of writes.
    pub(crate) fn logged(entries: &str) -> Option<Self> {
        let options = SlapdOptions {
            initial_ldif: format!("{TREE}{entries}"),
            sync: Some(SessionLog::AccessLog),
            ..SlapdOptions::default()
        };
        let slapd = Slapd::start(options)?;
        Some(Self { wire: Wire::to(&slapd.url), slapd, changes: "accesslog" })
    }
}

impl Server for Wired {
    fn find(&self, base: &str, filter: &str, attributes: &[&str]) -> anyhow::Result<Entries> {
        self.slapd.find(base, filter, attributes)
    }

    fn change(&self, records: &str) -> anyhow::Result<()> {
        self.slapd.change(records)
    }

    fn signs_in(&self, dn: &str, password: &str) -> bool {
        self.slapd.signs_in(dn, password)
    }

    fn access(&self) -> (&str, &Path, &str, &str) {
        let (_, ca_file, bind_dn, password) = self.slapd.access();
        (&self.wire.url, ca_file, bind_dn, password)
    }

    fn id(&self) -> &'static str {
        self.slapd.id()
    }

    fn further(&self) -> Json {
        json!({"changes": self.changes})
    }
}

/// The settings of a connector to the server.
pub(crate) fn written(server: &dyn Server, changes: &Json) -> BTreeMap<String, Json> {
    let (url, ca_file, bind_dn, password) = server.access();
    let mut written = json!({
        "servers": [url], "ca_file": ca_file, "base": "dc=mesh,dc=test", "bind_dn": bind_dn, "bind_password": password,
    });
    for further in [&server.further(), changes] {
        for (name, value) in further.as_object().unwrap() {
            written[name] = value.clone();
        }
    }
    serde_json::from_value(written).unwrap()
}

/// The container of people on a server.
pub(crate) struct People<S> {
    pub(crate) server: S,
    pub(crate) kind: Ldap,
}

fn line(ldif: &mut String, attribute: &str, value: &[u8]) {
    writeln!(ldif, "{attribute}:: {}", STANDARD.encode(value)).unwrap();
}

impl<S: Server> People<S> {
    /// `dn:` of the object and what follows.
    fn record(&self, external_id: &str, change: &str) -> Result<String, Stop> {
        let filter = format!("({}={external_id})", self.server.id());
        let found = self.server.find(PEOPLE, &filter, &["cn"]).map_err(broken)?;
        let dn = found.keys().next().ok_or_else(|| Stop::Broken(format!("there is no {external_id}")))?;
        let mut ldif = String::new();
        line(&mut ldif, "dn", dn.as_bytes());
        Ok(ldif + change)
    }

    fn external_id(&self, entry: &BTreeMap<String, Vec<Vec<u8>>>) -> Text {
        let values = entry.iter().find(|(name, _)| name.eq_ignore_ascii_case(self.server.id()));
        Text::new(String::from_utf8_lossy(&values.expect("every entry has its id").1[0]))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "this is what map_err hands over")]
fn broken(error: anyhow::Error) -> Stop {
    Stop::Broken(format!("{error:#}"))
}

#[async_trait]
impl<S: Server> Subject for People<S> {
    fn kind(&self) -> &dyn ConnectorKind {
        &self.kind
    }

    fn written(&self) -> BTreeMap<String, Json> {
        written(&self.server, &json!({"types": {"user": {"base": PEOPLE}}}))
    }

    fn base(&self) -> PathBuf {
        PathBuf::from("/")
    }

    fn schema(&self) -> Option<Schema> {
        let attribute = |attribute: &&str| AttributeSchema {
            ignore_case: true,
            ..AttributeSchema::new(
                name(attribute),
                AttributeType { value: ValueType::String, multi: *attribute == MULTI },
            )
        };
        let mut attributes: Vec<AttributeSchema> = ATTRIBUTES.iter().chain(&["dn"]).map(attribute).collect();
        attributes.sort_by_key(|attribute| attribute.name);
        let user = ObjectSchema { object_type: name("user"), address: Some(name("dn")), attributes };
        Some(Schema { object_types: vec![user] })
    }

    fn form(&self) -> Form {
        Form {
            object_type: name("user"),
            text: name("title"),
            other: name("employeeType"),
            multi: Some((name(MULTI), ["one", "two", "three"].map(Value::text))),
        }
    }

    fn sample(&self, number: u32) -> Object {
        object(&[
            ("dn", Values::from(format!("uid=s{number},{PEOPLE}").as_str())),
            ("uid", Values::from(format!("s{number}").as_str())),
            ("cn", Values::from(format!("Sample {number}").as_str())),
            ("sn", Values::from("Sample")),
            ("title", Values::from(format!("Title {number}").as_str())),
            ("employeeType", Values::from(format!("Kind {number}").as_str())),
        ])
    }

    fn refused(&self) -> Option<Object> {
        let mut object = self.sample(9_000);
        object.remove(name("sn"));
        Some(object)
    }

    fn moved(&self, object: &Object) -> Option<Text> {
        let dn = object.single(name("dn"))?.as_text()?;
        Some(Text::new(dn.replacen("uid=s", "uid=moved", 1)))
    }

    async fn reset(&self) -> Result<(), Stop> {
        let entries = self.server.find(PEOPLE, "(objectClass=inetOrgPerson)", &["cn"]).map_err(broken)?;
        let mut ldif = String::new();
        for dn in entries.keys() {
            line(&mut ldif, "dn", dn.as_bytes());
            ldif.push_str("changetype: delete\n\n");
        }
        if ldif.is_empty() { Ok(()) } else { self.server.change(&ldif).map_err(broken) }
    }

    async fn insert(&self, attributes: &Object) -> Result<Text, Stop> {
        let dn = attributes.single(name("dn")).and_then(|value| value.as_text()).unwrap_or_default();
        let mut ldif = String::new();
        line(&mut ldif, "dn", dn.as_bytes());
        ldif.push_str("changetype: add\nobjectClass: inetOrgPerson\n");
        for (attribute, values) in attributes.iter().filter(|(attribute, _)| attribute.as_str() != "dn") {
            for value in values.as_slice() {
                line(&mut ldif, attribute.as_str(), value.as_text().unwrap_or_default().as_bytes());
            }
        }
        self.server.change(&ldif).map_err(broken)?;
        let entries =
            self.server.find(dn, "(objectClass=inetOrgPerson)", &[self.server.id()]).map_err(broken)?;
        Ok(self.external_id(entries.values().next().expect("the entry was made")))
    }

    async fn edit(&self, external_id: &str, attribute: Name, values: Option<Values>) -> Result<(), Stop> {
        let mut ldif = self.record(external_id, "changetype: modify\n")?;
        writeln!(ldif, "replace: {attribute}").unwrap();
        for value in values.as_ref().map_or(&[][..], Values::as_slice) {
            line(&mut ldif, attribute.as_str(), value.as_text().unwrap_or_default().as_bytes());
        }
        self.server.change(&ldif).map_err(broken)
    }

    /// The directory takes two titles, and the configured schema has one.
    async fn spoil(&self, external_id: &str) -> Result<Option<Name>, Stop> {
        let titles = Values::set(vec![Value::text("One"), Value::text("Two")]);
        self.edit(external_id, name("title"), titles).await?;
        Ok(Some(name("title")))
    }

    async fn erase(&self, external_id: &str) -> Result<(), Stop> {
        let record = self.record(external_id, "changetype: delete\n")?;
        self.server.change(&record).map_err(broken)
    }

    async fn signs_in(&self, identity: &Identity, password: &str) -> Result<Option<bool>, Stop> {
        let dn = identity.address.as_ref().expect("objects of a tree have an address");
        Ok(Some(self.server.signs_in(dn, password)))
    }

    async fn inspect(&self) -> Result<Vec<ImportedObject>, Stop> {
        let wanted = [&ATTRIBUTES[..], &[self.server.id()]].concat();
        let entries = self.server.find(PEOPLE, "(objectClass=inetOrgPerson)", &wanted).map_err(broken)?;
        let objects = entries.into_iter().map(|(dn, entry)| {
            let mut attributes = Object::default();
            attributes.set(name("dn"), Values::from(dn.as_str()));
            for attribute in ATTRIBUTES {
                let held = entry.get(attribute).into_iter().flatten();
                let held: Vec<Value> =
                    held.map(|value| Value::text(String::from_utf8_lossy(value))).collect();
                let values = if attribute == MULTI {
                    Values::set_ignore_case(held)
                } else {
                    held.into_iter().next().map(Values::One)
                };
                attributes.put(name(attribute), values);
            }
            ImportedObject::whole(name("user"), self.external_id(&entry), attributes)
        });
        Ok(objects.collect())
    }
}
