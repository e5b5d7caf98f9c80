//! Systems in memory as the conformance suite sees them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use identitymesh_connector::conformance::{Form, Stop, Subject};
use identitymesh_connector::{ConnectorKind, Identity, ImportedObject};
use identitymesh_connector_fake::{FakeKind, FakeSystem};
use identitymesh_model::{AttributeSchema, Name, Object, ObjectSchema, Schema, Text, Value, Values};

pub(crate) fn name(text: &'static str) -> Name {
    Name::literal(text)
}

pub(crate) fn schema(tree: bool) -> Schema {
    let attribute = |text: &'static str, word: &str| AttributeSchema::new(name(text), word.parse().unwrap());
    let mut attributes = vec![
        attribute("id", "string"),
        attribute("mail", "string"),
        attribute("sn", "string"),
        attribute("enabled", "boolean"),
        attribute("manager", "reference"),
        AttributeSchema { mended: tree, ..attribute("member", "reference[]") },
    ];
    if tree {
        attributes.push(attribute("dn", "string"));
    }
    let address = tree.then(|| name("dn"));
    Schema { object_types: vec![ObjectSchema { object_type: name("person"), address, attributes }] }
}

pub(crate) struct Memory {
    kind: FakeKind,
    pub(crate) system: FakeSystem,
    tree: bool,
}

impl Memory {
    pub(crate) fn keyed() -> Self {
        Self::of(FakeSystem::new(schema(false)).keyed_by(name("id")), false)
    }

    pub(crate) fn tree() -> Self {
        Self::of(FakeSystem::new(schema(true)), true)
    }

    fn of(system: FakeSystem, tree: bool) -> Self {
        Self { kind: FakeKind::new().with_system("hr", system.clone()), system, tree }
    }
}

#[async_trait]
impl Subject for Memory {
    fn kind(&self) -> &dyn ConnectorKind {
        &self.kind
    }

    fn written(&self) -> BTreeMap<String, serde_json::Value> {
        BTreeMap::from([("system".to_owned(), "hr".into())])
    }

    fn form(&self) -> Form {
        let multi = ["a", "b", "c"].map(Value::reference);
        Form {
            object_type: name("person"),
            text: name("sn"),
            other: name("mail"),
            multi: Some((name("member"), multi)),
        }
    }

    fn sample(&self, number: u32) -> Object {
        let mut object = Object::new();
        object.set(name("id"), format!("p{number}").as_str());
        object.set(name("mail"), format!("p{number}@x.example").as_str());
        object.set(name("sn"), "Andersen");
        object.set(name("enabled"), number.is_multiple_of(2));
        if self.tree {
            object.set(name("dn"), format!("cn=p{number},ou=people").as_str());
        }
        object
    }

    fn refused(&self) -> Option<Object> {
        let mut object = self.sample(7);
        object.set(name("enabled"), "perhaps");
        Some(object)
    }

    fn moved(&self, object: &Object) -> Option<Text> {
        let address = object.single(name("dn"))?.as_text()?;
        Some(Text::new(address.replace("ou=people", "ou=gone")))
    }

    async fn reset(&self) -> Result<(), Stop> {
        self.system.clear();
        Ok(())
    }

    async fn insert(&self, attributes: &Object) -> Result<Text, Stop> {
        let id = attributes.single(name("id")).map(ToString::to_string).unwrap_or_default();
        self.system.put(name("person"), &id, attributes.clone());
        Ok(Text::new(id))
    }

    async fn edit(&self, external_id: &str, attribute: Name, values: Option<Values>) -> Result<(), Stop> {
        self.system.set(name("person"), external_id, attribute, values);
        Ok(())
    }

    async fn spoil(&self, external_id: &str) -> Result<Option<Name>, Stop> {
        self.system.set(name("person"), external_id, name("enabled"), Some("perhaps".into()));
        Ok(Some(name("enabled")))
    }

    async fn erase(&self, external_id: &str) -> Result<(), Stop> {
        self.system.remove(name("person"), external_id);
        Ok(())
    }

    async fn signs_in(&self, identity: &Identity, password: &str) -> Result<Option<bool>, Stop> {
        let set = self.system.password(name("person"), &identity.external_id);
        Ok(Some(set.is_some_and(|(set, _)| set == password)))
    }

    async fn inspect(&self) -> Result<Vec<ImportedObject>, Stop> {
        Ok(self.system.objects())
    }
}
