//! Staging: what an imported object means for the management space (sync semantics, section 2).
//!
//! An object is compared with what is known by the hash of its canonical text first; most are unchanged and cost no
//! more. What differs is replaced. For an object that something was exported to, every attribute that was exported
//! and now holds something else is *drift*: somebody else changed it. Drift remembers what was exported, so that the
//! object's own values are never mistaken for news and a foreign value always is.

use identitymesh_model::plan::IndexKey;
use identitymesh_model::rules::MatchKind;
use identitymesh_model::{
    ATTRIBUTE_COUNT_MAX, ConnectorId, ContentHash, Name, Object, SpaceRecord, Text, VALUE_BYTES_MAX, Value,
    Values, canonical,
};

use crate::key::{address_key, match_key};
use crate::rules::{ObjectTypeRules, RuleSet};

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

/// What an imported object changes about one that is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What is remembered about exports, afterwards.
    pub exported: Exported,
    /// Attributes that somebody else changed since we wrote them, with what we had written, by this import.
    pub drifted: Vec<(Name, Option<Values>)>,
    /// Whether a sync has to look at the object.
    pub touch: bool,
}

/// Longest external id in bytes.
pub const EXTERNAL_ID_BYTES_MAX: usize = 1_024;

/// What is wrong with an external id, if anything.
#[must_use]
pub fn id_out_of_bounds(external_id: &str) -> Option<String> {
    let length = external_id.len();
    (length == 0 || length > EXTERNAL_ID_BYTES_MAX)
        .then(|| format!("the external id has {length} bytes; 1 to {EXTERNAL_ID_BYTES_MAX} are possible"))
}

/// What is wrong with an object as a whole, so that it stays as it was.
#[must_use]
pub fn object_out_of_bounds(object: &Object) -> Option<String> {
    (object.len() > ATTRIBUTE_COUNT_MAX)
        .then(|| format!("it has more than {ATTRIBUTE_COUNT_MAX} attributes, so it stays as it was"))
}

/// Whether any of the values is beyond the bound; its attribute then counts as not read.
#[must_use]
pub fn is_out_of_bounds(values: &[Value]) -> bool {
    values.iter().any(|value| value.size_bytes() > VALUE_BYTES_MAX)
}

/// What a finding says of an attribute with such a value.
#[must_use]
pub fn value_out_of_bounds(name: Name) -> String {
    format!("{name} holds a value of more than {VALUE_BYTES_MAX} bytes, so {name} stays as it was")
}

/// Takes attributes with a value beyond the bound out of an object, and names them.
pub fn set_aside(object: &mut Object) -> Vec<Name> {
    let large = object.iter().filter(|(_, values)| is_out_of_bounds(values.as_slice()));
    let large: Vec<Name> = large.map(|(name, _)| name).collect();
    for name in &large {
        object.remove(*name);
    }
    large
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

fn names(rules: &RuleSet, connector: ConnectorId, object_type: Name, object: &Object) -> Vec<IndexKey> {
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

/// What `imported` changes about `known`, whose content differs or which was not confirmed yet.
#[must_use]
pub fn compare(known: &SpaceRecord, imported: &Object, rules: Option<&ObjectTypeRules>) -> Difference {
    let ignores_case = |name: Name| {
        let schema = rules.and_then(|rules| rules.schema.as_ref());
        schema.and_then(|schema| schema.attribute(name)).is_some_and(|attribute| attribute.ignore_case)
    };
    let mut exported = Exported { names: known.exported.to_vec(), drift: Vec::new() };
    let mut drifted = Vec::new();
    for name in known.exported.iter().copied() {
        let now = imported.get(name);
        let written = known.snapshot(name).flatten();
        if is_same(now, written, ignores_case(name)) {
            continue;
        }
        if known.is_rewritten(name) {
            exported.names.retain(|known| *known != name);
        }
        exported.drift.push((name, written.cloned()));
        if !is_same(now, known.doc.get(name), ignores_case(name)) {
            drifted.push((name, written.cloned()));
        }
    }
    for (name, written) in known.drift.iter().filter(|(name, _)| known.is_undone(*name)) {
        let now = imported.get(*name);
        let is_kept = is_same(now, written.as_ref(), ignores_case(*name));
        let is_changed = !is_same(now, known.doc.get(*name), ignores_case(*name));
        if is_kept || is_changed {
            exported.names.push(*name);
        }
        if !is_kept {
            exported.drift.push((*name, written.clone()));
            drifted.extend(is_changed.then(|| (*name, written.clone())));
        }
    }
    exported.names.sort_unstable();
    exported.drift.sort_by_key(|(name, _)| *name);
    let is_read = rules.is_none_or(ObjectTypeRules::is_inbound);
    let returns = known.deleted;
    let touch = returns
        || rules.is_some_and(|rules| is_moved(rules, &known.doc, imported))
        || !drifted.is_empty()
        || exported.drift != known.drift
        || (is_read && known.doc != *imported);
    Difference { exported, drifted, touch }
}

/// Whether the object has another address, which is nobody's attribute and yet what a projection rule decides.
fn is_moved(rules: &ObjectTypeRules, known: &Object, imported: &Object) -> bool {
    let address = |object: &Object| object.single(rules.address()?).and_then(Value::as_text).map(Text::new);
    match (address(known), address(imported)) {
        (Some(known), Some(now)) => known != now && address_key(true, &known) != address_key(true, &now),
        _ => false,
    }
}

/// Whether both are the same to the target: the form for one value and, where its schema says so, case do not count.
fn is_same(left: Option<&Values>, right: Option<&Values>, ignore_case: bool) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) => {
            left.as_slice() == right.as_slice() || (ignore_case && left.eq_ignore_case(right))
        }
        // A file or text column may not tell an empty text from none.
        (Some(only), None) | (None, Some(only)) => {
            only.as_slice().iter().all(|value| value.as_text() == Some(""))
        }
    }
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
        all.retain(|value| !values.contains(value));
        object.put(*name, Values::set(all));
    }
    object
}
