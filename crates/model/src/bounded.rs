//! Texts of a bounded length that are still distinct, for indexes.

use crate::{ContentHash, Text};

/// Longest text in bytes.
const BYTES_MAX: usize = 512;
/// Stands between the beginning and the hash of what was longer.
const CUT: char = '…';

/// The text itself; one beyond 512 bytes is cut and closed with its hash. What was bounded once stays as it is.
#[must_use]
pub fn bounded(mut text: Text) -> Text {
    if text.len() > BYTES_MAX && !is_cut(&text) {
        let hash = ContentHash::of(&text).to_string();
        let mut end = BYTES_MAX - hash.len() - 1;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push(CUT);
        text.push_str(&hash);
    }
    text
}

/// Whether this is a beginning with the hash of a longer text.
#[must_use]
pub fn is_cut(text: &str) -> bool {
    // Nearly all texts are shorter.
    let long = Some(text).filter(|text| text.len() + CUT.len_utf8() > BYTES_MAX);
    long.and_then(|text| text.rsplit_once(CUT)).is_some_and(|(begin, hash)| {
        let is_digit = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        let is_hash = hash.len() == 2 * size_of::<ContentHash>() && hash.bytes().all(is_digit);
        let end = BYTES_MAX.saturating_sub(hash.len() + 1);
        // The cut is before a whole character.
        is_hash && (end.saturating_sub(3)..=end).contains(&begin.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_stay_distinct_and_are_cut_once() {
        for filler in ["x", "ü", "漢", "😀"] {
            let long = |last: &str| Text::from(format!("a{}{last}", filler.repeat(600)));
            let (one, other) = (bounded(long("1")), bounded(long("2")));
            assert_ne!(one, other);
            assert!(one.len() <= BYTES_MAX + 2 && is_cut(&one), "{one}");
            assert_eq!(bounded(one.clone()), one);
        }
        let short = Text::from("x".repeat(BYTES_MAX));
        assert_eq!(bounded(short.clone()), short);
        assert!(!is_cut(&short));
    }
}
