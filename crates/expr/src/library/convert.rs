//! Conversions between kinds, always asked for and never guessed.
//!
//! Text that does not say what it should is an error, not a zero: a wrong number in a target is worse than none.

use super::Call;
use super::table::{B, FunctionDoc, I, Run, T, once};
use crate::data::Data;
use crate::environment::Kinds;
use crate::errors::Fault;

const FAMILY: &str = "Conversion";

pub(super) const FUNCTIONS: &[FunctionDoc] = &[
    FunctionDoc::new(FAMILY, "ToInteger", "ToInteger(value)", &[once("value", T.union(B))], I, Run::Body(to_integer))
        .help("The integer that the text spells in decimal, or in hexadecimal after 0x; true is 1; empty text is absent")
        .example("ToInteger(' 42 ')", "42"),
    FunctionDoc::new(FAMILY, "ToBoolean", "ToBoolean(value)", &[once("value", T.union(B))], B, Run::Body(to_boolean))
        .help("True for true, yes, y, t, on, 1; false for false, no, n, f, off, 0, in any case; empty text is absent")
        .example("ToBoolean('Yes')", "true"),
    FunctionDoc::new(FAMILY, "ToText", "ToText(value)", &[once("value", Kinds::SCALAR)], T, Run::Body(to_text))
        .help("The value as text: dates in ISO 8601, binary as UTF-8")
        .example("ToText(true)", "\"true\""),
];

fn to_integer<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let text = match call.take(0) {
        Data::Boolean(truth) => return Ok(Data::Integer(i64::from(truth))),
        Data::Integer(number) => return Ok(Data::Integer(number)),
        other => super::call::text_of(other),
    };
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Data::Absent);
    }
    let parsed = match trimmed.strip_prefix("0x").or_else(|| trimmed.strip_prefix("0X")) {
        // A sign after the prefix is no number.
        Some(digits) if !digits.starts_with(['+', '-']) => i64::from_str_radix(digits, 16),
        _ => trimmed.parse(),
    };
    parsed.map(Data::Integer).map_err(|_| Fault::value(format!("{trimmed:?} is not an integer of 64 bits")))
}

fn to_boolean<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let text = match call.take(0) {
        Data::Boolean(truth) => return Ok(Data::Boolean(truth)),
        other => super::call::text_of(other),
    };
    match text.trim().to_lowercase().as_str() {
        "" => Ok(Data::Absent),
        "true" | "yes" | "y" | "t" | "on" | "1" => Ok(Data::Boolean(true)),
        "false" | "no" | "n" | "f" | "off" | "0" => Ok(Data::Boolean(false)),
        _ => Err(Fault::value(format!("{:?} is neither true nor false; compare it instead", text.trim()))),
    }
}

fn to_text<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    Ok(match call.take(0) {
        Data::Boolean(truth) => Data::text(if truth { "true" } else { "false" }),
        Data::Date(at) => Data::text(at.to_string()),
        Data::Binary(bytes) => match String::from_utf8(bytes.into_owned()) {
            Ok(text) => Data::text(text),
            Err(_) => return Err(Fault::value("the bytes are no UTF-8 text; use HexEncode or Base64Encode")),
        },
        other => Data::text(super::call::text_of(other)),
    })
}
