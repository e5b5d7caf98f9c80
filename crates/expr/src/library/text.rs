//! Functions on text. Positions and lengths count Unicode scalar values, not bytes.
//!
//! What lies beyond the end is simply not there; a negative position or length is an error, because it is never
//! meant. Comparison is exact: fold the case on both sides where it should not matter.

use std::borrow::Cow;

use super::Call;
use super::call::{Bounded, part, text_of};
use super::table::{B, FunctionDoc, I, L, Run, T, once, optional, repeated};
use crate::bounds::TEXT_BYTES_MAX;
use crate::data::Data;
use crate::environment::Kinds;
use crate::errors::Fault;

const FAMILY: &str = "Text";
const TEXT: super::Parameter = once("text", T);

const fn entry(
    name: &'static str,
    signature: &'static str,
    parameters: &'static [super::Parameter],
    result: Kinds,
    body: super::table::Body,
) -> FunctionDoc {
    FunctionDoc::new(FAMILY, name, signature, parameters, result, Run::Body(body))
}

pub(super) const FUNCTIONS: &[FunctionDoc] = &[
    entry("ToLower", "ToLower(text)", &[TEXT], T, to_lower)
        .help("The text in lower case")
        .example("ToLower('ÄRGER')", "\"ärger\""),
    entry("ToUpper", "ToUpper(text)", &[TEXT], T, to_upper)
        .help("The text in upper case")
        .example("ToUpper('straße')", "\"STRASSE\""),
    entry("ToTitle", "ToTitle(text)", &[TEXT], T, to_title)
        .help("Each word with a capital and small letters; words begin after anything but a letter, a digit or a possessive apostrophe")
        .example("ToTitle(\"anne-marie O'NEILL\")", "\"Anne-Marie O'Neill\""),
    entry("Trim", "Trim(text)", &[TEXT], T, trim)
        .help("The text without blanks at either end")
        .example("Trim('  Ann ')", "\"Ann\""),
    entry("TrimStart", "TrimStart(text)", &[TEXT], T, trim_start)
        .help("The text without blanks at its start")
        .example("TrimStart('  Ann ')", "\"Ann \""),
    entry("TrimEnd", "TrimEnd(text)", &[TEXT], T, trim_end)
        .help("The text without blanks at its end")
        .example("TrimEnd('  Ann ')", "\"  Ann\""),
    entry("Replace", "Replace(text, old, new)", &[TEXT, once("old", T), once("new", T)], T, replace)
        .help("The text with every occurrence of old replaced by new")
        .example("Replace('a.b.c', '.', '-')", "\"a-b-c\""),
    entry("Concat", "Concat(value, …)", &[once("value", T), repeated("value", T)], T, concat)
        .taking_absent()
        .help("The texts one after the other; absent ones are left out, and absent when all are (the operator + gives absent when one is)")
        .example("Concat('Ann', mail, ' ', 'Smith')", "\"Ann Smith\""),
    entry("Join", "Join(list, separator)", &[once("list", L), once("separator", T)], T, join)
        .help("The values of the list as one text, the separator between them")
        .example("Join(['a', 'b', 'c'], ', ')", "\"a, b, c\""),
    entry("Split", "Split(text, separator)", &[TEXT, once("separator", T)], L, split)
        .help("The parts of the text between the separators, as a list; empty parts are kept")
        .example("Split('a;b;c', ';')", "[\"a\", \"b\", \"c\"]"),
    entry("Left", "Left(text, count)", &[TEXT, once("count", I)], T, left)
        .help("The first count characters")
        .example("Left('Ann', 1)", "\"A\""),
    entry("Right", "Right(text, count)", &[TEXT, once("count", I)], T, right)
        .help("The last count characters")
        .example("Right('12345', 2)", "\"45\""),
    entry("Mid", "Mid(text, position[, count])", &[TEXT, once("position", I), optional("count", I)], T, mid)
        .help("Count characters from a position counted from 1, or all from there")
        .example("Mid('abcdef', 2, 3)", "\"bcd\""),
    entry("Substring", "Substring(text, start[, count])", &[TEXT, once("start", I), optional("count", I)], T, substring)
        .help("Count characters from a position counted from 0, or all from there")
        .example("Substring('abcdef', 2, 3)", "\"cde\""),
    entry("PadLeft", "PadLeft(text, length[, pad])", &[TEXT, once("length", I), optional("pad", T)], T, pad_left)
        .help("The text filled up at its start to the length, with blanks or the one character given")
        .example("PadLeft(42, 6, '0')", "\"000042\""),
    entry("PadRight", "PadRight(text, length[, pad])", &[TEXT, once("length", I), optional("pad", T)], T, pad_right)
        .help("The text filled up at its end to the length, with blanks or the one character given")
        .example("PadRight('ab', 4, '.')", "\"ab..\""),
    entry("Length", "Length(value)", &[once("value", T.union(L).union(Kinds::BINARY))], I, length)
        .help("Characters in a text, bytes in a binary value, values in a list")
        .example("Length('Müller')", "6"),
    entry("Contains", "Contains(value, part)", &[once("value", T.union(L)), once("part", Kinds::SCALAR)], B, contains)
        .taking_absent()
        .help("Whether the text contains the part, or the list the value; false when either is absent")
        .example("Contains('Smith', 'mit')", "true"),
    entry("StartsWith", "StartsWith(text, part)", &[TEXT, once("part", T)], B, starts_with)
        .taking_absent()
        .help("Whether the text starts with the part; false when either is absent")
        .example("StartsWith('SMTP:a@b', 'SMTP:')", "true"),
    entry("EndsWith", "EndsWith(text, part)", &[TEXT, once("part", T)], B, ends_with)
        .taking_absent()
        .help("Whether the text ends with the part; false when either is absent")
        .example("EndsWith('a@corp.example', '@corp.example')", "true"),
];

