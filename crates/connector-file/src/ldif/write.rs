//! Objects as entries.
//!
//! Content comes with containers before what they hold, and within a container in the order of normalised names, so
//! that a directory can load it and two files compare line by line. A value goes as base64 whenever a plain line
//! could be read as something else; lines wrap at 76 bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use identitymesh_model::{Object, Value, dn};

use crate::convert::TextRules;
use crate::layout::DN;

/// Bytes in one physical line.
const LINE_BYTES_MAX: usize = 76;

/// Appends `name` with one value.
pub(crate) fn write_line(out: &mut String, name: &str, value: &[u8]) {
    let line = match std::str::from_utf8(value) {
        Ok(text) if is_safe(text) => format!("{name}: {text}"),
        _ => format!("{name}:: {}", BASE64.encode(value)),
    };
    // Only ASCII gets here unless an attribute's own name is not; then the line is left whole.
    if !line.is_ascii() {
        out.push_str(&line);
        out.push('\n');
        return;
    }
    let (first, mut rest) = line.split_at(line.len().min(LINE_BYTES_MAX));
    out.push_str(first);
    while !rest.is_empty() {
        let (part, tail) = rest.split_at(rest.len().min(LINE_BYTES_MAX - 1));
        out.push_str("\n ");
        out.push_str(part);
        rest = tail;
    }
    out.push('\n');
}

/// Appends one line without a value's rules, for words such as `changetype`.
pub(crate) fn write_plain(out: &mut String, name: &str, word: &str) {
    write_line(out, name, word.as_bytes());
}

fn is_safe(text: &str) -> bool {
    !text.starts_with([' ', ':', '<'])
        && !text.ends_with(' ')
        && text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_control())
}

/// Appends the attributes of an entry, `objectClass` first as people expect it.
fn write_attributes(
    out: &mut String,
    text: &TextRules,
    attributes: &Object,
    rest: &[(String, Vec<u8>)],
) -> Result<(), String> {
    let is_class = |name: &str| name.eq_ignore_ascii_case("objectClass");
    for classes in [true, false] {
        for (name, values) in attributes.iter() {
            if is_class(name.as_str()) == classes && !name.as_str().eq_ignore_ascii_case(DN) {
                write_values(out, text, name.as_str(), values.as_slice())?;
            }
        }
        for (name, value) in rest.iter().filter(|(name, _)| is_class(name) == classes) {
            write_line(out, name, value);
        }
    }
    Ok(())
}

/// Appends a line for each value.
fn write_values(out: &mut String, text: &TextRules, name: &str, values: &[Value]) -> Result<(), String> {
    for value in values {
        match value {
            Value::Binary(bytes) => write_line(out, name, bytes),
            value => write_line(out, name, text.text(value)?.as_bytes()),
        }
    }
    Ok(())
}

/// A whole content file from entries of DN, attributes and what the schema does not cover.
pub(crate) fn write_content<'a>(
    text: &TextRules,
    entries: impl Iterator<Item = (&'a str, &'a Object, &'a [(String, Vec<u8>)])>,
) -> Result<String, String> {
    let mut ordered: Vec<_> = entries.map(|entry| (order(entry.0), entry)).collect();
    ordered.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut out = String::from("version: 1\n");
    for (_, (address, attributes, rest)) in ordered {
        out.push('\n');
        write_line(&mut out, DN, address.as_bytes());
        write_attributes(&mut out, text, attributes, rest)?;
    }
    Ok(out)
}

/// The normalised components from the root down: a container sorts right before what it holds.
fn order(address: &str) -> Vec<String> {
    let normal = dn::normalise(address);
    let mut parts: Vec<String> = dn::components(&normal).map(str::to_owned).collect();
    parts.reverse();
    parts
}

/// One block of a modify record.
pub(crate) fn write_modify(
    out: &mut String,
    text: &TextRules,
    action: &str,
    name: &str,
    values: &[Value],
) -> Result<(), String> {
    write_plain(out, action, name);
    write_values(out, text, name, values)?;
    out.push_str("-\n");
    Ok(())
}

/// A record that adds an object.
pub(crate) fn write_add(
    out: &mut String,
    text: &TextRules,
    address: &str,
    attributes: &Object,
) -> Result<(), String> {
    write_line(out, DN, address.as_bytes());
    write_plain(out, "changetype", "add");
    write_attributes(out, text, attributes, &[])
}
