//! Files as the conformance suite sees them: written and read without the connector.
//!
//! An object is held here as the texts of its attributes, by name; each format writes and reads those with a library
//! or a few lines of its own. The types are those of [`KINDS`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use identitymesh_connector::conformance::{self, Stop, Subject};
use identitymesh_connector::{ConnectorKind, ImportedObject};
use identitymesh_connector_file::FileKind;
use identitymesh_model::{AttributeType, Name, Object, Text, Value, ValueType, Values};
use serde_json::{Value as Json, json};

use crate::formats;

/// The attributes of a person and their types; the key is `id`.
pub(crate) const KINDS: [(&str, &str); 8] = [
    ("enabled", "boolean"),
    ("hired", "datetime"),
    ("id", "string"),
    ("mail", "string"),
    ("manager", "reference"),
    ("photo", "binary"),
    ("sn", "string"),
    ("tags", "string[]"),
];

/// An object as texts; binary values as bytes.
pub(crate) type Texts = BTreeMap<String, Vec<Vec<u8>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Csv,
    Ldif,
    JsonLines,
    JsonArray,
}

/// A connector on one file.
pub(crate) struct Written {
    form: Form,
    kind: FileKind,
    folder: tempfile::TempDir,
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

impl Written {
    pub(crate) fn new(form: Form) -> Self {
        let kind = match form {
            Form::Csv => FileKind::csv(),
            Form::Ldif => FileKind::ldif(),
            Form::JsonLines | Form::JsonArray => FileKind::json(),
        };
        Self { form, kind, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("people")
    }

    fn is_tree(&self) -> bool {
        self.form == Form::Ldif
    }

    fn type_of(&self, attribute: &str) -> AttributeType {
        let declared = KINDS.iter().find(|(known, _)| *known == attribute).map(|(_, word)| *word);
        let word = match attribute {
            "objectClass" => "string[]",
            _ => declared.unwrap_or("string"),
        };
        word.parse().unwrap()
    }

    fn read(&self) -> Vec<Texts> {
        formats::read(self.form, &std::fs::read(self.path()).unwrap())
    }

    fn write(&self, objects: &[Texts]) {
        std::fs::write(self.path(), formats::write(self.form, objects)).unwrap();
    }

    fn texts(&self, object: &Object) -> Texts {
        let as_texts = |(name, values): (Name, &Values)| {
            (name.to_string(), values.as_slice().iter().map(bytes_of).collect())
        };
        object.iter().map(as_texts).collect()
    }

    /// Replaces one attribute of one object by these texts.
    fn replace(&self, external_id: &str, attribute: &str, texts: Vec<Vec<u8>>) {
        let mut objects = self.read();
        let object = objects.iter_mut().find(|object| object["id"][0] == external_id.as_bytes()).unwrap();
        object.insert(attribute.to_owned(), texts);
        object.retain(|_, texts| !texts.is_empty());
        self.write(&objects);
    }
}

fn bytes_of(value: &Value) -> Vec<u8> {
    match value {
        Value::Text(text) | Value::Reference(text) => text.as_bytes().to_vec(),
        Value::Binary(bytes) => bytes.to_vec(),
        Value::Boolean(truth) => truth.to_string().into_bytes(),
        Value::Integer(number) => number.to_string().into_bytes(),
        Value::DateTime(at) => at.to_string().into_bytes(),
    }
}

fn value_of(kind: ValueType, bytes: &[u8]) -> Value {
    let text = || String::from_utf8(bytes.to_vec()).unwrap();
    match kind {
        ValueType::String => Value::text(text()),
        ValueType::Reference => Value::reference(text()),
        ValueType::Binary => Value::Binary(bytes.into()),
        ValueType::Boolean => Value::Boolean(text().parse().unwrap()),
        ValueType::Integer => Value::Integer(text().parse().unwrap()),
        ValueType::DateTime => Value::DateTime(text().parse().unwrap()),
    }
}

#[async_trait]
impl Subject for Written {
    fn kind(&self) -> &dyn ConnectorKind {
        &self.kind
    }

