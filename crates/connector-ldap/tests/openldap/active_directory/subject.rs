//! A domain as the conformance suite sees it: emptied, filled and read with OpenLDAP's commands.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identitymesh_connector::conformance::{Form, Stop, Subject};
use identitymesh_connector::{ConnectorKind, Identity, ImportedObject};
use identitymesh_connector_ldap::Ldap;
use identitymesh_model::{
    AttributeSchema, AttributeType, Name, Object, ObjectSchema, Schema, Text, Value, ValueType, Values,
};
use identitymesh_testkit::real::SambaAd;
use serde_json::{Value as Json, json};

use super::support::{PEOPLE, written};
use crate::support::{name, object};

const ATTRIBUTES: [&str; 6] =
    ["cn", "sAMAccountName", "title", "department", "otherTelephone", "otherMobile"];

/// The container of people in a domain.
pub(super) struct Domain {
    pub(super) ad: SambaAd,
    pub(super) kind: Ldap,
}

/// The kit's errors are for people who read a failed test.
fn stop<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, Stop> {
    result.map_err(|error| Stop::Broken(format!("the domain by its own means: {error:#}")))
}

fn line(ldif: &mut String, attribute: &str, value: &[u8]) {
    writeln!(ldif, "{attribute}:: {}", STANDARD.encode(value)).unwrap();
}

fn by_id(id: &str) -> String {
    let mut ldif = String::new();
    line(&mut ldif, "dn", format!("<GUID={id}>").as_bytes());
    ldif
}

#[async_trait]
impl Subject for Domain {
    fn kind(&self) -> &dyn ConnectorKind {
        &self.kind
    }

    fn written(&self) -> BTreeMap<String, Json> {
        written(&self.ad, &json!({"include": null, "types": {"user": {"base": PEOPLE}}}))
    }

    fn base(&self) -> PathBuf {
        PathBuf::from("/")
    }

    fn schema(&self) -> Option<Schema> {
        let mut attributes: Vec<AttributeSchema> = ATTRIBUTES
            .iter()
            .chain(&["dn"])
            .map(|attribute| AttributeSchema {
                ignore_case: true,
                ..AttributeSchema::new(
                    name(attribute),
                    AttributeType { value: ValueType::String, multi: *attribute == "otherTelephone" },
                )
            })
            .collect();
        attributes.sort_by_key(|attribute| attribute.name);
        let user = ObjectSchema { object_type: name("user"), address: Some(name("dn")), attributes };
        Some(Schema { object_types: vec![user] })
    }

    fn form(&self) -> Form {
        Form {
            object_type: name("user"),
            text: name("title"),
            other: name("department"),
            multi: Some((name("otherTelephone"), ["+1", "+2", "+3"].map(Value::text))),
        }
    }

    fn sample(&self, number: u32) -> Object {
        object(&[
            ("dn", Values::from(format!("CN=Sample {number},{PEOPLE}").as_str())),
            ("cn", Values::from(format!("Sample {number}").as_str())),
            ("sAMAccountName", Values::from(format!("s{number}").as_str())),
            ("title", Values::from(format!("Title {number}").as_str())),
            ("department", Values::from(format!("Department {number}").as_str())),
        ])
    }

    fn refused(&self) -> Option<Object> {
        let mut object = self.sample(9_000);
        object.set(name("sAMAccountName"), Values::from("administrator"));
        Some(object)
    }

    fn moved(&self, object: &Object) -> Option<Text> {
        let dn = object.single(name("dn"))?.as_text()?;
        Some(Text::new(dn.replacen("CN=Sample", "CN=Moved", 1)))
    }

    async fn reset(&self) -> Result<(), Stop> {
        let entries = stop(self.ad.search(PEOPLE, "(objectClass=user)", &["cn"]))?;
        let mut ldif = String::new();
        for dn in entries.keys() {
            line(&mut ldif, "dn", dn.as_bytes());
            ldif.push_str("changetype: delete\n\n");
        }
        if !ldif.is_empty() {
            stop(self.ad.modify(&ldif))?;
        }
        Ok(())
    }

