//! JSON objects as records.
//!
//! `null`, an empty list and an empty object are absent. A number is an integer where it is one, and its text where an
//! attribute is a string; a fraction is always text, in the shortest form that names the same number.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use identitymesh_connector::{ConnectorError, ObjectFinding};
use identitymesh_model::{ATTRIBUTE_COUNT_MAX, AttributeType, Name, Object, Value, ValueType, Values};
use serde_json::{Map, Value as Json};

use super::elements::{Element, Elements};
use super::flatten::flatten;
use crate::config::Config;
use crate::convert::{TextRules, assemble, excerpt};
use crate::encoding::Utf8Reader;
use crate::error;
use crate::layout::{Layout, Sample, TypeLayout};
use crate::record::{Fault, FirstProblem, Notices, RECORD_BYTES_MAX, Read, RecordReader};

/// Reads the records of one file.
pub(crate) struct JsonReader<R> {
    elements: Elements<R>,
    buffer: Vec<u8>,
    layout: Layout,
    type_field: Option<String>,
    text: TextRules,
    keep_rest: bool,
    /// Types that the settings do not name are none of our business; types that nothing names are worth a word.
    types_are_fixed: bool,
    notices: Notices,
    path: PathBuf,
}

impl<R: io::Read + Send + Sync> JsonReader<R> {
    pub(crate) fn new(
        config: &Config,
        layout: &Layout,
        path: &Path,
        input: Utf8Reader<R>,
        keep_rest: bool,
    ) -> Self {
        Self {
            elements: Elements::new(input, config.json_array),
            buffer: Vec::new(),
            layout: layout.clone(),
            type_field: config.type_field.clone(),
            text: config.text.clone(),
            keep_rest,
            types_are_fixed: config.types_are_fixed,
            notices: Notices::default(),
            path: path.to_owned(),
        }
    }

    fn record(&mut self, line: u64) -> Option<Read> {
        let mut map = match parse(&self.buffer) {
            Ok(map) => map,
            Err((code, message)) => return Some(Read::Fault(Fault::nameless(code, line, message))),
        };
        let kind = match &self.type_field {
            None => self.layout.types.first()?,
            Some(field) => match map.remove(field) {
                Some(Json::String(word)) => match self.layout.by_word(&word) {
                    Some(kind) => kind,
                    None if self.keep_rest => {
                        let message = format!("{} is no object type of the settings", excerpt(&word));
                        return Some(Read::Fault(Fault::nameless(error::TYPE, line, message)));
                    }
                    None => {
                        if !self.types_are_fixed {
                            let why = "is no object type of the schema; name it under types in the settings";
                            self.notices.dropped(None, &word, line, why);
                        }
                        return None;
                    }
                },
                _ => {
                    let message = format!("the member {field}, which holds the object type, is no text");
                    return Some(Read::Fault(Fault::nameless(error::TYPE, line, message)));
                }
            },
        };
        Some(record(&map, line, kind, &self.text, self.keep_rest, &mut self.notices))
    }
}

impl<R: io::Read + Send + Sync> RecordReader for JsonReader<R> {
    fn next(&mut self) -> Result<Option<Read>, ConnectorError> {
        loop {
            let element = self.elements.read(&mut self.buffer);
            let line = match element.map_err(|error| error::unreadable(&self.path, error))? {
                Element::End => return Ok(None),
                Element::Text(line) => line,
                Element::TooLarge(line) => {
                    let message = format!("the record is larger than {RECORD_BYTES_MAX} bytes");
                    return Ok(Some(Read::Fault(Fault::nameless(error::RECORD_SIZE, line, message))));
                }
            };
            if let Some(read) = self.record(line) {
                return Ok(Some(read));
            }
        }
    }

    fn take_notices(&mut self) -> Vec<ObjectFinding> {
        self.notices.take()
    }

    fn doubt(&self) -> Option<String> {
        self.elements.doubt()
    }
}

fn parse(text: &[u8]) -> Result<Map<String, Json>, (&'static str, String)> {
    if std::str::from_utf8(text).is_err() {
        return Err((error::ENCODING, "the record holds bytes that are no UTF-8".to_owned()));
    }
    match serde_json::from_slice(text) {
        Ok(Json::Object(map)) => Ok(map),
        Ok(_) => Err((error::JSON, "the record is no JSON object".to_owned())),
        Err(error) => Err((error::JSON, format!("the record is no JSON: {error}"))),
    }
}

