//! What an import says about one object.

use identitymesh_model::{Name, Object, Text, Value, Values};

/// One change. Of one object, later changes of an import win over earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The whole object as it is now.
    Upsert(ImportedObject),
    /// Some attributes; the others stay as they were.
    Patch(Patch),
    /// The object is gone from the system.
    Delete {
        /// Its type.
        object_type: Name,
        /// Its external id.
        external_id: Text,
    },
    /// The object is gone from what is imported, and may still be in the system: it was moved out, or is of another type
    /// now. References to it stay what they were.
    Left {
        /// Its type.
        object_type: Name,
        /// Its external id.
        external_id: Text,
    },
}

impl Change {
    /// The type and external id of the object that this is about.
    #[must_use]
    pub fn subject(&self) -> (Name, &str) {
        match self {
            Self::Upsert(object) => (object.object_type, &object.external_id),
            Self::Patch(patch) => (patch.object_type, &patch.external_id),
            Self::Delete { object_type, external_id } | Self::Left { object_type, external_id } => {
                (*object_type, external_id)
            }
        }
    }
}

/// An object as the connected system holds it, all attributes of its schema.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedObject {
    /// Its type.
    pub object_type: Name,
    /// What identifies it for good within its connector: at most 1,024 bytes, compared byte by byte.
    pub external_id: Text,
    /// Its attributes; references hold the system's own addresses of other objects.
    pub attributes: Object,
    /// Attributes that the system holds and nobody could read, such as a date that is none. Each has a finding, and
    /// none stands in `attributes`. They count as unchanged: what was known of them stays known.
    pub unread: Vec<Name>,
}

impl ImportedObject {
    /// An object all of whose attributes could be read.
    #[must_use]
    pub const fn whole(object_type: Name, external_id: Text, attributes: Object) -> Self {
        Self { object_type, external_id, attributes, unread: Vec::new() }
    }
}

/// Some attributes of an object that is known already.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Its type.
    pub object_type: Name,
    /// Its external id.
    pub external_id: Text,
    /// Attributes with their new values; `None` is absent now.
    pub set: Vec<(Name, Option<Values>)>,
    /// Values added to multi-valued attributes.
    pub add: Vec<(Name, Vec<Value>)>,
    /// Values removed from multi-valued attributes.
    pub remove: Vec<(Name, Vec<Value>)>,
}