type Outcome<'a> = Result<Data<'a>, Fault>;

fn to_lower<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let text = call.text(0);
    Ok(Data::text(match text.is_ascii() {
        false => Cow::Owned(text.to_lowercase()),
        true if text.bytes().any(|byte| byte.is_ascii_uppercase()) => Cow::Owned(text.to_ascii_lowercase()),
        true => text,
    }))
}

fn to_upper<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let text = call.text(0);
    Ok(Data::text(match text.is_ascii() {
        false => Cow::Owned(text.to_uppercase()),
        true if text.bytes().any(|byte| byte.is_ascii_lowercase()) => Cow::Owned(text.to_ascii_uppercase()),
        true => text,
    }))
}

fn to_title<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let text = call.text(0);
    let mut out = String::with_capacity(text.len());
    // Letters of the word so far: an apostrophe after one letter (O'Neill, D'Angelo) begins a word, a later one
    // (Smith's) does not.
    let mut letters = 0_usize;
    for char in text.chars() {
        if char.is_alphanumeric() {
            if letters == 0 {
                out.extend(char.to_uppercase())
            } else {
                out.extend(char.to_lowercase())
            }
            letters += 1;
        } else {
            out.push(char);
            letters = if matches!(char, '\'' | '’') && letters > 1 { letters } else { 0 };
        }
    }
    Ok(Data::text(out))
}

fn trim<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    trimmed(call, true, true)
}

fn trim_start<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    trimmed(call, true, false)
}

fn trim_end<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    trimmed(call, false, true)
}

fn trimmed<'a>(call: &mut Call<'_, 'a>, start: bool, end: bool) -> Outcome<'a> {
    let text = call.text(0);
    let to = if end { text.trim_end().len() } else { text.len() };
    let from = if start { to - text[..to].trim_start().len() } else { 0 };
    Ok(Data::text(part(text, from, to)))
}

fn replace<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, old, new) = (call.text(0), call.text(1), call.text(2));
    if old.is_empty() {
        return Err(Fault::value("the text to replace must not be empty"));
    }
    let mut pieces = text.split(&*old);
    let mut out = Bounded::default();
    let first = pieces.next().unwrap_or_default();
    if first.len() == text.len() {
        return Ok(Data::text(text));
    }
    out.push(first)?;
    for piece in pieces {
        out.push(&new)?;
        out.push(piece)?;
    }
    Ok(out.finish())
}

fn concat<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let mut out = Bounded::default();
    let mut any = false;
    for index in 0..call.arguments.len() {
        if call.has(index) {
            any = true;
            out.push(&call.text(index))?;
        }
    }
    Ok(if any { out.finish() } else { Data::Absent })
}

fn join<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (list, separator) = (call.list(0), call.text(1));
    let mut out = Bounded::default();
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            out.push(&separator)?;
        }
        match item {
            Data::Text(text) | Data::Reference(text) => out.push(text)?,
            Data::Integer(number) => out.push(&number.to_string())?,
            other => {
                let hint = "; convert each value with ToText";
                return Err(Fault::Kind {
                    place: "each value of the list".into(),
                    expected: T,
                    found: other.kind(),
                    hint,
                });
            }
        }
    }
    Ok(if list.is_empty() { Data::Absent } else { out.finish() })
}

