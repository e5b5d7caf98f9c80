//! Schemas: which attributes an object type has and how their values compare.
//!
//! A connector's schema is discovered and may be adjusted; the mesh's is registered. Both use these types, and in
//! configuration a type is written as one word with `[]` for multi-valued: `"string"`, `"reference[]"`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Name;

/// The type of one value (sync semantics, section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueType {
    /// Unicode text.
    String,
    /// 64-bit integer.
    Integer,
    /// True or false.
    Boolean,
    /// A moment in UTC; in configuration `datetime`.
    DateTime,
    /// Bytes.
    Binary,
    /// Another object.
    Reference,
}

/// A value type, and whether an attribute holds one or a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttributeType {
    /// What each value is.
    pub value: ValueType,
    /// Whether there may be several.
    pub multi: bool,
}

impl AttributeType {
    /// One text.
    pub const STRING: Self = Self { value: ValueType::String, multi: false };
}

/// A word that names no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "MDL-020: {word:?} is no attribute type; use string, integer, boolean, datetime, binary or reference, with [] for several values"
)]
pub struct UnknownType {
    /// What was written.
    pub word: String,
}

impl FromStr for AttributeType {
    type Err = UnknownType;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (base, multi) = word.strip_suffix("[]").map_or((word, false), |base| (base, true));
        let value = match base {
            "string" => ValueType::String,
            "integer" => ValueType::Integer,
            "boolean" => ValueType::Boolean,
            "datetime" => ValueType::DateTime,
            "binary" => ValueType::Binary,
            "reference" => ValueType::Reference,
            _ => return Err(UnknownType { word: word.to_owned() }),
        };
        Ok(Self { value, multi })
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::DateTime => "datetime",
            Self::Binary => "binary",
            Self::Reference => "reference",
        })
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.value, if self.multi { "[]" } else { "" })
    }
}

impl Serialize for AttributeType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AttributeType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        word.parse().map_err(serde::de::Error::custom)
    }
}

/// One attribute of an object type in a connected system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeSchema {
    /// Its name, in the spelling that documents use.
    pub name: Name,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: AttributeType,
    /// Values that differ only in case are the same value.
    #[serde(default)]
    pub ignore_case: bool,
    /// The system sets it; an export may not.
    #[serde(default)]
    pub read_only: bool,
    /// Secret or private: never shown, hashed in the audit.
    #[serde(default)]
    pub sensitive: bool,
    /// Of a reference: its values are what other objects hold in this attribute, as `memberUid` holds what users hold
    /// in `uid`. Without it references hold addresses, or external ids where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refers_by: Option<Name>,
    /// Of a reference: the system keeps its values in step with the objects that they mean. It takes one out when the
    /// object is deleted, spells it anew when the object is renamed, and no delta says so of the object that holds it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mended: bool,
}

impl AttributeSchema {
    /// A writable, case-sensitive attribute.
    #[must_use]
    pub const fn new(name: Name, kind: AttributeType) -> Self {
        Self {
            name,
            kind,
            ignore_case: false,
            read_only: false,
            sensitive: false,
            refers_by: None,
            mended: false,
        }
    }
}

/// The attributes of one object type in a connected system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectSchema {
    /// The object type.
    pub object_type: Name,
    /// Where the system's references point: the attribute that holds an object's own address (`dn` in a
    /// directory). Without it references hold external ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Name>,
    /// The attributes, each once.
    pub attributes: Vec<AttributeSchema>,
}

impl ObjectSchema {
    /// The schema of one attribute.
    #[must_use]
    pub fn attribute(&self, name: Name) -> Option<&AttributeSchema> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// All object types that a connector offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The types, each once.
    pub object_types: Vec<ObjectSchema>,
}

impl Schema {
    /// The attributes by which references refer to objects, each once.
    #[must_use]
    pub fn referred_by(&self) -> Vec<Name> {
        let attributes = self.object_types.iter().flat_map(|known| &known.attributes);
        let mut names: Vec<Name> = attributes.filter_map(|attribute| attribute.refers_by).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// One object type's schema.
    #[must_use]
    pub fn object_type(&self, name: Name) -> Option<&ObjectSchema> {
        self.object_types.iter().find(|schema| schema.object_type == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_words() {
        for word in ["string", "integer[]", "boolean", "datetime", "binary[]", "reference[]"] {
            assert_eq!(word.parse::<AttributeType>().unwrap().to_string(), word);
        }
        for word in ["", "text", "string []", "String", "[]"] {
            assert!(word.parse::<AttributeType>().is_err(), "{word}");
        }
    }
}
