//! Search filters as text (RFC 4515) into the form in which they travel (RFC 4511, section 4.5.1.7).
//!
//! Values may hold any byte, written as `\xx`, because ids such as an `objectGUID` are not text. Length and depth are
//! bounded; what is no filter is nothing.

use super::ber::{OCTETS, SEQUENCE, Writer};

/// Longest filter, in bytes.
const FILTER_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting.
const FILTER_DEPTH_MAX: usize = 64;

/// The filter as it travels, `None` when the text is no filter.
pub(crate) fn encode(text: &str) -> Option<Vec<u8>> {
    if text.len() > FILTER_BYTES_MAX {
        return None;
    }
    let mut writer = Writer::default();
    let rest = filter(text, &mut writer, FILTER_DEPTH_MAX)?;
    rest.is_empty().then(|| writer.into_bytes())
}

/// Writes one filter and returns what follows it.
fn filter<'a>(text: &'a str, writer: &mut Writer, depth: usize) -> Option<&'a str> {
    let depth = depth.checked_sub(1)?;
    let inner = text.strip_prefix('(')?;
    let rest = match inner.as_bytes().first()? {
        b'&' => list(0xa0, &inner[1..], writer, depth)?,
        b'|' => list(0xa1, &inner[1..], writer, depth)?,
        b'!' => {
            let mut rest = None;
            writer.nested(0xa2, |writer| rest = filter(&inner[1..], writer, depth));
            rest?
        }
        _ => {
            let end = inner.find(['(', ')'])?;
            item(&inner[..end], writer)?;
            &inner[end..]
        }
    };
    rest.strip_prefix(')')
}

fn list<'a>(tag: u8, text: &'a str, writer: &mut Writer, depth: usize) -> Option<&'a str> {
    let mut rest = Some(text);
    writer.nested(tag, |writer| {
        while let Some(text) = rest.filter(|text| text.starts_with('(')) {
            rest = filter(text, writer, depth);
        }
    });
    rest
}

fn item(text: &str, writer: &mut Writer) -> Option<()> {
    let (left, right) = text.split_once('=')?;
    let (tag, attribute) = match left.as_bytes().last()? {
        b'>' => (0xa5, &left[..left.len() - 1]),
        b'<' => (0xa6, &left[..left.len() - 1]),
        b'~' => (0xa8, &left[..left.len() - 1]),
        b':' => return extensible(&left[..left.len() - 1], right, writer),
        _ => (0xa3, left),
    };
    if !is_description(attribute) {
        return None;
    }
    if tag == 0xa3 && right == "*" {
        writer.octets(0x87, attribute.as_bytes());
        return Some(());
    }
    if tag == 0xa3 && right.contains('*') {
        return substrings(attribute, right, writer);
    }
    let value = unescape(right)?;
    writer.nested(tag, |writer| {
        writer.octets(OCTETS, attribute.as_bytes());
        writer.octets(OCTETS, &value);
    });
    Some(())
}

fn substrings(attribute: &str, pattern: &str, writer: &mut Writer) -> Option<()> {
    let parts = pattern.split('*').map(unescape).collect::<Option<Vec<_>>>()?;
    let last = parts.len() - 1;
    // An empty part between two stars would be no condition at all.
    if parts.iter().enumerate().any(|(at, part)| part.is_empty() && at != 0 && at != last) {
        return None;
    }
    writer.nested(0xa4, |writer| {
        writer.octets(OCTETS, attribute.as_bytes());
        writer.nested(SEQUENCE, |writer| {
            for (at, part) in parts.iter().enumerate().filter(|(_, part)| !part.is_empty()) {
                let tag = if at == 0 {
                    0x80
                } else if at == last {
                    0x82
                } else {
                    0x81
                };
                writer.octets(tag, part);
            }
        });
    });
    Some(())
}