fn split<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, separator) = (call.text(0), call.text(1));
    if separator.is_empty() {
        return Err(Fault::value("the separator must not be empty"));
    }
    Ok(Data::list(match &text {
        Cow::Borrowed(text) => text.split(&*separator).map(Data::text).collect(),
        Cow::Owned(text) => text.split(&*separator).map(|piece| Data::text(piece.to_owned())).collect(),
    }))
}

/// Byte offset of the character at `index`, the end when there are fewer.
fn offset(text: &str, index: usize) -> usize {
    text.char_indices().nth(index).map_or(text.len(), |(at, _)| at)
}

fn window<'a>(call: &mut Call<'_, 'a>, start: usize, count: Option<usize>) -> Data<'a> {
    let text = call.text(0);
    let from = offset(&text, start);
    let to = count.map_or(text.len(), |count| from + offset(&text[from..], count));
    Data::text(part(text, from, to))
}

fn left<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let count = call.count(1, "the count")?;
    Ok(window(call, 0, Some(count)))
}

fn right<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let count = call.count(1, "the count")?;
    let text = call.text(0);
    let from = match count {
        0 => text.len(),
        _ => text.char_indices().rev().nth(count - 1).map_or(0, |(at, _)| at),
    };
    let to = text.len();
    Ok(Data::text(part(text, from, to)))
}

fn mid<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let position = call.count(1, "the position")?;
    let start =
        position.checked_sub(1).ok_or_else(|| Fault::value("the position counts from 1, but is 0"))?;
    let count = optional_count(call)?;
    Ok(window(call, start, count))
}

fn substring<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let start = call.count(1, "the start")?;
    let count = optional_count(call)?;
    Ok(window(call, start, count))
}

fn optional_count(call: &Call<'_, '_>) -> Result<Option<usize>, Fault> {
    if call.has(2) { call.count(2, "the count").map(Some) } else { Ok(None) }
}

/// The text, and what to fill it up with.
fn padding<'a>(call: &mut Call<'_, 'a>) -> Result<(Cow<'a, str>, String), Fault> {
    let length = call.count(1, "the length")?;
    let pad = call.text_or(2, " ");
    let (text, mut chars) = (call.text(0), pad.chars());
    let (Some(char), None) = (chars.next(), chars.next()) else {
        return Err(Fault::value(format!("the pad must be one character, but is {pad:?}")));
    };
    let missing = length.saturating_sub(text.chars().count());
    if missing.saturating_mul(char.len_utf8()).saturating_add(text.len()) > TEXT_BYTES_MAX && missing > 0 {
        return Err(Fault::text_too_large());
    }
    Ok((text, std::iter::repeat_n(char, missing).collect()))
}

fn pad_left<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, mut fill) = padding(call)?;
    if fill.is_empty() {
        return Ok(Data::text(text));
    }
    fill.push_str(&text);
    Ok(Data::text(fill))
}

fn pad_right<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, fill) = padding(call)?;
    Ok(Data::text(if fill.is_empty() { text } else { Cow::Owned(text.into_owned() + &fill) }))
}

fn length<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let count = match call.take(0) {
        Data::List(items) => items.len(),
        Data::Binary(bytes) => bytes.len(),
        other => text_of(other).chars().count(),
    };
    Ok(Data::Integer(i64::try_from(count).expect("a count in memory fits")))
}

fn contains<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    if !call.has(0) || !call.has(1) {
        return Ok(Data::Boolean(false));
    }
    let (whole, part) = (call.take(0), call.take(1));
    Ok(Data::Boolean(match whole {
        Data::List(items) => items.iter().any(|item| item.same_as(&part)),
        text if (Kinds::TEXT | Kinds::INTEGER).contains(part.kind()) => {
            text_of(text).contains(&*text_of(part))
        }
        _ => false,
    }))
}

fn starts_with<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let both = call.has(0) && call.has(1);
    Ok(Data::Boolean(both && call.text(0).starts_with(&*call.text(1))))
}

fn ends_with<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let both = call.has(0) && call.has(1);
    Ok(Data::Boolean(both && call.text(0).ends_with(&*call.text(1))))
}
