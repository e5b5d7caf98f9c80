//! Comparing one value with another, in thousandths: 0 has nothing in common, 1,000 is the same.

use identitymesh_model::Value;
use identitymesh_model::rules::Comparator;

use crate::key::plain;

/// Characters of a text that are compared; what follows tells little and costs the square of its length.
const COMPARED_CHARS_MAX: usize = 128;
/// Fewest digits by which a telephone number without country code is known in one with it.
const PHONE_DIGITS_MIN: usize = 6;
/// The same.
const SAME: u32 = 1_000;
/// Day and month exchanged: the usual slip between two countries.
const DAY_AND_MONTH_EXCHANGED: u32 = 900;
/// Two of day, month and year are the same: the usual slip of a finger.
const TWO_OF_THREE: u32 = 700;

/// A value made ready for one comparator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    Text(String),
    /// In order, each once.
    Words(Vec<String>),
    /// Year, month, day.
    Date([u16; 3]),
    /// Without leading zeros.
    Digits(String),
}

impl std::fmt::Display for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) | Self::Digits(text) => f.write_str(text),
            Self::Words(words) => f.write_str(&words.join(" ")),
            Self::Date([year, month, day]) => write!(f, "{year:04}-{month:02}-{day:02}"),
        }
    }
}

/// `value` made ready; `None` when there is nothing in it that `with` can compare.
pub(crate) fn ready(with: Comparator, value: &Value) -> Option<Ready> {
    let text = match value {
        Value::Text(text) | Value::Reference(text) => text.clone(),
        other => other.to_string().into(),
    };
    match with {
        Comparator::Exact | Comparator::JaroWinkler | Comparator::Levenshtein => {
            let text: String = plain(&text).chars().take(COMPARED_CHARS_MAX).collect();
            (!text.is_empty()).then_some(Ready::Text(text))
        }
        Comparator::TokenSet => {
            let text: String = plain(&text).chars().take(COMPARED_CHARS_MAX).collect();
            let words = text.split(|character: char| !character.is_alphanumeric());
            let mut words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
            words.sort_unstable();
            words.dedup();
            (!words.is_empty()).then_some(Ready::Words(words))
        }
        Comparator::Date => date(&text).map(Ready::Date),
        Comparator::Phone => {
            let digits = text.chars().filter(char::is_ascii_digit).take(COMPARED_CHARS_MAX);
            let digits: String = digits.skip_while(|digit| *digit == '0').collect();
            (!digits.is_empty()).then_some(Ready::Digits(digits))
        }
    }
}

/// A date at the beginning of a text: `2001-12-31`, whatever follows, or `20011231`.
pub(crate) fn date(text: &str) -> Option<[u16; 3]> {
    let text = text.trim();
    let part = |from: usize, to: usize| -> Option<u16> {
        let digits = text.get(from..to)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    };
    let date = if text.as_bytes().get(4) == Some(&b'-') {
        if text.as_bytes().get(7) != Some(&b'-') {
            return None;
        }
        [part(0, 4)?, part(5, 7)?, part(8, 10)?]
    } else {
        [part(0, 4)?, part(4, 6)?, part(6, 8)?]
    };
    ((1..=12).contains(&date[1]) && (1..=31).contains(&date[2])).then_some(date)
}

/// How alike two values are that were made ready for `with`.
pub(crate) fn likeness(with: Comparator, left: &Ready, right: &Ready) -> u32 {
    match (left, right) {
        (Ready::Text(left), Ready::Text(right)) if left == right => SAME,
        (Ready::Text(left), Ready::Text(right)) => match with {
            Comparator::JaroWinkler => thousandths(strsim::jaro_winkler(left, right)),
            Comparator::Levenshtein => thousandths(strsim::normalized_levenshtein(left, right)),
            _ => 0,
        },
        (Ready::Words(left), Ready::Words(right)) => words(left, right),
        (Ready::Date(left), Ready::Date(right)) => dates(*left, *right),
        (Ready::Digits(left), Ready::Digits(right)) => phones(left, right),
        _ => 0,
    }
}