/// `attribute:dn:rule:=value`, where each part but the value may be missing as long as something is named.
fn extensible(left: &str, value: &str, writer: &mut Writer) -> Option<()> {
    let mut parts = left.split(':');
    let attribute = parts.next()?;
    let mut rule = parts.next();
    let of_names = rule.is_some_and(|word| word.eq_ignore_ascii_case("dn"));
    if of_names {
        rule = parts.next();
    }
    let is_sound = parts.next().is_none()
        && (attribute.is_empty() || is_description(attribute))
        && rule.is_none_or(is_description)
        && !(attribute.is_empty() && rule.is_none());
    if !is_sound {
        return None;
    }
    let value = unescape(value)?;
    writer.nested(0xa9, |writer| {
        if let Some(rule) = rule {
            writer.octets(0x81, rule.as_bytes());
        }
        if !attribute.is_empty() {
            writer.octets(0x82, attribute.as_bytes());
        }
        writer.octets(0x83, &value);
        if of_names {
            writer.boolean(0x84, true);
        }
    });
    Some(())
}

fn is_description(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._;".contains(&byte))
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut value = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                value.push(u8::try_from(high * 16 + low).ok()?);
            }
            b'*' | 0 => return None,
            _ => value.push(byte),
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_its_bytes() {
        for (text, bytes) in [
            ("(a=b)", &[0xa3, 6, 4, 1, b'a', 4, 1, b'b'][..]),
            ("(a=\\00\\ff)", &[0xa3, 7, 4, 1, b'a', 4, 2, 0, 255]),
            ("(a=)", &[0xa3, 5, 4, 1, b'a', 4, 0]),
            ("(a=*)", &[0x87, 1, b'a']),
            ("(a>=1)", &[0xa5, 6, 4, 1, b'a', 4, 1, b'1']),
            ("(a<=1)", &[0xa6, 6, 4, 1, b'a', 4, 1, b'1']),
            ("(a~=1)", &[0xa8, 6, 4, 1, b'a', 4, 1, b'1']),
            ("(!(a=*))", &[0xa2, 3, 0x87, 1, b'a']),
            ("(&)", &[0xa0, 0]),
            ("(|(a=*)(b=*))", &[0xa1, 6, 0x87, 1, b'a', 0x87, 1, b'b']),
            ("(a=x*y*z)", &[0xa4, 14, 4, 1, b'a', 0x30, 9, 0x80, 1, b'x', 0x81, 1, b'y', 0x82, 1, b'z']),
            ("(a=*y*)", &[0xa4, 8, 4, 1, b'a', 0x30, 3, 0x81, 1, b'y']),
            ("(a:1.2:=3)", &[0xa9, 11, 0x81, 3, b'1', b'.', b'2', 0x82, 1, b'a', 0x83, 1, b'3']),
            ("(:dn:r:=3)", &[0xa9, 9, 0x81, 1, b'r', 0x83, 1, b'3', 0x84, 1, 255]),
        ] {
            assert_eq!(encode(text).as_deref(), Some(bytes), "{text}");
        }
    }

    #[test]
    fn anything_else_is_nothing() {
        for text in [
            "",
            "a=b",
            "(a=b",
            "(a=b))",
            "(&(a=b)",
            "()",
            "(a)",
            "(=b)",
            "(!)",
            "(!(a=b)(c=d))",
            "(a=b)x",
            "(a=\\0)",
            "(a=\\zz)",
            "(a=b(c)",
            "(a=x**y)",
            "(a b=c)",
            "(:=x)",
            "(a:b:c:d:=x)",
        ] {
            assert_eq!(encode(text), None, "{text}");
        }
        let nested = |depth: usize| format!("{}(a=b){}", "(!".repeat(depth), ")".repeat(depth));
        assert!(encode(&nested(FILTER_DEPTH_MAX - 1)).is_some());
        assert!(encode(&nested(FILTER_DEPTH_MAX)).is_none());
        let long = |bytes: usize| format!("(a={})", "x".repeat(bytes - 4));
        assert!(encode(&long(FILTER_BYTES_MAX)).is_some());
        assert!(encode(&long(FILTER_BYTES_MAX + 1)).is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_text_ends_the_task(text in "[()&|!=*\\\\:a-c0]{0,40}") {
            let _read = encode(&text);
        }
    }
}
