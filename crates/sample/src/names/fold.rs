//! Names in plain ASCII letters, as a mail administrator or an old phone system would write them.
//!
//! Letters that decompose lose their marks; those that do not (ł, ø, ß, đ, …) have a table. A test holds
//! that every name of the lists comes out in ASCII.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// `text` with every letter of our lists in ASCII: `Łukasz` becomes `Lukasz`, `Weiß` becomes `Weiss`.
pub(crate) fn without_accents(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.nfd().filter(|letter| !is_combining_mark(*letter)) {
        match undecomposable(letter) {
            Some(ascii) => out.push_str(ascii),
            None => out.push(letter),
        }
    }
    out
}

/// The part of a mail address before the `@` for the first person of this name: `zoe.oneill`.
pub(crate) fn mail_local_part(given: &str, surname: &str) -> String {
    let mut out = String::with_capacity(given.len() + surname.len() + 1);
    push_mail_word(&mut out, given);
    out.push('.');
    push_mail_word(&mut out, surname);
    out
}

fn push_mail_word(out: &mut String, word: &str) {
    for letter in without_accents(word).chars() {
        match letter {
            '\'' => {}
            ' ' => out.push('-'),
            other => out.push(other.to_ascii_lowercase()),
        }
    }
}

fn undecomposable(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ł' => "l",
        'Ł' => "L",
        'ø' => "o",
        'Ø' => "O",
        'đ' => "d",
        'Đ' => "D",
        'ð' => "d",
        'Ð' => "D",
        'ß' => "ss",
        'æ' => "ae",
        'Æ' => "Ae",
        'þ' => "th",
        'ı' => "i",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::given::GIVEN_NAMES;
    use super::super::surnames::SURNAMES;
    use super::*;

    #[test]
    fn every_listed_name_becomes_ascii() {
        for name in GIVEN_NAMES.iter().chain(SURNAMES) {
            assert!(without_accents(name).is_ascii(), "{name}");
        }
    }

    #[test]
    fn mail_local_parts() {
        for (given, surname, expected) in [
            ("Zoë", "O'Neill", "zoe.oneill"),
            ("Łukasz", "Wójcik", "lukasz.wojcik"),
            ("María José", "Van den Berg", "maria-jose.van-den-berg"),
            ("Đorđe", "Weiß", "dorde.weiss"),
            ("Søren", "Yıldız-Schmidt", "soren.yildiz-schmidt"),
        ] {
            assert_eq!(mail_local_part(given, surname), expected);
        }
    }
}
