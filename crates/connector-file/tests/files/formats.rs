//! The formats once more, independent of the connector: what it writes is read here, and what is written here it reads.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use identitymesh_testkit::real::parse_ldif;
use serde_json::{Map, Value as Json};

use crate::subject::{Form, KINDS, Texts};

/// The objects of a file.
pub(crate) fn read(form: Form, content: &[u8]) -> Vec<Texts> {
    match form {
        Form::Csv => read_csv(content),
        Form::Ldif => read_ldif(std::str::from_utf8(content).unwrap()),
        Form::JsonLines => {
            let lines = content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            lines.map(|line| from_json(&serde_json::from_slice(line).unwrap())).collect()
        }
        Form::JsonArray => {
            let list: Vec<Map<String, Json>> = serde_json::from_slice(content).unwrap();
            list.iter().map(from_json).collect()
        }
    }
}

/// A file of these objects.
pub(crate) fn write(form: Form, objects: &[Texts]) -> Vec<u8> {
    match form {
        Form::Csv => write_csv(objects),
        Form::Ldif => objects.iter().map(entry).collect::<String>().into_bytes(),
        Form::JsonLines => {
            objects.iter().map(|texts| format!("{}\n", to_json(texts))).collect::<String>().into_bytes()
        }
        Form::JsonArray => Json::Array(objects.iter().map(to_json).collect()).to_string().into_bytes(),
    }
}

fn is_binary(attribute: &str) -> bool {
    attribute == "photo"
}

/// Where a format has only text, bytes are base64.
fn as_text(attribute: &str, bytes: &[u8]) -> String {
    if is_binary(attribute) { BASE64.encode(bytes) } else { String::from_utf8(bytes.to_vec()).unwrap() }
}

fn from_text(attribute: &str, text: &str) -> Vec<u8> {
    if is_binary(attribute) { BASE64.decode(text).unwrap() } else { text.as_bytes().to_vec() }
}

fn read_csv(content: &[u8]) -> Vec<Texts> {
    let mut reader = csv::Reader::from_reader(content);
    let header = reader.headers().unwrap().clone();
    let row = |row: csv::Result<csv::StringRecord>| {
        let row = row.unwrap();
        let fields = header.iter().zip(row.iter()).filter(|(_, field)| !field.is_empty());
        let texts = fields.map(|(attribute, field)| {
            let parts: Vec<&str> = if attribute == "tags" { field.split('|').collect() } else { vec![field] };
            (attribute.to_owned(), parts.into_iter().map(|part| from_text(attribute, part)).collect())
        });
        texts.collect()
    };
    reader.records().map(row).collect()
}

fn write_csv(objects: &[Texts]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(KINDS.map(|(attribute, _)| attribute)).unwrap();
    for object in objects {
        let field = |(attribute, _): (&str, &str)| {
            let texts = object.get(attribute).map(Vec::as_slice).unwrap_or_default();
            texts.iter().map(|text| as_text(attribute, text)).collect::<Vec<_>>().join("|")
        };
        writer.write_record(KINDS.map(field)).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Entries other than people, such as containers, are none of the suite's business.
fn read_ldif(content: &str) -> Vec<Texts> {
    let unfolded = content.replace("\n ", "");
    let unfolded = unfolded.strip_prefix("version: 1\n").unwrap_or(&unfolded);
    let entries = parse_ldif(unfolded.trim_start_matches('\n')).unwrap();
    let people = entries.into_iter().filter(|(_, attributes)| attributes.contains_key("id"));
    people
        .map(|(dn, attributes)| {
            let mut texts: Texts = attributes;
            texts.insert("dn".to_owned(), vec![dn.into_bytes()]);
            texts
        })
        .collect()
}

fn entry(texts: &Texts) -> String {
    let line = |attribute: &str, value: &[u8]| format!("{attribute}:: {}\n", BASE64.encode(value));
    let mut out = line("dn", &texts["dn"][0]);
    for (attribute, values) in texts.iter().filter(|(attribute, _)| *attribute != "dn") {
        values.iter().for_each(|value| out.push_str(&line(attribute, value)));
    }
    out.push('\n');
    out
}

fn from_json(map: &Map<String, Json>) -> Texts {
    let text = |attribute: &str, json: &Json| match json {
        Json::String(text) => from_text(attribute, text),
        Json::Bool(truth) => truth.to_string().into_bytes(),
        other => panic!("{attribute} is {other}"),
    };
    let texts = map.iter().map(|(attribute, json)| {
        let values = match json {
            Json::Array(list) => list.iter().map(|json| text(attribute, json)).collect(),
            one => vec![text(attribute, one)],
        };
        (attribute.clone(), values)
    });
    texts.collect()
}

fn to_json(texts: &Texts) -> Json {
    let members: BTreeMap<&str, Json> = texts
        .iter()
        .map(|(attribute, values)| {
            let json = |bytes: &Vec<u8>| match (attribute.as_str(), bytes.as_slice()) {
                ("enabled", b"true") => Json::Bool(true),
                ("enabled", b"false") => Json::Bool(false),
                (attribute, bytes) => Json::String(as_text(attribute, bytes)),
            };
            let values: Vec<Json> = values.iter().map(json).collect();
            let whole = if attribute == "tags" { Json::Array(values) } else { values[0].clone() };
            (attribute.as_str(), whole)
        })
        .collect();
    serde_json::to_value(members).unwrap()
}
