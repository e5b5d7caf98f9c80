//! Distinguished names (RFC 4514): escaping, splitting, comparing.
//!
//! Directories write the same name with different case, blanks and escapes; [`normalise`] gives all of them one
//! form, which is what look-ups use. Text that is no DN is never an error here: it is compared as it stands.

use std::fmt::Write as _;

/// `value` written so that it can stand on the right of `=` in a DN.
#[must_use]
pub fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, character) in value.chars().enumerate() {
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => {
                out.push('\\');
                out.push(character);
            }
            '#' if at == 0 => out.push_str("\\#"),
            ' ' if at == 0 || at == last => out.push_str("\\ "),
            '\0'..='\u{1f}' | '\u{7f}' => {
                write!(out, "\\{:02x}", u32::from(character)).expect("strings grow")
            }
            _ => out.push(character),
        }
    }
    out
}

/// The first component and the rest: `cn=a\,b` and `ou=x` of `cn=a\,b,ou=x`. The rest is empty for a single one.
#[must_use]
pub fn split_first(dn: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, byte) in dn.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' | b';' => return (dn[..at].trim_end(), dn[at + 1..].trim_start()),
            _ => {}
        }
    }
    (dn, "")
}

/// The name of the container, empty at the top.
#[must_use]
pub fn parent(dn: &str) -> &str {
    split_first(dn).1
}

/// The components from the object up to the root.
pub fn components(dn: &str) -> impl Iterator<Item = &str> {
    let mut rest = dn.trim();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (first, tail) = split_first(rest);
        rest = tail;
        Some(first)
    })
}

/// The attribute and unescaped value of a component such as `cn=Smith\2c John`; `None` without `=`.
#[must_use]
pub fn attribute_and_value(component: &str) -> Option<(&str, String)> {
    let (attribute, value) = component.split_once('=')?;
    Some((attribute.trim(), unescape(value.trim_start())))
}

/// `value` without its escapes. Pairs of hexadecimal digits are bytes of UTF-8; a broken escape stands for itself.
#[must_use]
pub fn unescape(value: &str) -> String {
    let bytes = value.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        // Digits are checked here because the number parser would take a sign for one.
        let pair = bytes.get(at + 1..at + 3).filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        let pair = pair.and_then(|pair| std::str::from_utf8(pair).ok());
        match (bytes[at], pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'\\', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (b'\\', None) if at + 1 < bytes.len() => {
                out.push(bytes[at + 1]);
                at += 2;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// One form for all spellings of the same name: lower case, no blanks around separators, minimal escapes.
#[must_use]
pub fn normalise(dn: &str) -> String {
    let mut out = String::with_capacity(dn.len());
    for component in components(dn) {
        if !out.is_empty() {
            out.push(',');
        }
        match attribute_and_value(component) {
            Some((attribute, value)) => {
                out.push_str(&attribute.to_lowercase());
                out.push('=');
                let value = value.to_lowercase();
                out.push_str(&escape(value.split_whitespace().collect::<Vec<_>>().join(" ").as_str()));
            }
            None => out.push_str(&component.to_lowercase()),
        }
    }
    out
}

/// Whether `dn` is `base` or lies below it.
#[must_use]
pub fn is_within(dn: &str, base: &str) -> bool {
    let (dn, base) = (normalise(dn), normalise(base));
    base.is_empty() || dn == base || dn.strip_suffix(&base).is_some_and(|head| head.ends_with(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_and_back() {
        for value in ["Smith, John", " x ", "#1", "a+b=c", "\"q\"<>;", "Ærø\\", "\u{1}", "", " "] {
            assert_eq!(unescape(&escape(value)), value, "{value:?}");
        }
        assert_eq!(escape("Smith, John"), "Smith\\, John");
        assert_eq!(unescape("Smith\\2c John \\c3\\a9"), "Smith, John é");
    }

    #[test]
    fn splitting_respects_escapes() {
        assert_eq!(split_first("cn=a\\,b , ou=x,dc=y"), ("cn=a\\,b", "ou=x,dc=y"));
        assert_eq!(parent("dc=y"), "");
        assert_eq!(components("cn=a,ou=b,dc=c").collect::<Vec<_>>(), ["cn=a", "ou=b", "dc=c"]);
        assert_eq!(components("").count(), 0);
    }

    #[test]
    fn spellings_of_one_name_are_one() {
        assert_eq!(
            normalise("CN=Smith\\2C John, OU=People,DC=X"),
            normalise("cn=smith\\, john,ou=people,dc=x")
        );
        assert_ne!(normalise("cn=a,ou=b"), normalise("cn=a+ou=b"));
        assert!(is_within("uid=x,ou=People,dc=mesh,dc=test", "OU=people, DC=mesh,dc=test"));
        assert!(!is_within("uid=x,ou=OtherPeople,dc=mesh", "ou=people,dc=mesh"));
        assert!(is_within("dc=a", ""));
    }
}
