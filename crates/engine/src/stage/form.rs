//! The form in which a management space keeps an object.

use std::collections::HashSet;

use identitymesh_model::plan::IndexKey;
use identitymesh_model::rules::MatchKind;
use identitymesh_model::{ConnectorId, ContentHash, Name, Object, Text, Value, Values, canonical, dn};

use crate::key::{address_key, match_key};
use crate::rules::RuleSet;

/// An object in the form in which a management space keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Staged {
    /// The hash of the whole object's canonical text.
    pub hash: ContentHash,
    /// The canonical text without sets of references.
    pub doc: String,
    /// All references: attribute, the system's own address of the other object, and whether it is one of a set.
    pub references: Vec<(Name, Text, bool)>,
    /// Keys under which the object is found: its address, and attributes that have to be unique.
    pub names: Vec<IndexKey>,
}

/// What is to be remembered about what was exported.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exported {
    /// The attributes that were last exported.
    pub names: Vec<Name>,
    /// What was exported, where the system now says otherwise; `None` was exported as absent.
    pub drift: Vec<(Name, Option<Values>)>,
}

impl Exported {
    /// The drift as JSON text, `None` without any.
    #[must_use]
    pub fn drift_text(&self) -> Option<String> {
        if self.drift.is_empty() {
            return None;
        }
        let mut out = String::from("{");
        for (at, (name, values)) in self.drift.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            canonical::write_text(name.as_str(), &mut out);
            out.push(':');
            match values {
                Some(values) => canonical::write_values(values, &mut out),
                None => out.push_str("null"),
            }
        }
        out.push('}');
        Some(out)
    }
}

/// The hash of an object, by which an unchanged one is recognised, and its canonical text.
#[must_use]
pub fn fingerprint(object: &Object) -> (ContentHash, String) {
    let text = canonical::object_to_string(object);
    (ContentHash::of(&text), text)
}

/// The form in which an object is kept, given its canonical text.
#[must_use]
pub fn staged(
    rules: &RuleSet,
    connector: ConnectorId,
    object_type: Name,
    object: &Object,
    (hash, text): (ContentHash, String),
) -> Staged {
    let mut references = Vec::new();
    for (name, values) in object.iter() {
        let is_set = matches!(values, Values::Set(_));
        references.extend(values.as_slice().iter().filter_map(|value| match value {
            Value::Reference(key) => Some((name, key.clone(), is_set)),
            _ => None,
        }));
    }
    let doc = if references.iter().any(|(_, _, is_set)| *is_set) {
        let mut narrow = object.clone();
        narrow.retain(|_, values| !is_reference_set(values));
        canonical::object_to_string(&narrow)
    } else {
        text
    };
    let names = names(rules, connector, object_type, object);
    Staged { hash, doc, references, names }
}

/// Whether these values are kept as edges and not in the document.
#[must_use]
pub fn is_reference_set(values: &Values) -> bool {
    matches!(values, Values::Set(set) if set.iter().any(|value| matches!(value, Value::Reference(_))))
}

/// Under which names an object is found: its address, what others refer to it by, and attributes that have to be unique.
#[must_use]
pub fn names(rules: &RuleSet, connector: ConnectorId, object_type: Name, object: &Object) -> Vec<IndexKey> {
    let mut names = Vec::new();
    let (Some(connector), Some(object_type)) =
        (rules.connector(connector), rules.object_type(connector, object_type))
    else {
        return names;
    };
    if let Some(address) = object_type.address().and_then(|name| object.single(name)).and_then(Value::as_text)
    {
        let key = address_key(connector.hierarchical, address);
        names.push(IndexKey { index: connector.address_index, key });
    }
    for (attribute, index) in &connector.referred {
        let values = object.get(*attribute).map_or(&[][..], Values::as_slice);
        let keys = values.iter().filter_map(Value::as_text).map(|text| address_key(false, text));
        names.extend(keys.map(|key| IndexKey { index: *index, key }));
    }
    for (attribute, index) in &object_type.unique {
        let values = object.get(*attribute).map_or(&[][..], Values::as_slice);
        let keys = values.iter().filter_map(|value| match_key(MatchKind::IgnoreCase, value));
        names.extend(keys.map(|key| IndexKey { index: *index, key }));
    }
    names
}

/// The imported object with what was known of the attributes that could not be read: those count as unchanged.
#[must_use]
pub fn with_known(mut imported: Object, unread: &[Name], known: &Object) -> Object {
    for name in unread {
        imported.put(*name, known.get(*name).cloned());
    }
    imported
}

/// The object after a patch: attributes set, values added to and taken from sets.
#[must_use]
pub fn patched(
    known: &Object,
    set: &[(Name, Option<Values>)],
    add: &[(Name, Vec<Value>)],
    remove: &[(Name, Vec<Value>)],
) -> Object {
    let mut object = known.clone();
    for (name, values) in set {
        object.put(*name, values.clone());
    }
    for (name, values) in add {
        let mut all = object.remove(*name).map_or_else(Vec::new, Values::into_vec);
        all.extend(values.iter().cloned());
        object.put(*name, Values::set(all));
    }
    for (name, values) in remove {
        let mut all = object.remove(*name).map_or_else(Vec::new, Values::into_vec);
        take_out(&mut all, values);
        object.put(*name, Values::set(all));
    }
    object
}

/// Takes values out of a set. Some systems report which reference went in another spelling of the same distinguished name.
fn take_out(all: &mut Vec<Value>, gone: &[Value]) {
    let mut left: HashSet<&Value> = gone.iter().collect();
    all.retain(|value| !left.remove(value));
    let spelled_otherwise: HashSet<String> = left.into_iter().filter_map(normal_name).collect();
    if !spelled_otherwise.is_empty() {
        all.retain(|value| normal_name(value).is_none_or(|name| !spelled_otherwise.contains(&name)));
    }
}

/// The one spelling of a reference by distinguished name.
fn normal_name(value: &Value) -> Option<String> {
    match value {
        Value::Reference(key) if key.contains('=') => Some(dn::normalise(key)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(keys: &[&str]) -> Vec<Value> {
        keys.iter().map(Value::reference).collect()
    }

    #[test]
    fn a_reference_goes_in_whatever_spelling_its_system_names_it() {
        let member = Name::literal("member");
        let mut group = Object::new();
        group.put(
            member,
            Values::set(references(&["uid=a,ou=Staff", "uid=A,ou=Guests", "uid=b,ou=Staff", "Key"])),
        );
        let without = |keys: &[&str]| {
            let left = patched(&group, &[], &[], &[(member, references(keys))]);
            left.get(member).cloned()
        };
        let left = Values::set(references(&["uid=A,ou=Guests", "uid=b,ou=Staff", "Key"]));
        assert_eq!(without(&["uid=a,ou=Staff"]), left);
        assert_eq!(without(&["UID=a, ou=staff", "key"]), left, "what is no name is compared as it stands");
        assert_eq!(without(&["uid=c,ou=Staff"]), group.get(member).cloned());
    }
}
