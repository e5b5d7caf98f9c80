//! What expressions of rules can read and call.

use identitymesh_expr::{Attribute, Attributes, Kinds, Needs};
use identitymesh_model::rules::MeshType;
use identitymesh_model::{AttributeType, Name, ObjectSchema, ValueType};

/// A name as an expression: bare where it is an identifier, else through `attr`.
pub(super) fn plain_text(name: Name) -> String {
    let text = name.as_str();
    let mut characters = text.chars();
    let starts = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if starts && characters.all(|rest| rest.is_ascii_alphanumeric() || rest == '_') {
        text.to_owned()
    } else {
        format!("attr({text:?})")
    }
}

/// What expressions over a source object can read; anything where its schema is not known.
pub(super) fn source_attributes(schema: Option<&ObjectSchema>) -> Attributes {
    match schema {
        Some(schema) => Attributes::known(schema.attributes.iter().map(|attribute| Attribute {
            name: attribute.name,
            kind: kinds(attribute.kind),
            multi: attribute.kind.multi,
        })),
        None => Attributes::Any,
    }
}

/// What expressions over a mesh type can read: its attributes, and the anchor.
pub(super) fn mesh_attributes(mesh_type: &MeshType) -> Attributes {
    Attributes::known(mesh_type.attributes.iter().map(|(name, attribute)| Attribute {
        name: *name,
        kind: kinds(attribute.kind),
        multi: attribute.kind.multi,
    }))
}

/// What a projection's values may call beyond plain functions.
pub(super) const CREATE_ONLY_NEEDS: Needs = Needs::UNIQUE.union(Needs::RANDOM).union(Needs::NOW);

const fn kinds(kind: AttributeType) -> Kinds {
    match kind.value {
        ValueType::String | ValueType::Reference => Kinds::TEXT,
        ValueType::Integer => Kinds::INTEGER,
        ValueType::Boolean => Kinds::BOOLEAN,
        ValueType::DateTime => Kinds::DATE,
        ValueType::Binary => Kinds::BINARY,
    }
}
