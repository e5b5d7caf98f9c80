//! Values between documents and the wire.
//!
//! What arrives is taken as its schema's type or refused with a reason; what leaves carries its own type.

use identitymesh_model::{AttributeSchema, Text, VALUE_BYTES_MAX, Value, ValueType, Values, dn};

use crate::dialect::active_directory::values;
use crate::time;
use crate::transport::Bytes;

/// The sign around a password.
const QUOTE: u16 = 0x22;

/// A form besides those that LDAP itself knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// As the type says.
    #[default]
    Plain,
    /// A text in the mesh, sixteen bytes on the wire.
    Guid,
    /// A text in the mesh, bytes on the wire.
    Sid,
    /// A moment in the mesh, tenths of a microsecond since 1601 on the wire; zero is absent.
    FileTime,
    /// A truth in the mesh, a bit of another attribute on the wire.
    DisabledBit,
    /// A text in the mesh, in quotes and UTF-16 on the wire; never read.
    QuotedPassword,
}

impl Form {
    /// The form in which a value of this type travels: a person may have declared another type.
    fn of(self, kind: ValueType) -> Self {
        match (self, kind) {
            (Self::Guid | Self::Sid | Self::QuotedPassword, ValueType::String) => self,
            (Self::FileTime, ValueType::DateTime) => self,
            _ => Self::Plain,
        }
    }
}

/// One value of the given type; `None` for one that stands for none.
///
/// # Errors
/// In words, why the bytes are no such value.
pub(crate) fn decode(form: Form, kind: ValueType, bytes: &[u8]) -> Result<Option<Value>, String> {
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(format!("a value of {} bytes is longer than {VALUE_BYTES_MAX}", bytes.len()));
    }
    match form.of(kind) {
        Form::Guid => {
            values::guid_text(bytes).map(Value::text).map(Some).ok_or("a GUID has 16 bytes".to_owned())
        }
        Form::Sid => values::sid_text(bytes).map(Value::text).map(Some).ok_or("a value is no SID".to_owned()),
        Form::FileTime => {
            let number = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
            let at = number.and_then(values::filetime).ok_or("a value is no FILETIME")?;
            Ok(at.map(Value::DateTime))
        }
        Form::Plain | Form::QuotedPassword | Form::DisabledBit => decode_plain(kind, bytes).map(Some),
    }
}

fn decode_plain(kind: ValueType, bytes: &[u8]) -> Result<Value, String> {
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
pub(crate) fn encode(form: Form, value: &Value) -> Result<Bytes, String> {
    match (form, value) {
        (Form::Guid, Value::Text(text)) => {
            let bytes = values::guid_bytes(text).ok_or_else(|| format!("{text:?} is no GUID"))?;
            return Ok(bytes.to_vec());
        }
        (Form::Sid, Value::Text(text)) => {
            return values::sid_bytes(text).ok_or_else(|| format!("{text:?} is no SID"));
        }
        (Form::FileTime, Value::DateTime(at)) => {
            let number =
                values::to_filetime(*at).ok_or_else(|| format!("{at} cannot be written as FILETIME"))?;
            return Ok(number.to_string().into_bytes());
        }
        (Form::QuotedPassword, Value::Text(text)) => return Ok(quoted(text)),
        _ => {}
    }
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

/// A password as Active Directory takes it: in quotes, as UTF-16.
pub(crate) fn quoted(password: &str) -> Bytes {
    let units = std::iter::once(QUOTE).chain(password.encode_utf16()).chain(std::iter::once(QUOTE));
    units.flat_map(u16::to_le_bytes).collect()
}

/// Several values as they travel.
pub(crate) fn encode_all(form: Form, values: &[Value]) -> Result<Vec<Bytes>, String> {
    values.iter().map(|value| encode(form, value)).collect()
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
            assert_eq!(encode(Form::Plain, &value).unwrap(), wire.as_bytes());
            assert_eq!(decode(Form::Plain, kind, wire.as_bytes()), Ok(Some(value)));
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
            assert!(decode(Form::Plain, kind, bytes).unwrap_err().contains(expected));
        }
        assert!(decode(Form::Plain, ValueType::Binary, &vec![0; VALUE_BYTES_MAX]).is_ok());
        assert!(decode(Form::Plain, ValueType::Binary, &vec![0; VALUE_BYTES_MAX + 1]).is_err());
    }

    #[test]
    fn forms_of_active_directory_go_out_and_come_back() {
        let at = "2026-03-02T08:15:30Z".parse().unwrap();
        for (form, kind, value) in [
            (Form::Guid, ValueType::String, Value::text("12345678-9abc-def0-0102-030405060708")),
            (Form::Sid, ValueType::String, Value::text("S-1-5-32-544")),
            (Form::FileTime, ValueType::DateTime, Value::DateTime(at)),
            // Declared otherwise, the bytes are taken as they are.
            (Form::Guid, ValueType::Binary, Value::Binary(b"x".as_slice().into())),
            (Form::FileTime, ValueType::Integer, Value::Integer(0)),
        ] {
            let bytes = encode(form, &value).unwrap();
            assert_eq!(decode(form, kind, &bytes), Ok(Some(value)), "{form:?}");
        }
        assert_eq!(decode(Form::FileTime, ValueType::DateTime, b"0"), Ok(None));
        assert_eq!(encode(Form::QuotedPassword, &Value::text("aé")).unwrap(), b"\"\0a\0\xe9\0\"\0");
        for (form, kind) in [(Form::Guid, ValueType::String), (Form::FileTime, ValueType::DateTime)] {
            assert!(
                decode(form, kind, b"x").is_err()
                    && encode(form, &Value::text("x")).is_ok() == (form == Form::FileTime)
            );
        }
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
