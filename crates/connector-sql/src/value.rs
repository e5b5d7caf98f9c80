//! Between database values and attribute values.
//!
//! Reading accepts what people really keep in columns of a type; writing gives one form. A value that the column
//! would turn into another one is refused before it is sent.

use identitymesh_model::{Timestamp, VALUE_BYTES_MAX, Value, ValueType};
use jiff::civil;
use jiff::tz::Offset;

use crate::dialect::Storage;
use crate::layout::Column;
use crate::raw::Raw;

/// The attribute value of a column; `None` when it is absent.
///
/// # Errors
/// Words that say why the content is no value of the attribute's type.
pub(crate) fn decode(raw: Raw, column: &Column, empty_is_absent: bool) -> Result<Option<Value>, String> {
    match &raw {
        Raw::Null => return Ok(None),
        Raw::Text(text) if text.is_empty() && empty_is_absent => return Ok(None),
        Raw::Text(text) if text.len() > VALUE_BYTES_MAX => return Err(too_long(text.len())),
        Raw::Blob(bytes) if bytes.len() > VALUE_BYTES_MAX => return Err(too_long(bytes.len())),
        _ => {}
    }
    let wrong = || format!("holds {} where {} is expected", form(&raw), column.value);
    let value = match column.value {
        ValueType::String => Value::text(plain_text(&raw).ok_or_else(wrong)?),
        ValueType::Reference => Value::reference(plain_text(&raw).ok_or_else(wrong)?),
        ValueType::Integer => Value::Integer(integer(&raw).ok_or_else(wrong)?),
        ValueType::Boolean => Value::Boolean(boolean(&raw).ok_or_else(wrong)?),
        ValueType::DateTime => Value::DateTime(moment(&raw).ok_or_else(wrong)?),
        ValueType::Binary => match raw {
            Raw::Blob(bytes) => Value::Binary(bytes.into()),
            Raw::Text(text) => Value::Binary(text.into_bytes().into()),
            _ => return Err(wrong()),
        },
    };
    Ok(Some(value))
}

fn too_long(bytes: usize) -> String {
    format!("holds {bytes} bytes, more than the {VALUE_BYTES_MAX} allowed")
}

fn form(raw: &Raw) -> &'static str {
    match raw {
        Raw::Null => "nothing",
        Raw::Integer(_) => "a whole number",
        Raw::Real(_) => "a number with a fraction",
        Raw::Text(_) => "text",
        Raw::Blob(_) => "bytes",
    }
}

fn plain_text(raw: &Raw) -> Option<String> {
    match raw {
        Raw::Text(text) => Some(text.clone()),
        Raw::Integer(number) => Some(number.to_string()),
        Raw::Real(number) => Some(number.to_string()),
        Raw::Null | Raw::Blob(_) => None,
    }
}

fn integer(raw: &Raw) -> Option<i64> {
    match raw {
        Raw::Integer(number) => Some(*number),
        Raw::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn boolean(raw: &Raw) -> Option<bool> {
    match raw {
        Raw::Integer(0) => Some(false),
        Raw::Integer(1) => Some(true),
        Raw::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "0" | "f" | "false" => Some(false),
            "1" | "t" | "true" => Some(true),
            _ => None,
        },
        _ => None,
    }
}

/// ISO 8601 with or without time and zone, UTC where none is given, or seconds since 1970.
fn moment(raw: &Raw) -> Option<Timestamp> {
    match raw {
        Raw::Integer(seconds) => Timestamp::from_micros(seconds.checked_mul(1_000_000)?).ok(),
        Raw::Text(text) => {
            let text = text.trim();
            text.parse::<Timestamp>().ok().or_else(|| {
                let civil = text.parse::<civil::DateTime>().ok()?;
                Some(Offset::UTC.to_timestamp(civil).ok()?.into())
            })
        }
        _ => None,
    }
}

/// What is bound for an attribute value.
///
/// # Errors
/// Words that say why the column cannot hold it.
pub(crate) fn encode(value: &Value, column: &Column) -> Result<Raw, String> {
    let raw = match (value, column.value) {
        (Value::Text(text), ValueType::String) | (Value::Reference(text), ValueType::Reference) => {
            text_for(text, column.storage)?
        }
        (Value::Integer(number), ValueType::Integer) => Raw::Integer(*number),
        (Value::Boolean(truth), ValueType::Boolean) => Raw::Integer(i64::from(*truth)),
        (Value::DateTime(at), ValueType::DateTime) => moment_for(*at, column.storage)?,
        (Value::Binary(bytes), ValueType::Binary) => Raw::Blob(bytes.to_vec()),
        _ => return Err(format!("holds {} and cannot take {value:?}", column.value)),
    };
    Ok(raw)
}

fn text_for(text: &str, storage: Storage) -> Result<Raw, String> {
    let changed = || format!("stores numbers and would change the text {text:?}");
    if !matches!(storage, Storage::Integer | Storage::Number) {
        return Ok(Raw::Text(text.to_owned()));
    }
    let trimmed = text.trim_matches(|character: char| character.is_ascii_whitespace() || character == '\0');
    match (trimmed.parse::<i64>(), trimmed.parse::<f64>()) {
        (Ok(number), _) if number.to_string() == text => Ok(Raw::Integer(number)),
        (Err(_), Ok(number)) if number.to_string() == text && number.is_finite() && number.fract() != 0.0 => {
            Ok(Raw::Real(number))
        }
        (Err(_), Err(_)) => Ok(Raw::Text(text.to_owned())),
        _ => Err(changed()),
    }
}

fn moment_for(at: Timestamp, storage: Storage) -> Result<Raw, String> {
    let micros = at.as_micros();
    match storage {
        Storage::Integer if micros.rem_euclid(1_000_000) == 0 => {
            Ok(Raw::Integer(micros.div_euclid(1_000_000)))
        }
        Storage::Integer => Err(format!("stores whole seconds and would shorten {at}")),
        Storage::Date if micros.rem_euclid(86_400_000_000) == 0 => {
            Ok(Raw::Text(Offset::UTC.to_datetime(at.to_jiff()).date().to_string()))
        }
        Storage::Date => Err(format!("stores days and would shorten {at}")),
        Storage::Text | Storage::Number | Storage::Bytes => Ok(Raw::Text(at.to_string())),
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
