//! The schema in force, arranged for reading and writing one file.
//!
//! A type's layout knows its key attributes and finds an attribute by the spelling in the file without interning
//! it, so a file full of generated names cannot fill the table of names.

use std::collections::{BTreeMap, HashMap};

use identitymesh_connector::ConnectorError;
use identitymesh_model::{
    ATTRIBUTE_COUNT_MAX, AttributeSchema, AttributeType, Name, Object, ObjectSchema, Schema, Text, Value,
    ValueType, Values,
};

use crate::config::{Config, Format, TypeConfig};
use crate::convert::TextRules;
use crate::error;
use crate::record::KEY_BYTES_MAX;

/// The address attribute of LDIF.
pub(crate) const DN: &str = "dn";

/// All object types of a file.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) types: Vec<TypeLayout>,
    /// The JSON reader looks types up by their word.
    by_word: HashMap<String, usize>,
}

/// One object type.
#[derive(Clone, Debug)]
pub(crate) struct TypeLayout {
    pub(crate) schema: ObjectSchema,
    pub(crate) object_class: Option<String>,
    key: Vec<Name>,
    text: TextRules,
    by_spelling: HashMap<String, usize>,
    by_folded: HashMap<String, usize>,
}

/// Attributes found in a sample of the file, by object type.
pub(crate) type Sample = BTreeMap<Name, BTreeMap<Name, AttributeType>>;

impl Layout {
    /// From the schema in force.
    pub(crate) fn new(config: &Config, schema: &Schema) -> Self {
        let types: Vec<_> =
            schema.object_types.iter().map(|schema| TypeLayout::new(config, schema)).collect();
        let by_word =
            types.iter().enumerate().map(|(at, kind)| (kind.name().as_str().to_owned(), at)).collect();
        Self { types, by_word }
    }

    /// The layout of a type that the file spells `word`.
    pub(crate) fn by_word(&self, word: &str) -> Option<&TypeLayout> {
        self.by_word.get(word).map(|at| &self.types[*at])
    }

    /// Whether the file has all these types.
    pub(crate) fn check_types(&self, wanted: &[Name]) -> Result<(), ConnectorError> {
        let Some(unknown) = wanted.iter().find(|name| self.by_name(**name).is_none()) else { return Ok(()) };
        let known: Vec<&str> = self.types.iter().map(|kind| kind.schema.object_type.as_str()).collect();
        Err(error::configuration(
            format!("{unknown} is no object type of this file; it has {}", known.join(", ")),
            "name the type in the settings (object_type or types), or correct the rules that speak of it",
        ))
    }

    /// The layout of a type.
    pub(crate) fn by_name(&self, name: Name) -> Option<&TypeLayout> {
        self.types.iter().find(|kind| kind.name() == name)
    }
}

impl TypeLayout {
    fn new(config: &Config, schema: &ObjectSchema) -> Self {
        let known =
            config.types.iter().find(|kind| kind.name == schema.object_type).unwrap_or(&config.common);
        let spelled = |at: usize| schema.attributes[at].name;
        let count = schema.attributes.len();
        Self {
            key: key_names(config, known),
            object_class: known.object_class.clone(),
            text: config.text.clone(),
            by_spelling: (0..count).map(|at| (spelled(at).as_str().to_owned(), at)).collect(),
            by_folded: (0..count).map(|at| (spelled(at).folded().to_owned(), at)).collect(),
            schema: schema.clone(),
        }
    }

    /// A new LDIF entry gets the object class that makes it this type, unless it brings classes of its own.
    pub(crate) fn add_object_class(&self, attributes: &mut Object) {
        let name = Name::literal("objectClass");
        if let Some(class) = &self.object_class
            && attributes.get(name).is_none()
        {
            attributes.put(name, Values::set(vec![Value::text("top"), Value::text(class)]));
        }
    }

    /// The object type.
    pub(crate) fn name(&self) -> Name {
        self.schema.object_type
    }

    /// The attributes that make up the external id.
    pub(crate) fn key(&self) -> &[Name] {
        &self.key
    }

    /// The attribute that the file spells `spelling`.
    pub(crate) fn attribute(&self, spelling: &str) -> Option<&AttributeSchema> {
        let at = self.by_spelling.get(spelling).or_else(|| self.by_folded.get(&spelling.to_lowercase()))?;
        Some(&self.schema.attributes[*at])
    }

