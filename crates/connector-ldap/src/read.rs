//! Entries into objects of the contract, with a finding for each value that does not fit.
//!
//! A value that cannot be read makes its attribute *unread*, which counts as unchanged. The member that only keeps a group from being
//! empty is not shown. An entry without a usable external id is no object: it is a finding with its name.

use identitymesh_connector::{ImportedObject, ObjectFinding};
use identitymesh_model::{AttributeSchema, Name, Object, Text, VALUE_COUNT_MAX, Value, ValueType, Values};

use crate::error;
use crate::schema::{ACCOUNT_CONTROL, TypeMap};
use crate::transport::{Bytes, Entry};
use crate::value;

/// The bit of `userAccountControl` that says that nobody can sign in.
pub(crate) const ACCOUNT_DISABLED: i64 = 2;
/// Longest external id, in bytes.
const EXTERNAL_ID_BYTES_MAX: usize = 1_024;

/// What became of an entry.
pub(crate) struct Read {
    /// The object, unless it has no id.
    pub(crate) object: Option<ImportedObject>,
    pub(crate) findings: Vec<ObjectFinding>,
    /// The group held its stand-in member.
    pub(crate) has_stand_in: bool,
}

/// Reads an entry as an object of the type.
pub(crate) fn entry(map: &TypeMap, empty_member: &str, entry: &Entry) -> Read {
    let external_id = match external_id(map, entry) {
        Ok(id) => id,
        Err(message) => {
            let finding = finding(map, error::NO_EXTERNAL_ID, None, &entry.dn, message);
            return Read { object: None, findings: vec![finding], has_stand_in: false };
        }
    };
    let mut read = Read { object: None, findings: Vec::new(), has_stand_in: false };
    let mut attributes = Object::with_capacity(entry.attributes.len() + 1);
    let mut unread = Vec::new();
    if let Some(address) = map.schema.address {
        attributes.set(address, Value::text(&entry.dn));
    }
    for (description, values) in &entry.attributes {
        let Some(attribute) = map.attribute(description) else { continue };
        match read_values(map, attribute, values, empty_member, &mut read.has_stand_in) {
            Ok(values) => drop(attributes.put(attribute.name, values)),
            Err(message) => {
                unread.push(attribute.name);
                let message = format!("{}: {message}", attribute.name);
                read.findings.push(finding(map, error::VALUE, Some(&external_id), &entry.dn, message));
            }
        }
    }
    if let Some(name) = map.disabled_bit {
        let bits = entry.texts(ACCOUNT_CONTROL).next().and_then(|text| text.parse::<i64>().ok());
        attributes.put(name, bits.map(|bits| Values::One(Value::Boolean(bits & ACCOUNT_DISABLED != 0))));
    }
    read.object = Some(ImportedObject { object_type: map.config.name, external_id, attributes, unread });
    read
}

fn finding(map: &TypeMap, code: &'static str, id: Option<&Text>, dn: &str, message: String) -> ObjectFinding {
    ObjectFinding {
        code,
        object_type: Some(map.config.name),
        external_id: id.cloned(),
        location: Some(dn.to_owned()),
        message,
    }
}

/// The entry's external id.
pub(crate) fn external_id(map: &TypeMap, entry: &Entry) -> Result<Text, String> {
    let name = &map.external_id;
    match entry.values(name) {
        [] => Err(format!("the entry has no {name}, or the bind account may not read it")),
        [value] if value.is_empty() || value.len() > EXTERNAL_ID_BYTES_MAX => {
            Err(format!("{name} must have 1 to {EXTERNAL_ID_BYTES_MAX} bytes and has {}", value.len()))
        }
        [value] => match value::decode(map.external_id_form, ValueType::String, value) {
            Ok(Some(Value::Text(text))) => Ok(text),
            _ => Err(format!("{name} is not text")),
        },
        values => Err(format!("{name} has {} values and must have one", values.len())),
    }
}

fn read_values(
    map: &TypeMap,
    attribute: &AttributeSchema,
    values: &[Bytes],
    empty_member: &str,
    has_stand_in: &mut bool,
) -> Result<Option<Values>, String> {
    let is_reference = attribute.kind.value == ValueType::Reference;
    if values.len() > VALUE_COUNT_MAX && !is_reference {
        return Err(format!("{} values are more than {VALUE_COUNT_MAX}", values.len()));
    }
    let form = map.form(attribute.name);
    let mut read = Vec::with_capacity(values.len());
    for bytes in values {
        if is_reference && bytes.eq_ignore_ascii_case(empty_member.as_bytes()) {
            *has_stand_in = true;
            continue;
        }
        read.extend(value::decode(form, attribute.kind.value, bytes)?);
    }
    match (attribute.kind.multi, attribute.ignore_case) {
        (true, true) => Ok(Values::set_ignore_case(read)),
        (true, false) => Ok(Values::set(read)),
        (false, _) if read.len() > 1 => {
            Err(format!("{} values where the schema has one; declare it with []", read.len()))
        }
        (false, _) => Ok(read.pop().map(Values::One)),
    }
}

/// The names in a server's message that are attributes of the type.
pub(crate) fn attributes_named(map: &TypeMap, message: &str) -> Vec<Name> {
    let mut names = Vec::new();
    for word in crate::result::names_in(message) {
        if let Some(attribute) = map.attribute(word)
            && !names.contains(&attribute.name)
        {
            names.push(attribute.name);
        }
    }
    names
}
