//! One content, one text; and every text that is not a document is refused.

use proptest::prelude::*;

use super::*;

fn name(text: &'static str) -> Name {
    Name::literal(text)
}

/// The fixture: if it has to change, stored hashes change with it.
#[test]
fn the_canonical_form_is_fixed() {
    let mut object = Object::new();
    object.set(name("sn"), "O'Neill \"x\" \\ \n \u{1} é");
    object.set(name("Age"), 42);
    object.set(name("active"), true);
    object.set(name("hired"), "2026-03-02T00:00:00Z".parse::<Timestamp>().unwrap());
    object.set(name("manager"), Value::reference("cn=a,dc=b"));
    object.set(name("photo"), Value::Binary([0, 255].into()));
    object.set(name("mails"), Values::set(vec!["b".into(), "a".into()]).unwrap());
    let text = object_to_string(&object);
    assert_eq!(
        text,
        concat!(
            r#"{"active":true,"Age":42,"hired":{"$date":"2026-03-02T00:00:00Z"},"mails":["a","b"],"#,
            r#""manager":{"$ref":"cn=a,dc=b"},"photo":{"$bin":"AP8="},"sn":"O'Neill \"x\" \\ \n \u0001 é"}"#
        )
    );
    assert_eq!(parse_object(&text).unwrap(), object);
    assert_eq!(serde_json::to_string(&object).unwrap(), text);
}

#[test]
fn null_and_the_empty_list_are_absent() {
    let object = parse_object(r#"{"a":null,"b":[],"c":""}"#).unwrap();
    assert_eq!(object.len(), 1);
    assert_eq!(object.single(name("c")), Some(&"".into()));
}

#[test]
fn what_is_no_document_is_refused() {
    for text in [
        "",
        "[]",
        "{",
        r#"{"a":1.5}"#,
        r#"{"a":{}}"#,
        r#"{"a":{"$date":"soon"}}"#,
        r#"{"a":{"$bin":"§"}}"#,
        r#"{"a":{"$ref":"x","$bin":""}}"#,
        r#"{"a":{"$what":"x"}}"#,
        r#"{"a":[[1]]}"#,
        r#"{"a":[null]}"#,
        r#"{"":1}"#,
        r#"{"a":9223372036854775808}"#,
        r#"{"a":1} x"#,
    ] {
        assert!(parse_object(text).is_err(), "{text}");
    }
}

#[test]
fn a_reader_survives_documents_of_different_shape() {
    let mut reader = DocumentReader::new();
    for text in [r#"{"a":1,"b":2,"c":3}"#, r#"{"b":2}"#, r#"{"a":1,"c":3}"#, r#"{"a":1,"b":2,"c":3}"#, "{}"] {
        assert_eq!(object_to_string(&reader.read(text).unwrap()), text);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::text),
        any::<i64>().prop_map(Value::Integer),
        any::<bool>().prop_map(Value::Boolean),
        (-62_135_596_800_000_000_i64..=253_000_000_000_000_000)
            .prop_map(|micros| Value::DateTime(Timestamp::from_micros(micros).unwrap())),
        any::<Vec<u8>>().prop_map(|bytes| Value::Binary(bytes.into())),
        any::<String>().prop_map(Value::reference),
    ]
}

fn any_values() -> impl Strategy<Value = Values> {
    prop_oneof![
        any_value().prop_map(Values::One),
        proptest::collection::vec(any_value(), 1..5).prop_map(|values| Values::set(values).unwrap()),
    ]
}

proptest! {
    #[test]
    fn writing_and_reading_gives_the_same_object(
        attributes in proptest::collection::vec(("[a-zA-Z][a-zA-Z0-9-]{0,6}", any_values()), 0..12)
    ) {
        let object: Object = attributes.into_iter().map(|(key, values)| (Name::new(&key).unwrap(), values)).collect();
        let text = object_to_string(&object);
        prop_assert_eq!(&parse_object(&text).unwrap(), &object);
        prop_assert_eq!(serde_json::to_string(&object).unwrap(), text);
    }
}
