//! For property tests: writes objects as a file of any format and reads them again.

use identitymesh_connector::Settings;
use identitymesh_model::{Name, Object, Schema, Value, Values};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::config::{Config, Format};
use crate::encoding::Utf8Reader;
use crate::layout::{Layout, Sample, schema_of};
use crate::record::Read;
use crate::table::{Row, Table, check_round_trip};

/// A configuration with one attribute of each type.
pub(crate) fn config(format: Format, more: Json) -> Config {
    let mut written = json!({
        "path": "x", "key": "id", "empty_is_absent": false,
        "attributes": { "sn": "string", "tags": "string[]", "grade": "integer", "on": "boolean",
                        "at": "datetime", "raw": "binary", "boss": "reference" },
    });
    written.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
    let written = serde_json::from_value(written).unwrap();
    let (settings, problems): (Settings, _) =
        crate::settings::schema(format).read(&written, std::path::Path::new("/"));
    assert_eq!(problems, []);
    Config::read(format, &settings).unwrap()
}

/// The layout that the settings alone give.
pub(crate) fn layout(config: &Config) -> Layout {
    let schema: Schema = schema_of(config, &Sample::new());
    Layout::new(config, &schema)
}

/// Objects with hostile values of every type; the external ids are the positions.
pub(crate) fn objects() -> impl Strategy<Value = Vec<Object>> {
    prop::collection::vec(object(), 0..5).prop_map(|mut objects| {
        for (at, object) in objects.iter_mut().enumerate() {
            object.set(Name::literal("id"), format!("{at}").as_str());
            object.set(Name::literal("dn"), format!("id={at},dc=test").as_str());
        }
        objects
    })
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof!["[ a:<#,|\"\n\r\\\u{0}é\u{feff}]{0,10}", any::<String>(), "a{60,160}"]
}

fn object() -> impl Strategy<Value = Object> {
    let text = prop::option::of(hostile());
    let tags = prop::collection::vec(hostile(), 0..4);
    let micros = prop::option::of(-10_000_000_000_000_000_i64..100_000_000_000_000_000);
    let raw = prop::option::of(prop::collection::vec(any::<u8>(), 1..40));
    (text, tags, any::<Option<i64>>(), any::<Option<bool>>(), micros, raw, "[a-z=,]{0,8}").prop_map(
        |(sn, tags, grade, on, at, raw, boss)| {
            let at = at.and_then(|micros| identitymesh_model::Timestamp::from_micros(micros).ok());
            let one = |value: Option<Value>| value.map(Values::One);
            let mut object = Object::new();
            object.put(Name::literal("sn"), one(sn.map(Value::text)));
            object.put(Name::literal("tags"), Values::set(tags.iter().map(Value::text).collect()));
            object.put(Name::literal("grade"), one(grade.map(Value::Integer)));
            object.put(Name::literal("on"), one(on.map(Value::Boolean)));
            object.put(Name::literal("at"), one(at.map(Value::DateTime)));
            object.put(Name::literal("raw"), one(raw.map(|raw| Value::Binary(raw.into()))));
            object.put(Name::literal("boss"), one((!boss.is_empty()).then(|| Value::reference(boss))));
            object
        },
    )
}

/// Writes the objects that `can_hold` names, checks that all of them come back, and that the others are refused.
pub(crate) fn check(config: &Config, objects: &[Object], can_hold: impl Fn(&Object) -> bool) {
    let layout = layout(config);
    let (mut table, mut kept) = (Table::default(), Vec::new());
    for object in objects {
        let kind = layout.types[0].name();
        let mut object = object.clone();
        object.retain(|name, _| layout.types[0].attribute(name.as_str()).is_some());
        let key = (Some(kind), layout.types[0].key_of(&object).unwrap());
        let row = Row { attributes: object.clone(), rest: Vec::new() };
        let checked = check_round_trip(config, &layout, &key, &row);
        assert_eq!(checked.is_ok(), can_hold(&object), "{checked:?} {object:?}");
        if checked.is_ok() {
            table.put(key, row);
            kept.push(object);
        }
    }
    let written = table.render(config, &layout).unwrap();
    assert_eq!(read(config, written).unwrap(), kept);
}

/// All objects of a file, or the first fault.
pub(crate) fn read(config: &Config, bytes: Vec<u8>) -> Result<Vec<Object>, String> {
    let input = Utf8Reader::new(std::io::Cursor::new(bytes), config.encoding);
    let mut reader = crate::source::reader(config, &layout(config), &config.path, input, false)
        .map_err(|error| error.to_string())?;
    let (mut objects, mut first_fault) = (Vec::new(), None);
    while let Some(read) = reader.next().map_err(|error| error.to_string())? {
        match read {
            Read::Record(record) => objects.push(record.attributes),
            Read::Fault(fault) => drop(first_fault.get_or_insert(fault.message)),
            Read::Change(..) => {}
        }
    }
    first_fault.map_or(Ok(objects), Err)
}
