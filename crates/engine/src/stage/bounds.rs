//! What is too much of an object: its external id, its attributes, a value.

use identitymesh_model::{ATTRIBUTE_COUNT_MAX, Name, Object, VALUE_BYTES_MAX, Value};

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