    fn base(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn written(&self) -> BTreeMap<String, Json> {
        let attributes: BTreeMap<&str, &str> = KINDS.into_iter().collect();
        let mut settings = BTreeMap::from([
            ("path".to_owned(), json!("people")),
            ("object_type".to_owned(), json!("person")),
            ("key".to_owned(), json!("id")),
            ("settle_ms".to_owned(), json!(0)),
            ("export".to_owned(), json!("full")),
            ("attributes".to_owned(), json!(attributes)),
        ]);
        match self.form {
            Form::JsonLines => drop(settings.insert("format".to_owned(), json!("lines"))),
            Form::JsonArray => drop(settings.insert("format".to_owned(), json!("array"))),
            Form::Ldif => {
                let person = json!({ "object_class": "inetOrgPerson" });
                settings.insert("types".to_owned(), json!({ "person": person }));
            }
            Form::Csv => {}
        }
        settings
    }

    fn form(&self) -> conformance::Form {
        let tags = ["staff", "O'Hara; --", "x,y \"z\""].map(Value::text);
        conformance::Form {
            object_type: name("person"),
            text: name("sn"),
            other: name("mail"),
            multi: Some((name("tags"), tags)),
        }
    }

    fn sample(&self, number: u32) -> Object {
        let mut object = Object::new();
        object.set(name("id"), format!("p{number:03}").as_str());
        object.set(name("sn"), "Andersen");
        object.set(name("mail"), format!("p{number}@x.example").as_str());
        object.set(name("enabled"), number.is_multiple_of(2));
        object.set(name("hired"), Value::DateTime("2026-03-02T08:00:00Z".parse().unwrap()));
        object.set(name("photo"), Value::Binary(vec![0, 1, 0xff].into()));
        object.set(name("manager"), Value::reference("p000"));
        object.put(name("tags"), Values::set(vec![Value::text("staff"), Value::text("b")]));
        if self.is_tree() {
            object.set(name("dn"), format!("id=p{number:03},ou=people,dc=x").as_str());
            let classes = vec![Value::text("top"), Value::text("inetOrgPerson")];
            object.put(name("objectClass"), Values::set(classes));
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
        self.write(&[]);
        if self.form == Form::JsonLines {
            // A file of no byte at all is taken for a delivery that failed; one blank line holds no object.
            std::fs::write(self.path(), "\n")?;
        }
        Ok(())
    }

    async fn insert(&self, attributes: &Object) -> Result<Text, Stop> {
        let mut objects = self.read();
        objects.push(self.texts(attributes));
        self.write(&objects);
        Ok(Text::new(attributes.single(name("id")).unwrap().as_text().unwrap()))
    }

    async fn edit(&self, external_id: &str, attribute: Name, values: Option<Values>) -> Result<(), Stop> {
        let texts = values.map(Values::into_vec).unwrap_or_default().iter().map(bytes_of).collect();
        self.replace(external_id, attribute.as_str(), texts);
        Ok(())
    }

    async fn spoil(&self, external_id: &str) -> Result<Option<Name>, Stop> {
        self.replace(external_id, "hired", vec![b"soon".to_vec()]);
        Ok(Some(name("hired")))
    }

    async fn erase(&self, external_id: &str) -> Result<(), Stop> {
        let mut objects = self.read();
        objects.retain(|object| object["id"][0] != external_id.as_bytes());
        self.write(&objects);
        Ok(())
    }

    async fn inspect(&self) -> Result<Vec<ImportedObject>, Stop> {
        let whole = |texts: Texts| {
            let id = Text::new(std::str::from_utf8(&texts["id"][0]).unwrap());
            let values = |(attribute, texts): (&String, &Vec<Vec<u8>>)| {
                let kind = self.type_of(attribute);
                let values = texts.iter().map(|text| value_of(kind.value, text)).collect::<Vec<_>>();
                let values =
                    if kind.multi { Values::set(values) } else { values.into_iter().next().map(Values::One) };
                Some((name(attribute), values?))
            };
            ImportedObject::whole(name("person"), id, texts.iter().filter_map(values).collect())
        };
        Ok(self.read().into_iter().map(whole).collect())
    }
}
