//! Records as JSON.
//!
//! Members stand in the order of their names, each record on a line of its own, also within an array, so that two
//! files compare line by line.

use identitymesh_model::{Name, Object, Value, Values};
use serde_json::{Map, Value as Json};

use super::flatten::put;
use crate::config::Config;
use crate::convert::TextRules;

/// A whole file from objects with their types and what the schema does not cover.
pub(crate) fn write_objects<'a>(
    config: &Config,
    objects: impl Iterator<Item = (Name, &'a Object, &'a [(String, Vec<u8>)])>,
) -> Result<String, String> {
    let mut out = String::new();
    for (index, (object_type, attributes, rest)) in objects.enumerate() {
        let mut map = Map::new();
        for (path, bytes) in rest {
            put(&mut map, path, serde_json::from_slice(bytes).unwrap_or(Json::Null));
        }
        for (name, values) in attributes.iter() {
            put(&mut map, name.as_str(), values_to_json(&config.text, values)?);
        }
        if let Some(field) = &config.type_field {
            map.insert(field.clone(), Json::String(object_type.as_str().to_owned()));
        }
        if config.json_array {
            out.push_str(if index == 0 { "[\n" } else { ",\n" });
        }
        out.push_str(&Json::Object(map).to_string());
        if !config.json_array {
            out.push('\n');
        }
    }
    match (config.json_array, out.is_empty()) {
        (true, true) => out.push_str("[]\n"),
        (true, false) => out.push_str("\n]\n"),
        (false, _) => {}
    }
    Ok(out)
}

/// What one attribute holds.
fn values_to_json(text: &TextRules, values: &Values) -> Result<Json, String> {
    match values {
        Values::One(value) => value_to_json(text, value),
        Values::Set(values) => values.iter().map(|value| value_to_json(text, value)).collect(),
    }
}

/// One value.
pub(crate) fn value_to_json(text: &TextRules, value: &Value) -> Result<Json, String> {
    Ok(match value {
        Value::Integer(number) => Json::from(*number),
        Value::Boolean(truth) => Json::Bool(*truth),
        value => Json::String(text.text(value)?),
    })
}