    /// The external id of an object: the key's text; of a key with several parts the texts joined by `|`, where
    /// `\` stands before a `|` or `\` of the text itself.
    pub(crate) fn key_of(&self, attributes: &Object) -> Result<Text, String> {
        let mut whole = String::new();
        for (index, name) in self.key.iter().enumerate() {
            let Some(value) = attributes.single(*name) else {
                return Err(format!("the key {name} is missing"));
            };
            let text = self.text.text(value)?;
            if text.trim().is_empty() {
                return Err(format!("the key {name} is empty"));
            }
            if self.key.len() == 1 {
                whole = text;
                continue;
            }
            if index > 0 {
                whole.push('|');
            }
            whole.push_str(&text.replace('\\', "\\\\").replace('|', "\\|"));
        }
        match whole.len() > KEY_BYTES_MAX {
            true => Err(format!("the key has {} bytes, more than the {KEY_BYTES_MAX} allowed", whole.len())),
            false => Ok(Text::from(whole)),
        }
    }
}

/// The key's attribute names. In a CSV file the settings may name the column instead.
fn key_names(config: &Config, kind: &TypeConfig) -> Vec<Name> {
    let attribute = |word: &String| config.header.get(word).unwrap_or(word).clone();
    kind.key.iter().filter_map(|word| Name::new(&attribute(word)).ok()).collect()
}

/// Adds the attribute to the type, where a file of this format shows by itself what it holds. `false` where the
/// settings must declare it, because the next read would take it for something else.
pub(crate) fn learn(config: &Config, schema: &mut ObjectSchema, name: Name, values: &Values) -> bool {
    let value = match values.as_slice().first() {
        Some(Value::Text(_)) => ValueType::String,
        Some(Value::Integer(_)) if config.format == Format::Json => ValueType::Integer,
        Some(Value::Boolean(_)) if config.format == Format::Json => ValueType::Boolean,
        _ => return false,
    };
    let multi = matches!(values, Values::Set(_));
    if multi && config.format != Format::Json || schema.attributes.len() >= ATTRIBUTE_COUNT_MAX {
        return false;
    }
    schema.attributes.push(AttributeSchema::new(name, AttributeType { value, multi }));
    true
}

/// The schema that the settings and a sample of the file give.
pub(crate) fn schema_of(config: &Config, sample: &Sample) -> Schema {
    let mut types = config.types.clone();
    if !config.types_are_fixed {
        types.extend(sample.keys().map(|name| TypeConfig { name: *name, ..config.common.clone() }));
    }
    let object_types = types.iter().map(|kind| object_schema(config, kind, sample.get(&kind.name))).collect();
    Schema { object_types }
}

fn object_schema(
    config: &Config,
    kind: &TypeConfig,
    sample: Option<&BTreeMap<Name, AttributeType>>,
) -> ObjectSchema {
    let mut found: BTreeMap<Name, AttributeType> = BTreeMap::new();
    for name in key_names(config, kind) {
        found.insert(name, AttributeType::STRING);
    }
    for name in config.header.values().filter_map(|name| Name::new(name).ok()) {
        found.insert(name, AttributeType::STRING);
    }
    let is_tree = config.format == Format::Ldif;
    if is_tree {
        // One entry of a sample may show a single class; all directories allow several.
        found.insert(Name::literal("objectClass"), AttributeType { multi: true, ..AttributeType::STRING });
    }
    for (name, attribute_type) in sample.into_iter().flatten() {
        let attribute_type = AttributeType {
            multi: attribute_type.multi || found.get(name).is_some_and(|known| known.multi),
            ..*attribute_type
        };
        if found.len() < ATTRIBUTE_COUNT_MAX {
            found.insert(*name, attribute_type);
        }
    }
    for (name, attribute_type) in &kind.attributes {
        if let Ok(name) = Name::new(name) {
            found.remove(&name);
            found.insert(name, *attribute_type);
        }
    }
    let address = is_tree.then(|| Name::literal(DN));
    if let Some(dn) = address {
        found.insert(dn, AttributeType::STRING);
    }
    let attribute = |(name, kind): (Name, AttributeType)| AttributeSchema {
        ignore_case: is_tree && (Some(name) == address || kind.value == ValueType::Reference),
        ..AttributeSchema::new(name, kind)
    };
    ObjectSchema { object_type: kind.name, address, attributes: found.into_iter().map(attribute).collect() }
}
