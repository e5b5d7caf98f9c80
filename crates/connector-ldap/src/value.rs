//! Values between documents and the wire.
//!
//! What arrives is taken as its schema's type or refused with a reason; what leaves carries its own type.

use identitymesh_model::{AttributeSchema, Text, VALUE_BYTES_MAX, Value, ValueType, Values, dn};

use crate::time;
use crate::transport::Bytes;

/// One value of the given type.
///
/// # Errors
/// In words, why the bytes are no such value.
pub(crate) fn decode(kind: ValueType, bytes: &[u8]) -> Result<Value, String> {
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(format!("a value of {} bytes is longer than {VALUE_BYTES_MAX}", bytes.len()));
    }
    if kind == ValueType::Binary {
        return Ok(Value::Binary(bytes.into()));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| "a value is not UTF-8 text; declare the attribute as binary")?;
    let shown = || text.chars().take(64).collect::<String>();
    match kind {
        ValueType::String => Ok(Value::text(text)),
        ValueType::Reference => Ok(Value::reference(text)),
        ValueType::Integer => {
            text.parse().map(Value::Integer).map_err(|_| format!("{:?} is no 64-bit integer", shown()))
        }
        ValueType::Boolean => match text {
            "TRUE" => Ok(Value::Boolean(true)),
            "FALSE" => Ok(Value::Boolean(false)),
            _ => Err(format!("{:?} is neither TRUE nor FALSE", shown())),
        },
        ValueType::DateTime => time::parse(text)
            .map(Value::DateTime)
            .ok_or_else(|| format!("{:?} is no generalizedTime", shown())),
        ValueType::Binary => Ok(Value::Binary(bytes.into())),
    }
}

/// One value as it travels.
///
/// # Errors
/// In words, when the directory has no way of writing it.
pub(crate) fn encode(value: &Value) -> Result<Bytes, String> {
    Ok(match value {
        Value::Text(text) | Value::Reference(text) => text.as_bytes().to_vec(),
        Value::Integer(number) => number.to_string().into_bytes(),
        Value::Boolean(truth) => if *truth { "TRUE" } else { "FALSE" }.into(),
        Value::DateTime(at) => time::format(*at)
            .ok_or_else(|| format!("the year of {at} cannot be written in a directory"))?
            .into_bytes(),
        Value::Binary(bytes) => bytes.to_vec(),
    })
}

/// Several values as they travel.
pub(crate) fn encode_all(values: &[Value]) -> Result<Vec<Bytes>, String> {
    values.iter().map(encode).collect()
}

/// What two values have in common when the directory takes them for the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Folded(String),
    Exact(Value),
}

/// The key of a value; without a schema only equal values are the same.
pub(crate) fn key(schema: Option<&AttributeSchema>, value: &Value) -> Key {
    let kind = schema.map(|schema| schema.kind.value);
    let folded =
        |text: &Text| Key::Folded(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
    match value {
        Value::Reference(text) => Key::Folded(dn::normalise(text)),
        Value::Text(text) if kind == Some(ValueType::Reference) => Key::Folded(dn::normalise(text)),
        Value::Text(text) if schema.is_some_and(|schema| schema.ignore_case) => folded(text),
        other => Key::Exact(other.clone()),
    }
}

/// Whether both contents are the same to the directory, absent included.
pub(crate) fn same(schema: Option<&AttributeSchema>, a: Option<&Values>, b: Option<&Values>) -> bool {
    let keys = |values: Option<&Values>| {
        let mut keys: Vec<Key> =
            values.map_or(&[][..], Values::as_slice).iter().map(|value| key(schema, value)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    keys(a) == keys(b)
}

#[cfg(test)]
mod tests {
    use identitymesh_model::{AttributeType, Name};

    use super::*;

    #[test]
    fn every_type_goes_out_and_comes_back() {
        let at = "2026-03-02T08:15:30Z".parse().unwrap();
        for (kind, value, wire) in [
            (ValueType::String, Value::text("Ærø"), "Ærø"),
            (ValueType::Integer, Value::Integer(i64::MIN), "-9223372036854775808"),
            (ValueType::Boolean, Value::Boolean(true), "TRUE"),
            (ValueType::Boolean, Value::Boolean(false), "FALSE"),
            (ValueType::DateTime, Value::DateTime(at), "20260302081530Z"),
            (ValueType::Reference, Value::reference("cn=a,dc=t"), "cn=a,dc=t"),
            (ValueType::Binary, Value::Binary(b"raw".as_slice().into()), "raw"),
        ] {
            assert_eq!(encode(&value).unwrap(), wire.as_bytes());
            assert_eq!(decode(kind, wire.as_bytes()), Ok(value));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_reason() {
        for (kind, bytes, expected) in [
            (ValueType::Integer, &b"9223372036854775808"[..], "64-bit"),
            (ValueType::Boolean, b"true", "neither"),
            (ValueType::DateTime, b"2026-03-02", "generalizedTime"),
            (ValueType::String, &[0xff], "UTF-8"),
        ] {
            assert!(decode(kind, bytes).unwrap_err().contains(expected));
        }
        assert!(decode(ValueType::Binary, &vec![0; VALUE_BYTES_MAX]).is_ok());
        assert!(decode(ValueType::Binary, &vec![0; VALUE_BYTES_MAX + 1]).is_err());
    }

    #[test]
    fn sameness_is_the_directorys() {
        let kind = AttributeType { value: ValueType::String, multi: true };
        let loose = AttributeSchema { ignore_case: true, ..AttributeSchema::new(Name::literal("cn"), kind) };
        let values = |text: &str| Some(Values::from(text));
        assert!(same(Some(&loose), values("A  b").as_ref(), values("a B").as_ref()));
        assert!(!same(None, values("A").as_ref(), values("a").as_ref()));
        let reference = |text: &str| Some(Values::One(Value::reference(text)));
        assert!(same(None, reference("CN=a, DC=t").as_ref(), reference("cn=A,dc=t").as_ref()));
        assert!(same(None, None, None) && !same(None, None, values("").as_ref()));
    }
}