fn record(
    map: &Map<String, Json>,
    line: u64,
    kind: &TypeLayout,
    text: &TextRules,
    keep_rest: bool,
    notices: &mut Notices,
) -> Read {
    let (mut problem, mut attributes) = (FirstProblem::default(), Object::new());
    let mut rest = Vec::new();
    flatten(map, &mut |path, leaf| {
        let Some(known) = kind.attribute(path) else {
            if keep_rest {
                rest.push((path.to_owned(), leaf.to_string().into_bytes()));
            } else if !is_absent(leaf) {
                notices.dropped(Some(kind.name()), path, line, NOT_DECLARED);
            }
            return;
        };
        match values(text, known.kind, leaf) {
            Ok(None) => {}
            Ok(Some(values)) => {
                if attributes.set(known.name, values).is_some() {
                    problem.note(error::JSON, || format!("{} stands twice in the record", known.name));
                }
            }
            Err(message) => problem.note_value(known.name, error::VALUE, &message),
        }
    });
    problem.finish(line, kind, attributes, rest)
}

const NOT_DECLARED: &str = "is no attribute of the schema and is not read; declare it under attributes in the settings if it is needed";

fn is_absent(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Array(list) => list.is_empty(),
        Json::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn values(text: &TextRules, kind: AttributeType, json: &Json) -> Result<Option<Values>, String> {
    if is_absent(json) {
        return Ok(None);
    }
    let list = match json {
        Json::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let values = list.iter().filter_map(|json| value(text, kind.value, json).transpose());
    assemble(kind, values.collect::<Result<_, _>>()?)
}

fn value(text: &TextRules, kind: ValueType, json: &Json) -> Result<Option<Value>, String> {
    let written = match json {
        Json::Null => return Ok(None),
        Json::String(written) if text.is_absent(kind, written) => return Ok(None),
        Json::String(written) => return text.value(kind, written).map(Some),
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) => number.to_string(),
        Json::Array(_) => return Err("a list in a list is no value".to_owned()),
        Json::Object(_) => {
            return Err("an object is no value; only simple values and lists of them are".to_owned());
        }
    };
    text.value(kind, &written).map(Some)
}

/// The attributes of the first `count_max` records. The types are those of the JSON values where they agree, else
/// string; a list makes an attribute multi-valued.
pub(crate) fn sample<R: io::Read>(
    config: &Config,
    path: &Path,
    input: Utf8Reader<R>,
    count_max: usize,
) -> Result<Sample, ConnectorError> {
    let (mut elements, mut buffer) = (Elements::new(input, config.json_array), Vec::new());
    let mut sample = Sample::new();
    for _ in 0..count_max {
        match elements.read(&mut buffer).map_err(|error| error::unreadable(path, error))? {
            Element::End => break,
            Element::TooLarge(_) => continue,
            Element::Text(_) => {}
        }
        let Ok(mut map) = parse(&buffer) else { continue };
        let object_type = match &config.type_field {
            None => config.types.first().map(|kind| kind.name),
            Some(field) => map.remove(field).and_then(|word| Name::new(word.as_str()?).ok()),
        };
        let Some(object_type) = object_type else { continue };
        if config.types_are_fixed && !config.types.iter().any(|kind| kind.name == object_type)
            || !sample.contains_key(&object_type) && sample.len() >= TYPE_COUNT_MAX
        {
            continue;
        }
        let found = sample.entry(object_type).or_default();
        flatten(&map, &mut |path, leaf| learn(found, path, leaf));
    }
    Ok(sample)
}

/// Most object types that a file is believed to have.
const TYPE_COUNT_MAX: usize = 100;

fn learn(found: &mut BTreeMap<Name, AttributeType>, path: &str, leaf: &Json) {
    let list = match leaf {
        Json::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let types: Option<Vec<ValueType>> = list.iter().filter(|json| !json.is_null()).map(type_of).collect();
    let Some(types) = types.filter(|types| !types.is_empty() && found.len() < ATTRIBUTE_COUNT_MAX) else {
        return;
    };
    let Ok(name) = Name::new(path) else { return };
    for value in types {
        let known = found.entry(name).or_insert(AttributeType { value, multi: false });
        known.multi |= leaf.is_array();
        if known.value != value {
            known.value = ValueType::String;
        }
    }
}

fn type_of(json: &Json) -> Option<ValueType> {
    match json {
        Json::Bool(_) => Some(ValueType::Boolean),
        Json::Number(number) if number.as_i64().is_some() => Some(ValueType::Integer),
        Json::Number(_) | Json::String(_) => Some(ValueType::String),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