    async fn insert(&self, attributes: &Object) -> Result<Text, Stop> {
        let dn = attributes.single(name("dn")).and_then(|value| value.as_text()).unwrap_or_default();
        let mut ldif = String::new();
        line(&mut ldif, "dn", dn.as_bytes());
        ldif.push_str("changetype: add\nobjectClass: user\n");
        for (attribute, values) in
            attributes.iter().filter(|(attribute, _)| !["dn", "cn"].contains(&attribute.as_str()))
        {
            for value in values.as_slice() {
                line(&mut ldif, attribute.as_str(), value.as_text().unwrap_or_default().as_bytes());
            }
        }
        stop(self.ad.modify(&ldif))?;
        let entries = stop(self.ad.search(dn, "(objectClass=user)", &["objectGUID"]))?;
        Ok(guid(entries.values().next().expect("the entry was made")))
    }

    async fn edit(&self, external_id: &str, attribute: Name, values: Option<Values>) -> Result<(), Stop> {
        let mut ldif = by_id(external_id);
        writeln!(ldif, "changetype: modify\nreplace: {attribute}").unwrap();
        for value in values.as_ref().map_or(&[][..], Values::as_slice) {
            line(&mut ldif, attribute.as_str(), value.as_text().unwrap_or_default().as_bytes());
        }
        stop(self.ad.modify(&ldif))
    }

    /// The domain takes two numbers, and the configured schema has one.
    async fn spoil(&self, external_id: &str) -> Result<Option<Name>, Stop> {
        let numbers = Values::set(vec![Value::text("+1"), Value::text("+2")]);
        self.edit(external_id, name("otherMobile"), numbers).await?;
        Ok(Some(name("otherMobile")))
    }

    async fn erase(&self, external_id: &str) -> Result<(), Stop> {
        stop(self.ad.modify(&(by_id(external_id) + "changetype: delete\n")))
    }

    async fn inspect(&self) -> Result<Vec<ImportedObject>, Stop> {
        let wanted = [&ATTRIBUTES[..], &["objectGUID"]].concat();
        let entries = stop(self.ad.search(PEOPLE, "(&(objectCategory=person)(objectClass=user))", &wanted))?;
        let objects = entries.into_iter().map(|(dn, entry)| {
            let mut attributes = Object::default();
            attributes.set(name("dn"), Values::from(dn.as_str()));
            for attribute in ATTRIBUTES {
                let held = entry.get(attribute).into_iter().flatten();
                let held: Vec<Value> =
                    held.map(|value| Value::text(String::from_utf8_lossy(value))).collect();
                let values = if attribute == "otherTelephone" {
                    Values::set_ignore_case(held)
                } else {
                    held.into_iter().next().map(Values::One)
                };
                attributes.put(name(attribute), values);
            }
            ImportedObject::whole(name("user"), guid(&entry), attributes)
        });
        Ok(objects.collect())
    }

    async fn signs_in(&self, identity: &Identity, password: &str) -> Result<Option<bool>, Stop> {
        // The suite's objects have no first password, so they begin disabled.
        let enable = by_id(&identity.external_id)
            + "changetype: modify\nreplace: userAccountControl\nuserAccountControl: 512\n";
        stop(self.ad.modify(&enable))?;
        let dn = identity.address.as_deref().unwrap_or_default();
        Ok(Some(self.ad.binds(dn, password)))
    }
}

/// The text of the GUID, put together here so that the product's way is not taken on trust.
fn guid(entry: &BTreeMap<String, Vec<Vec<u8>>>) -> Text {
    let bytes = &entry["objectGUID"][0];
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut text = String::new();
    for (at, place) in order.into_iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        write!(text, "{:02x}", bytes[place]).unwrap();
    }
    Text::new(&text)
}
