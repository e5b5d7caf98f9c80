//! Keys: the texts under which an index finds an object.
//!
//! Both sides of a comparison are turned into a key of the same kind, so that a look-up is one equality. A key is
//! bounded: beyond [`KEY_BYTES_MAX`] bytes it is cut and closed with its hash, which keeps it distinct.

use identitymesh_model::rules::MatchKind;
use identitymesh_model::{ContentHash, Text, Value, dn};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Longest key in bytes.
pub const KEY_BYTES_MAX: usize = 512;

/// The key of `value` for comparisons of this kind; `None` for a text of nothing but blanks, which identifies
/// nobody.
#[must_use]
pub fn match_key(kind: MatchKind, value: &Value) -> Option<Text> {
    let text = match value {
        Value::Text(text) | Value::Reference(text) => text.clone(),
        other => Text::from(other.to_string()),
    };
    let key = match kind {
        MatchKind::Exact => text,
        MatchKind::IgnoreCase => fold_case(&text),
        MatchKind::Normalised => normalise(&text, false),
        MatchKind::NormalisedAscii => normalise(&text, true),
    };
    if key.trim().is_empty() { None } else { Some(bounded(key)) }
}

/// The key of an address or reference in a target: distinguished names in one form, other keys as they are.
#[must_use]
pub fn address_key(hierarchical: bool, address: &str) -> Text {
    bounded(if hierarchical { Text::from(dn::normalise(address)) } else { Text::new(address) })
}

fn fold_case(text: &str) -> Text {
    if text.is_ascii() {
        let mut folded = Text::new(text);
        folded.make_ascii_lowercase();
        return folded;
    }
    Text::from(text.to_lowercase())
}

fn normalise(text: &str, without_marks: bool) -> Text {
    let folded: Text = if text.is_ascii() {
        fold_case(text)
    } else if without_marks {
        text.nfkd().filter(|character| !is_combining_mark(*character)).flat_map(char::to_lowercase).collect()
    } else {
        text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
    };
    let mut words = folded.split_whitespace();
    let mut out = Text::new(words.next().unwrap_or(""));
    for word in words {
        out.push(' ');
        out.push_str(word);
    }
    out
}

fn bounded(mut key: Text) -> Text {
    if key.len() > KEY_BYTES_MAX {
        let hash = ContentHash::of(&key).to_string();
        let mut end = KEY_BYTES_MAX - hash.len() - 1;
        while !key.is_char_boundary(end) {
            end -= 1;
        }
        key.truncate(end);
        key.push('…');
        key.push_str(&hash);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: MatchKind, text: &str) -> String {
        match_key(kind, &Value::text(text)).unwrap().to_string()
    }

    #[test]
    fn kinds_forgive_what_they_say() {
        assert_eq!(key(MatchKind::Exact, " Zoë "), " Zoë ");
        assert_eq!(key(MatchKind::IgnoreCase, "ZOË"), "zoë");
        assert_eq!(key(MatchKind::Normalised, "  ZOE\u{308}   de  Wit "), "zoë de wit");
        assert_eq!(key(MatchKind::NormalisedAscii, "Zoë DE\u{a0}wit"), "zoe de wit");
        assert_eq!(match_key(MatchKind::Exact, &Value::Integer(7)).unwrap(), "7");
    }

    #[test]
    fn blanks_identify_nobody() {
        for kind in [MatchKind::Exact, MatchKind::IgnoreCase, MatchKind::Normalised] {
            assert_eq!(match_key(kind, &Value::text(" \t")), None);
        }
    }

    #[test]
    fn long_keys_stay_distinct() {
        let (left, right) = ("é".repeat(4_000) + "a", "é".repeat(4_000) + "b");
        let (left, right) = (key(MatchKind::Exact, &left), key(MatchKind::Exact, &right));
        assert!(left.len() <= KEY_BYTES_MAX + 3);
        assert_ne!(left, right);
    }
}
