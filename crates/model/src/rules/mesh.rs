//! What the mesh holds: types with attributes, and attributes computed from others.

use serde::{Deserialize, Serialize};

use super::inbound::Missing;
use crate::{AttributeType, Name};

/// `mesh.toml`: types and computed attributes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeshConfig {
    /// Registered object types.
    #[serde(rename = "type", default)]
    pub types: Vec<MeshType>,
    /// Computed attributes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub computed: Vec<ComputedRule>,
}

impl MeshConfig {
    /// One type by name.
    #[must_use]
    pub fn mesh_type(&self, name: Name) -> Option<&MeshType> {
        self.types.iter().find(|mesh_type| mesh_type.name == name)
    }
}

/// A registered mesh object type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeshType {
    /// Its name: `user`, `group`, `orgUnit` or one of the customer's own.
    pub name: Name,
    /// Its attributes by name.
    #[serde(with = "attribute_table", default)]
    pub attributes: Vec<(Name, MeshAttribute)>,
}

impl MeshType {
    /// One attribute.
    #[must_use]
    pub fn attribute(&self, name: Name) -> Option<&MeshAttribute> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, attribute)| attribute)
    }
}

/// One attribute of a mesh type. In configuration a word (`"string[]"`), or a table when there is more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeshAttribute {
    /// Its type.
    pub kind: AttributeType,
    /// Values that differ only in case are the same value; a difference in case alone is then not exported.
    pub ignore_case: bool,
    /// How several contributions to a multi-valued attribute combine.
    pub merge: MergePolicy,
    /// Secret or private: hashed wherever it is shown.
    pub sensitive: bool,
}

impl MeshAttribute {
    /// Whether several contributions stand beside each other in it.
    #[must_use]
    pub fn merges(&self) -> bool {
        self.kind.multi && self.merge != MergePolicy::Winner
    }
}

/// How contributions to a multi-valued attribute combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MergePolicy {
    /// The strongest contribution alone.
    #[default]
    Winner,
    /// All values of all contributions with at least this confidence.
    Union {
        /// 0 to 100.
        min_confidence: u8,
    },
}

impl From<AttributeType> for MeshAttribute {
    fn from(kind: AttributeType) -> Self {
        Self { kind, ignore_case: false, merge: MergePolicy::Winner, sensitive: false }
    }
}

/// The written forms of a mesh attribute.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Word(AttributeType),
    Table(WrittenTable),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTable {
    #[serde(rename = "type")]
    kind: AttributeType,
    #[serde(default, skip_serializing_if = "super::switch::is_false")]
    ignore_case: bool,
    #[serde(default, skip_serializing_if = "super::switch::is_false")]
    merge: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merge_min_confidence: Option<u8>,
    #[serde(default, skip_serializing_if = "super::switch::is_false")]
    sensitive: bool,
}

impl From<Written> for MeshAttribute {
    fn from(written: Written) -> Self {
        match written {
            Written::Word(kind) => kind.into(),
            Written::Table(table) => Self {
                kind: table.kind,
                ignore_case: table.ignore_case,
                merge: if table.merge || table.merge_min_confidence.is_some() {
                    MergePolicy::Union { min_confidence: table.merge_min_confidence.unwrap_or(0) }
                } else {
                    MergePolicy::Winner
                },
                sensitive: table.sensitive,
            },
        }
    }
}

impl From<MeshAttribute> for Written {
    fn from(attribute: MeshAttribute) -> Self {
        if attribute == MeshAttribute::from(attribute.kind) {
            return Self::Word(attribute.kind);
        }
        let (merge, merge_min_confidence) = match attribute.merge {
            MergePolicy::Winner => (false, None),
            MergePolicy::Union { min_confidence: 0 } => (true, None),
            MergePolicy::Union { min_confidence } => (false, Some(min_confidence)),
        };
        Self::Table(WrittenTable {
            kind: attribute.kind,
            ignore_case: attribute.ignore_case,
            merge,
            merge_min_confidence,
            sensitive: attribute.sensitive,
        })
    }
}

/// `[type.attributes]` as a table of names, in the order of names.
mod attribute_table {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{MeshAttribute, Name, Written};

    pub(super) fn serialize<S: Serializer>(
        attributes: &[(Name, MeshAttribute)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(attributes.iter().map(|(name, attribute)| (name, Written::from(*attribute))))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(Name, MeshAttribute)>, D::Error> {
        let table = BTreeMap::<Name, Written>::deserialize(deserializer)?;
        Ok(table.into_iter().map(|(name, written)| (name, written.into())).collect())
    }
}

/// A mesh attribute computed from the same object's other mesh attributes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComputedRule {
    /// The rule's name; one is made from its content when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For which objects.
    pub mesh_type: Name,
    /// Which attribute.
    pub target: Name,
    /// The expression over mesh attributes.
    pub value: String,
    /// Contributes only where this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// 0 to 100; the highest wins.
    pub confidence: u8,
    /// Among equal confidences the lowest number wins.
    #[serde(default)]
    pub priority: i32,
    /// What an absent input means.
    #[serde(default)]
    pub missing: Missing,
}