/// Down, so that only what is the same is 1,000.
fn thousandths(ratio: f64) -> u32 {
    (ratio.clamp(0.0, 1.0) * 1_000.0).floor() as u32
}

/// The words that both have, set against those with the rest of either, and these against each other: the best counts.
fn words(left: &[String], right: &[String]) -> u32 {
    let common: Vec<&str> = left.iter().filter(|word| right.contains(word)).map(String::as_str).collect();
    let whole = |words: &[String]| -> String {
        let rest = words.iter().map(String::as_str).filter(|word| !common.contains(word));
        common.iter().copied().chain(rest).collect::<Vec<_>>().join(" ")
    };
    let (left, right, both) = (whole(left), whole(right), common.join(" "));
    let ratio =
        |a: &str, b: &str| if a == b { SAME } else { thousandths(strsim::normalized_levenshtein(a, b)) };
    let mut best = ratio(&left, &right);
    if !both.is_empty() {
        best = best.max(ratio(&both, &left)).max(ratio(&both, &right));
    }
    best
}

fn dates(left: [u16; 3], right: [u16; 3]) -> u32 {
    if left == right {
        return SAME;
    }
    if left == [right[0], right[2], right[1]] {
        return DAY_AND_MONTH_EXCHANGED;
    }
    let same = left.iter().zip(&right).filter(|(left, right)| left == right).count();
    if same == 2 { TWO_OF_THREE } else { 0 }
}

fn phones(left: &str, right: &str) -> u32 {
    let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    let is_same = short == long || (short.len() >= PHONE_DIGITS_MIN && long.ends_with(short));
    if is_same { SAME } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(with: Comparator, left: &str, right: &str) -> u32 {
        let ready = |text: &str| ready(with, &Value::text(text)).unwrap();
        let there = likeness(with, &ready(left), &ready(right));
        assert_eq!(
            there,
            likeness(with, &ready(right), &ready(left)),
            "{left} and {right}, either way round"
        );
        there
    }

    #[test]
    fn texts_are_normalised_before_they_are_compared() {
        for with in
            [Comparator::Exact, Comparator::JaroWinkler, Comparator::Levenshtein, Comparator::TokenSet]
        {
            assert_eq!(alike(with, " Zoë  de Wit", "ZOE DE WIT"), 1_000, "{with:?}");
        }
        assert_eq!(alike(Comparator::Exact, "ann", "anne"), 0);
        assert_eq!(ready(Comparator::JaroWinkler, &Value::text(" \t")), None);
    }

    #[test]
    fn likeness_is_what_the_field_expects() {
        assert_eq!(alike(Comparator::JaroWinkler, "martha", "marhta"), 961);
        assert_eq!(alike(Comparator::JaroWinkler, "dwayne", "duane"), 840);
        assert_eq!(alike(Comparator::Levenshtein, "kitten", "sitting"), 571);
        assert_eq!(alike(Comparator::TokenSet, "Müller, Hans-Peter", "hans muller"), 1_000);
        assert!(alike(Comparator::TokenSet, "hans muller", "greta schmidt") < 400);
    }

    #[test]
    fn dates_forgive_the_usual_slips() {
        assert_eq!(alike(Comparator::Date, "2001-03-04", "20010304"), 1_000);
        assert_eq!(alike(Comparator::Date, "2001-03-04T00:00:00Z", "2001-04-03"), 900);
        assert_eq!(alike(Comparator::Date, "2001-03-04", "2011-03-04"), 700);
        assert_eq!(alike(Comparator::Date, "2001-03-04", "1999-03-05"), 0);
        assert_eq!(ready(Comparator::Date, &Value::text("4.3.2001")), None);
    }

    #[test]
    fn telephone_numbers_compare_by_their_last_digits() {
        assert_eq!(alike(Comparator::Phone, "+49 (89) 123-456", "089/123456"), 1_000);
        assert_eq!(alike(Comparator::Phone, "456", "123456"), 0);
    }

    #[test]
    fn a_long_text_is_cut_before_it_is_compared() {
        let (left, right) = ("x".repeat(100_000), "x".repeat(COMPARED_CHARS_MAX) + "y");
        assert_eq!(alike(Comparator::Levenshtein, &left, &right), 1_000);
    }
}
