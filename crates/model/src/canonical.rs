//! The canonical text of a document: JSON, one form for one content.
//!
//! Keys in the order of their folded names, no blanks, sets sorted. Text, integers and booleans are themselves;
//! the types that JSON lacks are objects of one member: `{"$date":"…"}`, `{"$bin":"<base64>"}`, `{"$ref":"…"}`. So
//! a document says what it holds without a schema, an administrator can read and filter it in SQL, and its hash can
//! be computed again from the stored bytes. A change here makes every stored hash wrong: add a fixture first.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::{Name, Object, Text, Timestamp, Value, Values};

/// Appends the canonical text of `object` to `out`.
pub fn write_object(object: &Object, out: &mut String) {
    out.push('{');
    for (index, (name, values)) in object.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(name.as_str(), out);
        out.push(':');
        write_values(values, out);
    }
    out.push('}');
}

/// The canonical text of `object`.
#[must_use]
pub fn object_to_string(object: &Object) -> String {
    let mut out = String::with_capacity(32 * object.len() + 2);
    write_object(object, &mut out);
    out
}

/// Appends the canonical text of one attribute's values.
pub fn write_values(values: &Values, out: &mut String) {
    match values {
        Values::One(value) => write_value(value, out),
        Values::Set(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(value, out);
            }
            out.push(']');
        }
    }
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Text(text) => write_text(text, out),
        Value::Integer(number) => write!(out, "{number}").expect("a string takes what is written"),
        Value::Boolean(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::DateTime(at) => write!(out, "{{\"$date\":\"{at}\"}}").expect("a string takes what is written"),
        Value::Binary(bytes) => {
            out.push_str("{\"$bin\":\"");
            BASE64.encode_string(bytes, out);
            out.push_str("\"}");
        }
        Value::Reference(key) => {
            out.push_str("{\"$ref\":");
            write_text(key, out);
            out.push('}');
        }
    }
}

/// Appends `text` as a JSON string with the fewest escapes.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut clean_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[clean_from..at]);
        clean_from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => write!(out, "\\u{byte:04x}").expect("a string takes what is written"),
        }
    }
    out.push_str(&text[clean_from..]);
    out.push('"');
}

/// Reads documents that have mostly the same attributes, which is what a table of them holds.
///
/// The reader expects each document to have the attributes of the one before, and only asks the table of names when
/// that guess is wrong.
#[derive(Debug, Default)]
pub struct DocumentReader {
    shape: Vec<Name>,
}

impl DocumentReader {
    /// A reader without expectations.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one canonical document.
    ///
    /// # Errors
    /// When the text is no JSON object of values as this module writes them.
    pub fn read(&mut self, text: &str) -> Result<Object, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let object = ObjectSeed { shape: &mut self.shape }.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(object)
    }
}

/// Reads one canonical document.
///
/// # Errors
/// As [`DocumentReader::read`].
pub fn parse_object(text: &str) -> Result<Object, serde_json::Error> {
    DocumentReader::new().read(text)
}

struct ObjectSeed<'s> {
    shape: &'s mut Vec<Name>,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_> {
    type Value = Object;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of attributes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object::with_capacity(self.shape.len());
        let mut position = 0;
        while let Some(name) = map.next_key_seed(KeySeed { expected: self.shape.get(position).copied() })? {
            match self.shape.get(position) {
                Some(known) if known.as_str() == name.as_str() => {}
                _ => {
                    self.shape.truncate(position);
                    self.shape.push(name);
                }
            }
            position += 1;
            let ValuesOrAbsent(values) = map.next_value()?;
            object.put(name, values);
        }
        Ok(object)
    }
}

struct KeySeed {
    expected: Option<Name>,
}

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Name;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an attribute name")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Name, E> {
        match self.expected {
            Some(expected) if expected.as_str() == text => Ok(expected),
            _ => Name::new(text).map_err(E::custom),
        }
    }
}

/// `null` and the empty list are absent, wherever a person or an old writer left them.
struct ValuesOrAbsent(Option<Values>);

impl<'de> serde::Deserialize<'de> for ValuesOrAbsent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor { in_set: false }).map(Self)
    }
}

impl<'de> serde::Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValuesOrAbsent::deserialize(deserializer)?.0.ok_or_else(|| D::Error::custom("a value is absent here"))
    }
}

struct ValuesVisitor {
    in_set: bool,
}

fn one<E>(value: impl Into<Value>) -> Result<Option<Values>, E> {
    Ok(Some(Values::One(value.into())))
}

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Option<Values>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text, an integer, true, false, a $date, $bin or $ref, or a list of these")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        one(text)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
        one(number)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        one(i64::try_from(number).map_err(|_| E::custom("an integer is larger than 64 bits with sign"))?)
    }

    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<Self::Value, E> {
        one(truth)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        if self.in_set {
            return Err(A::Error::custom("a list within a list"));
        }
        let mut values = Vec::with_capacity(list.size_hint().unwrap_or(4).min(1_024));
        while let Some(SetMember(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Values::set(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((kind, text)) = map.next_entry::<Text, Text>()? else {
            return Err(A::Error::custom("an empty object where a value was expected"));
        };
        if map.next_key::<Text>()?.is_some() {
            return Err(A::Error::custom("more than one member in a typed value"));
        }
        let value = match kind.as_str() {
            "$date" => Value::DateTime(text.parse::<Timestamp>().map_err(A::Error::custom)?),
            "$bin" => Value::Binary(BASE64.decode(text.as_bytes()).map_err(A::Error::custom)?.into()),
            "$ref" => Value::Reference(text),
            other => return Err(A::Error::custom(format!("unknown value type {other:?}"))),
        };
        Ok(Some(Values::One(value)))
    }
}

struct SetMember(Value);

impl<'de> serde::Deserialize<'de> for SetMember {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(ValuesVisitor { in_set: true })? {
            Some(Values::One(value)) => Ok(Self(value)),
            _ => Err(D::Error::custom("null within a list")),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SetMember::deserialize(deserializer).map(|SetMember(value)| value)
    }
}

impl<'de> serde::Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ObjectSeed { shape: &mut Vec::new() }.deserialize(deserializer)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(value) => value.serialize(serializer),
            Self::Set(values) => serializer.collect_seq(values),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Boolean(truth) => serializer.serialize_bool(*truth),
            Self::DateTime(at) => serializer.collect_map([("$date", at.to_string())]),
            Self::Binary(bytes) => serializer.collect_map([("$bin", BASE64.encode(bytes))]),
            Self::Reference(key) => serializer.collect_map([("$ref", key)]),
        }
    }
}

#[cfg(test)]
mod tests;
