//! Values from the texts that files hold, and back.
//!
//! Reading never guesses: a text that does not fit its attribute's type is an error that names both. Writing gives
//! the one form that reads back as the same value; callers check that it does, so what a format cannot hold (a
//! separator within a value, a time of day in a date) is refused instead of altered. Types are those of the sync
//! semantics, section 1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use identitymesh_model::{AttributeType, Text, Timestamp, VALUE_BYTES_MAX, Value, ValueType, Values};
use jiff::civil;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// How texts of one file turn into values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextRules {
    /// As in `strftime`; without it RFC 3339, a date alone, or generalised time.
    pub(crate) date_format: Option<String>,
    /// The empty text is no value.
    pub(crate) empty_is_absent: bool,
    /// CSV: what stands between the values of one field.
    pub(crate) separator: String,
}

impl TextRules {
    /// Whether dates can be written and read with `format`.
    pub(crate) fn check_date_format(format: &str) -> Result<(), String> {
        let rules = Self { date_format: Some(format.to_owned()), ..Self::default() };
        let sample = "2001-02-03T00:00:00Z".parse().expect("a constant date");
        let shown = rules.write_date(sample).map_err(|_| unusable(format))?;
        match rules.date(&shown) {
            Ok(read) if read == sample => Ok(()),
            _ => Err(unusable(format)),
        }
    }

    /// The value that `text` writes.
    pub(crate) fn value(&self, kind: ValueType, text: &str) -> Result<Value, String> {
        check_size(text.len())?;
        match kind {
            ValueType::String => Ok(Value::Text(Text::new(text))),
            ValueType::Reference => Ok(Value::Reference(Text::new(text))),
            ValueType::Integer => match text.trim().parse() {
                Ok(number) => Ok(Value::Integer(number)),
                Err(_) => Err(format!("{} is no whole number of 64 bits", excerpt(text))),
            },
            ValueType::Boolean => boolean(text),
            ValueType::DateTime => self.date(text.trim()).map(Value::DateTime),
            ValueType::Binary => match BASE64.decode(text.trim()) {
                Ok(bytes) => Ok(Value::Binary(bytes.into())),
                Err(_) => Err(format!("{} is no base64", excerpt(text))),
            },
        }
    }

    /// Whether `text` stands for no value of the type. Only a text can be empty and still be a value.
    pub(crate) fn is_absent(&self, kind: ValueType, text: &str) -> bool {
        text.is_empty() && (self.empty_is_absent || kind != ValueType::String)
    }

    /// The text that reads back as `value`.
    pub(crate) fn text(&self, value: &Value) -> Result<String, String> {
        match value {
            Value::Text(text) | Value::Reference(text) => Ok(text.to_string()),
            Value::Integer(number) => Ok(number.to_string()),
            Value::Boolean(truth) => Ok(truth.to_string()),
            Value::DateTime(at) => self.write_date(*at),
            Value::Binary(bytes) => Ok(BASE64.encode(bytes)),
        }
    }

    fn date(&self, text: &str) -> Result<Timestamp, String> {
        let parsed = match &self.date_format {
            Some(format) => date_by_format(format, text),
            None => date_by_habit(text),
        };
        parsed.map(Timestamp::from).ok_or_else(|| match &self.date_format {
            Some(format) => format!("{} is no date of the form {format}", excerpt(text)),
            None => format!("{} is no date such as 2026-03-02 or 2026-03-02T08:00:00Z", excerpt(text)),
        })
    }

    fn write_date(&self, at: Timestamp) -> Result<String, String> {
        match &self.date_format {
            None => Ok(at.to_string()),
            Some(format) => {
                let civil = TimeZone::UTC.to_datetime(at.to_jiff());
                strtime::format(format, civil).map_err(|_| format!("{at} cannot be written as {format}"))
            }
        }
    }
}

/// Values of an attribute of this type, `None` when there are none.
pub(crate) fn assemble(kind: AttributeType, mut values: Vec<Value>) -> Result<Option<Values>, String> {
    if kind.multi {
        return match values.len() > identitymesh_model::VALUE_COUNT_MAX {
            true => Err(format!("{} values are more than an attribute may hold", values.len())),
            false => Ok(Values::set(values)),
        };
    }
    match values.len() {
        0 | 1 => Ok(values.pop().map(Values::One)),
        count => Err(format!("{count} values in an attribute of type {kind}; declare it as {kind}[]")),
    }
}

/// A value of `bytes` bytes fits the model's bound.
pub(crate) fn check_size(bytes: usize) -> Result<(), String> {
    match bytes > VALUE_BYTES_MAX {
        true => Err(format!("a value of {bytes} bytes is larger than the {VALUE_BYTES_MAX} allowed")),
        false => Ok(()),
    }
}

