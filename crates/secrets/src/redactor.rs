//! Takes the values of secrets out of any text that leaves the process: logs, errors, answers, crash reports.
//!
//! It knows every value the vault resolved or set since the start, also as it looks inside JSON and Rust debug
//! output. Values under [`REDACTED_VALUE_CHARS_MIN`] characters are not searched: they occur by chance
//! everywhere, and marking each place would both ruin the text and betray the value.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// What stands where a value stood.
pub const REDACTED: &str = "[redacted]";
/// Shortest value that is searched for.
pub const REDACTED_VALUE_CHARS_MIN: usize = 4;

/// The values to hide. Clones share them.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Vec<SecretString>>>);

impl Redactor {
    /// Hides `value` from now on.
    pub fn add(&self, value: &SecretString) {
        let value = value.expose_secret();
        if value.chars().count() < REDACTED_VALUE_CHARS_MIN {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for spelling in [value, &escaped_for_json(value), &escaped_for_debug(value)] {
            if !known.iter().any(|other| other.expose_secret() == spelling) {
                known.push(SecretString::from(spelling));
            }
        }
    }

    /// `text` with [`REDACTED`] in place of every known value; overlapping ones become one mark.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut ranges = self.occurrences(text);
        if ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        ranges.sort_unstable_by_key(|range| range.start);
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for range in ranges {
            if range.start >= done {
                out.push_str(&text[done..range.start]);
                out.push_str(REDACTED);
            }
            done = done.max(range.end);
        }
        out.push_str(&text[done..]);
        Cow::Owned(out)
    }

    fn occurrences(&self, text: &str) -> Vec<Range<usize>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut ranges = Vec::new();
        for value in known.iter().map(ExposeSecret::expose_secret) {
            let mut from = 0;
            while let Some(offset) = text[from..].find(value) {
                let start = from + offset;
                ranges.push(start..start + value.len());
                // The next occurrence may overlap this one, so the search goes on one character later.
                from = start + value.chars().next().map_or(1, char::len_utf8);
            }
        }
        ranges
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor([redacted])")
    }
}

fn escaped_for_json(value: &str) -> Zeroizing<String> {
    let quoted = Zeroizing::new(serde_json::Value::from(value).to_string());
    Zeroizing::new(quoted[1..quoted.len() - 1].to_owned())
}

fn escaped_for_debug(value: &str) -> Zeroizing<String> {
    let quoted = Zeroizing::new(format!("{value:?}"));
    Zeroizing::new(quoted[1..quoted.len() - 1].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(values: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        for value in values {
            redactor.add(&SecretString::from(*value));
        }
        redactor
    }

    #[test]
    fn values_vanish_from_texts() {
        for (values, text, expected) in [
            (&["hunter2"][..], "pw=hunter2&again=hunter2", "pw=[redacted]&again=[redacted]"),
            (&["hunter2"], "nothing here", "nothing here"),
            (&["abcdef", "defghi"], "x abcdefghi y", "x [redacted] y"),
            (&["abcdef", "abcdefgh"], "abcdefgh", "[redacted]"),
            (&["aaaa"], "aaaaaa", "[redacted]"),
            (&["pässwörd"], "é pässwörd é", "é [redacted] é"),
            (&["pa\"ss\\wd"], r#"{"pw":"pa\"ss\\wd"}"#, r#"{"pw":"[redacted]"}"#),
            (&["two\nlines"], "Debug { v: \"two\\nlines\" }", "Debug { v: \"[redacted]\" }"),
            (&["abcd"], "abcd", "[redacted]"),
            (&["abc"], "abc", "abc"),
            (&[""], "abc", "abc"),
        ] {
            assert_eq!(redactor(values).redact(text), expected, "{values:?}");
        }
    }

    #[test]
    fn untouched_text_is_not_copied_and_clones_share() {
        let one = Redactor::default();
        let two = one.clone();
        two.add(&SecretString::from("hunter2"));
        assert!(matches!(one.redact("free"), Cow::Borrowed("free")));
        assert_eq!(one.redact("hunter2"), REDACTED);
        assert!(!format!("{one:?}").contains("hunter2"));
    }
}
