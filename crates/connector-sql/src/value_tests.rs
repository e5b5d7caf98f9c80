//! Values in and out of columns.

use identitymesh_model::Name;

use super::*;

fn column(value: ValueType, storage: Storage) -> Column {
    let attribute = Name::literal("a");
    Column { sql: "\"a\"".to_owned(), attribute, value, storage, read_only: false }
}

fn text(text: &str) -> Raw {
    Raw::Text(text.to_owned())
}

#[test]
fn what_people_keep_in_columns_is_understood() {
    let at = Value::DateTime("2026-03-02T08:00:00Z".parse().unwrap());
    for (value, raw, expected) in [
        (ValueType::DateTime, text("2026-03-02T08:00:00Z"), at.clone()),
        (ValueType::DateTime, text("2026-03-02 08:00:00"), at.clone()),
        (ValueType::DateTime, text("2026-03-02T09:00:00+01:00"), at.clone()),
        (ValueType::DateTime, Raw::Integer(1_772_438_400), at),
        (ValueType::DateTime, text("1970-01-01"), Value::DateTime(Timestamp::EPOCH)),
        (ValueType::Boolean, text("TRUE"), Value::Boolean(true)),
        (ValueType::Boolean, Raw::Integer(0), Value::Boolean(false)),
        (ValueType::Integer, text(" 7 "), Value::Integer(7)),
        (ValueType::String, Raw::Real(1.5), Value::text("1.5")),
        (ValueType::Reference, Raw::Integer(7), Value::reference("7")),
    ] {
        assert_eq!(decode(raw, &column(value, Storage::Text), true), Ok(Some(expected)));
    }
}

#[test]
fn content_of_another_type_is_said_to_be_so() {
    for (value, raw) in [
        (ValueType::Integer, text("seven")),
        (ValueType::Boolean, Raw::Integer(2)),
        (ValueType::DateTime, text("yesterday")),
        (ValueType::DateTime, Raw::Integer(i64::MAX)),
        (ValueType::String, Raw::Blob(vec![0xff])),
        (ValueType::String, text(&"x".repeat(VALUE_BYTES_MAX + 1))),
    ] {
        assert!(decode(raw, &column(value, Storage::Text), true).is_err());
    }
}

#[test]
fn empty_text_is_absent_only_where_asked() {
    let column = column(ValueType::String, Storage::Text);
    assert_eq!(decode(text(""), &column, true), Ok(None));
    assert_eq!(decode(text(""), &column, false), Ok(Some(Value::text(""))));
}

#[test]
fn text_that_a_number_column_would_change_is_refused() {
    let numbers = column(ValueType::String, Storage::Number);
    for sound in ["7", "-7", "1.5", "abc"] {
        assert_eq!(decode(encode(&sound.into(), &numbers).unwrap(), &numbers, true), Ok(Some(sound.into())));
    }
    for changed in ["007", "1.50", "1e3", " 7", "+7", "7.0", "99999999999999999999"] {
        assert!(encode(&changed.into(), &numbers).is_err(), "{changed}");
    }
}

#[test]
fn moments_are_not_shortened() {
    let at = Value::DateTime("2026-03-02T08:00:00.5Z".parse().unwrap());
    assert!(encode(&at, &column(ValueType::DateTime, Storage::Integer)).is_err());
    assert!(encode(&at, &column(ValueType::DateTime, Storage::Date)).is_err());
    let day = Value::DateTime("2026-03-02T00:00:00Z".parse().unwrap());
    assert_eq!(encode(&day, &column(ValueType::DateTime, Storage::Date)), Ok(text("2026-03-02")));
}