/// A text as it may stand in a message: quoted and short.
pub(crate) fn excerpt(text: &str) -> String {
    const SHOWN_MAX: usize = 40;
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

fn boolean(text: &str) -> Result<Value, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(Value::Boolean(true)),
        "false" | "no" | "0" => Ok(Value::Boolean(false)),
        _ => Err(format!("{} is neither true, yes, 1 nor false, no, 0", excerpt(text))),
    }
}

fn date_by_format(format: &str, text: &str) -> Option<jiff::Timestamp> {
    let broken = strtime::parse(format, text).ok()?;
    broken.to_timestamp().ok().or_else(|| {
        let date = broken.to_date().ok()?;
        let time = broken.to_time().unwrap_or(civil::Time::midnight());
        in_utc(date.to_datetime(time))
    })
}

/// RFC 3339; a date and time or a date alone, which are UTC; generalised time as directories write it.
fn date_by_habit(text: &str) -> Option<jiff::Timestamp> {
    if text.len() >= 14 && text.bytes().take(14).all(|byte| byte.is_ascii_digit()) {
        return generalised_time(text);
    }
    let is_date_first = text.len() >= 10 && text.as_bytes()[4] == b'-';
    text.parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| is_date_first.then(|| text.parse::<civil::DateTime>().ok().and_then(in_utc)).flatten())
}

fn generalised_time(text: &str) -> Option<jiff::Timestamp> {
    let (digits, tail) = text.split_at(14);
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i8>().ok());
    let year = digits[..4].parse().ok()?;
    let whole =
        civil::DateTime::new(year, part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, part(12, 14)?, 0);
    let tail = tail.strip_suffix('Z')?;
    let micros = match tail.strip_prefix(['.', ',']) {
        None if tail.is_empty() => 0,
        Some(fraction)
            if (1..=6).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit()) =>
        {
            format!("{fraction:0<6}").parse::<i64>().ok()?
        }
        _ => return None,
    };
    in_utc(whole.ok()?)?.checked_add(jiff::SignedDuration::from_micros(micros)).ok()
}

fn in_utc(datetime: civil::DateTime) -> Option<jiff::Timestamp> {
    TimeZone::UTC.to_timestamp(datetime).ok()
}

fn unusable(format: &str) -> String {
    format!("{format:?} cannot both write and read a date; use a form such as \"%d.%m.%Y\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(rules: &TextRules, text: &str) -> Result<String, String> {
        rules.value(ValueType::DateTime, text).map(|value| value.to_string())
    }

    #[test]
    fn dates_of_all_usual_forms() {
        let rules = TextRules::default();
        for (text, expected) in [
            ("2026-03-02", "2026-03-02T00:00:00Z"),
            ("2026-03-02T08:00:00+02:00", "2026-03-02T06:00:00Z"),
            ("2026-03-02 08:00:00", "2026-03-02T08:00:00Z"),
            ("20260302080000Z", "2026-03-02T08:00:00Z"),
            ("20260302080000.5Z", "2026-03-02T08:00:00.5Z"),
        ] {
            assert_eq!(date(&rules, text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "soon", "02.03.2026", "2026-02-30", "20261302080000Z", "20260302080000", "ÄÖÜäöüß-1"]
        {
            assert!(date(&rules, text).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_of_a_given_form() {
        let rules = TextRules { date_format: Some("%d.%m.%Y".to_owned()), ..TextRules::default() };
        assert_eq!(date(&rules, "02.03.2026").as_deref(), Ok("2026-03-02T00:00:00Z"));
        assert!(date(&rules, "2026-03-02").unwrap_err().contains("%d.%m.%Y"));
        assert!(TextRules::check_date_format("%d.%m.%Y %H:%M").is_ok());
        for format in ["", "%H:%M", "%Q", "%Y"] {
            assert!(TextRules::check_date_format(format).is_err(), "{format}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let rules = TextRules::default();
        for (kind, text, word) in [
            (ValueType::Integer, "12a", "12a"),
            (ValueType::Integer, "9223372036854775808", "64 bits"),
            (ValueType::Boolean, "maybe", "maybe"),
            (ValueType::Binary, "%%%", "base64"),
        ] {
            assert!(rules.value(kind, text).unwrap_err().contains(word), "{text}");
        }
        let long = "x".repeat(VALUE_BYTES_MAX);
        assert!(rules.value(ValueType::String, &long).is_ok());
        assert!(rules.value(ValueType::String, &(long + "x")).unwrap_err().contains("1048577"));
    }
}
