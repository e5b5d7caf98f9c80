//! Keys: the texts under which an index finds an object.
//!
//! Both sides of a comparison are turned into a key of the same kind, so that a look-up is one equality. A key is
//! bounded: beyond 512 bytes it is cut and closed with its hash, which keeps it distinct.

use identitymesh_model::rules::{BlockKey, MatchKind};
use identitymesh_model::{Text, Value, bounded, dn};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::likeness;

/// Most keys that one object has in one block: several values in each of several parts multiply.
const BLOCK_KEYS_MAX: usize = 32;
/// The last digits of a number that make its key.
const DIGITS_KEPT: usize = 7;

/// What of a value is the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Everything that a comparison of this kind looks at.
    Match(MatchKind),
    /// The part of a block's key; of a prefix this many characters.
    Block(BlockKey, u8),
}

/// The key of `value`; `None` when there is none in it.
#[must_use]
pub fn key_of(kind: KeyKind, value: &Value) -> Option<Text> {
    match kind {
        KeyKind::Match(kind) => match_key(kind, value),
        KeyKind::Block(kind, length) => block_key(kind, length, value),
    }
}

fn block_key(kind: BlockKey, length: u8, value: &Value) -> Option<Text> {
    let whole = match_key(MatchKind::NormalisedAscii, value)?;
    match kind {
        BlockKey::Whole => Some(whole),
        BlockKey::Prefix => {
            let characters = whole.chars().filter(|character| !character.is_whitespace());
            Some(characters.take(usize::from(length)).collect())
        }
        // A name without Latin letters has no sound here; it is its own key.
        BlockKey::Soundex => Some(likeness::soundex(&whole).map_or(whole, Text::from)),
        BlockKey::Year => likeness::date(&whole).map(|[year, ..]| Text::from(year.to_string())),
        BlockKey::Digits => {
            let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
            let from = digits.len().saturating_sub(DIGITS_KEPT);
            (!digits.is_empty()).then(|| Text::from(&digits[from..]))
        }
    }
}

/// Keys of several parts together, from the keys of each; none when a part has none.
#[must_use]
pub fn together(parts: &[Vec<Text>]) -> Vec<Text> {
    let [first, rest @ ..] = parts else { return Vec::new() };
    let mut keys = first.clone();
    for part in rest {
        let longer = keys.iter().flat_map(|key| {
            part.iter().map(move |more| {
                let mut key = key.clone();
                key.push('\u{1f}');
                key.push_str(more);
                key
            })
        });
        keys = longer.take(BLOCK_KEYS_MAX).collect();
    }
    keys.into_iter().map(bounded).collect()
}

/// `text` in the form in which texts are compared by likeness: case-folded, blanks collapsed, without diacritics.
pub(crate) fn plain(text: &str) -> Text {
    normalise(text, true)
}

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
    fn a_block_takes_of_a_value_what_it_says() {
        let of = |kind, text: &str| key_of(KeyKind::Block(kind, 4), &Value::text(text));
        assert_eq!(of(BlockKey::Whole, " Zoë  Wit").unwrap(), "zoe wit");
        assert_eq!(of(BlockKey::Prefix, "De  Vries").unwrap(), "devr");
        assert_eq!(of(BlockKey::Soundex, "Möller"), of(BlockKey::Soundex, "Miller"));
        assert_eq!(of(BlockKey::Soundex, "李").unwrap(), "李");
        assert_eq!(of(BlockKey::Year, "1985-12-31").unwrap(), "1985");
        assert_eq!(of(BlockKey::Digits, "+49 (89) 123-4567").unwrap(), "1234567");
        assert_eq!(of(BlockKey::Digits, "none"), None);
    }

    #[test]
    fn parts_together_are_bounded_and_none_is_left_out() {
        let list = |count: usize| (0..count).map(|at| Text::from(at.to_string())).collect::<Vec<_>>();
        assert_eq!(together(&[vec!["a".into()], vec!["b".into()]]), ["a\u{1f}b"]);
        assert_eq!(together(&[list(3), Vec::new()]), [""; 0]);
        assert_eq!(together(&[list(100), list(100)]).len(), BLOCK_KEYS_MAX);
        assert_eq!(together(&[list(100)]).len(), 100);
    }

    #[test]
    fn long_keys_stay_distinct() {
        let (left, right) = ("é".repeat(4_000) + "a", "é".repeat(4_000) + "b");
        let (left, right) = (key(MatchKind::Exact, &left), key(MatchKind::Exact, &right));
        assert!(left.len() < 520);
        assert_ne!(left, right);
    }
}
