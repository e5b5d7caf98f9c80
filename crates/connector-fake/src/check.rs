//! Whether an object fits the schema, as a real system would check it.

use identitymesh_connector::{Change, ObjectFinding, Outcome, Page};
use identitymesh_model::{AttributeType, Name, ObjectSchema, Schema, Value, ValueType, Values};

/// What the system answers when the attribute may not hold the values; `None` when it may.
pub(crate) fn refusal(schema: &ObjectSchema, name: Name, values: Option<&Values>) -> Option<Outcome> {
    let Some(attribute) = schema.attribute(name) else {
        return Some(refused(name, format!("{} has no attribute {name}", schema.object_type)));
    };
    if attribute.read_only {
        return Some(refused(name, format!("{name} is written by the system only")));
    }
    match values {
        Some(values) if !fits(attribute.kind, values) => {
            Some(refused(name, format!("{name} is {} and cannot hold {values:?}", attribute.kind)))
        }
        _ => None,
    }
}

pub(crate) fn refused(name: Name, reason: String) -> Outcome {
    Outcome::Refused { code: "FAK-010", reason, attributes: vec![name] }
}

fn fits(kind: AttributeType, values: &Values) -> bool {
    kind.multi == matches!(values, Values::Set(_))
        && values.as_slice().iter().all(|value| {
            kind.value
                == match value {
                    Value::Text(_) => ValueType::String,
                    Value::Integer(_) => ValueType::Integer,
                    Value::Boolean(_) => ValueType::Boolean,
                    Value::DateTime(_) => ValueType::DateTime,
                    Value::Binary(_) => ValueType::Binary,
                    Value::Reference(_) => ValueType::Reference,
                }
        })
}

/// Takes values that somebody put into the system and that do not fit its schema off the page, each with a finding.
pub(crate) fn set_aside_unreadable(schema: &Schema, page: &mut Page) {
    for change in &mut page.changes {
        let Change::Upsert(object) = change else { continue };
        let Some(schema) = schema.object_type(object.object_type) else { continue };
        let is_unreadable =
            |name, values| schema.attribute(name).is_some_and(|known| !fits(known.kind, values));
        let names = object.attributes.iter().filter(|(name, values)| is_unreadable(*name, values));
        object.unread = names.map(|(name, _)| name).collect();
        for name in &object.unread {
            object.attributes.remove(*name);
            page.findings.push(ObjectFinding {
                code: "FAK-013",
                object_type: Some(object.object_type),
                external_id: Some(object.external_id.clone()),
                location: None,
                message: format!("{name} holds a value that does not fit its type"),
            });
        }
    }
}
