//! References to secrets in settings: `{{secret:name}}`, and the older form `secret://name`.
//!
//! Splitting is pure and total: every text is a sequence of literal pieces and names, or the byte position of the
//! first malformed reference. Other double braces are literal text. In the older form the name ends at the first
//! character that cannot belong to one; a letter there (`secret://Db`) is refused, for it is surely a mistake.

use crate::error::SecretError;
use crate::name::{SecretName, is_name_byte};

/// Longest text that is searched for references, and longest result of resolving one.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

const OPEN: &str = "{{secret:";
const CLOSE: &str = "}}";
const SCHEME: &str = "secret://";

/// A piece of a text with references.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Literal(&'a str),
    Secret(SecretName),
}

/// The names that `text` refers to, in order, each once.
///
/// # Errors
/// [`SecretError::Reference`] with the place of a malformed reference; [`SecretError::TooLong`].
pub fn references(text: &str) -> Result<Vec<SecretName>, SecretError> {
    let mut names = Vec::new();
    for piece in split(text)? {
        if let Piece::Secret(name) = piece
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// `text` with every `secret://name` written as `{{secret:name}}`.
///
/// # Errors
/// Those of [`references`].
pub fn rewrite(text: &str) -> Result<String, SecretError> {
    let mut out = String::with_capacity(text.len());
    for piece in split(text)? {
        match piece {
            Piece::Literal(literal) => out.push_str(literal),
            Piece::Secret(name) => {
                out.push_str(OPEN);
                out.push_str(name.as_str());
                out.push_str(CLOSE);
            }
        }
    }
    Ok(out)
}

pub(crate) fn split(text: &str) -> Result<Vec<Piece<'_>>, SecretError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(SecretError::TooLong {
            what: "a text with secret references",
            bytes: text.len(),
            bytes_max: TEXT_BYTES_MAX,
        });
    }
    let mut pieces = Vec::new();
    let (mut done, mut searched) = (0, 0);
    while let Some(start) = next_start(text, searched) {
        let malformed = || SecretError::Reference { at: start };
        let Some(found) = read_reference(text, start).map_err(|()| malformed())? else {
            searched = start + 1;
            continue;
        };
        if start > done {
            pieces.push(Piece::Literal(&text[done..start]));
        }
        pieces.push(Piece::Secret(SecretName::new(found.name).map_err(|_| malformed())?));
        (done, searched) = (found.end, found.end);
    }
    if done < text.len() {
        pieces.push(Piece::Literal(&text[done..]));
    }
    Ok(pieces)
}

struct Found<'a> {
    name: &'a str,
    end: usize,
}

/// Where the next reference of either form may begin.
fn next_start(text: &str, from: usize) -> Option<usize> {
    let braces = text[from..].find(OPEN);
    let scheme = text[from..].find(SCHEME);
    braces.into_iter().chain(scheme).min().map(|offset| from + offset)
}

/// `Ok(None)` when what stands at `start` only looks like a reference; an error when it is a malformed one.
fn read_reference(text: &str, start: usize) -> Result<Option<Found<'_>>, ()> {
    if let Some(rest) = text[start..].strip_prefix(OPEN) {
        let name = &rest[..rest.find(CLOSE).ok_or(())?];
        return Ok(Some(Found { name, end: start + OPEN.len() + name.len() + CLOSE.len() }));
    }
    let is_end_of_other_word = text[..start].ends_with(|letter: char| letter.is_alphanumeric());
    if is_end_of_other_word {
        return Ok(None);
    }
    let rest = &text[start + SCHEME.len()..];
    let name = &rest[..rest.bytes().take_while(|byte| is_name_byte(*byte)).count()];
    if rest[name.len()..].starts_with(char::is_alphanumeric) {
        return Err(());
    }
    Ok(Some(Found { name, end: start + SCHEME.len() + name.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_their_names_and_their_rewriting() {
        for (text, names, rewritten) in [
            ("", &[][..], ""),
            ("plain {{ text }} {{x}}", &[], "plain {{ text }} {{x}}"),
            ("{{secret:a}}", &["a"], "{{secret:a}}"),
            ("secret://ad/svc", &["ad/svc"], "{{secret:ad/svc}}"),
            (
                "u={{secret:u}};p={{secret:p}};{{secret:u}}",
                &["u", "p"],
                "u={{secret:u}};p={{secret:p}};{{secret:u}}",
            ),
            ("p=secret://db/pw;x", &["db/pw"], "p={{secret:db/pw}};x"),
            ("postgres://u:secret://db/pw@h", &["db/pw"], "postgres://u:{{secret:db/pw}}@h"),
            ("mysecret://a {{secret:b}}", &["b"], "mysecret://a {{secret:b}}"),
            ("é{{secret:a}}é", &["a"], "é{{secret:a}}é"),
            ("{{{secret:a}}}", &["a"], "{{{secret:a}}}"),
        ] {
            let found = references(text).expect(text);
            assert_eq!(found.iter().map(SecretName::as_str).collect::<Vec<_>>(), names, "{text}");
            assert_eq!(rewrite(text).expect(text), rewritten);
            assert_eq!(rewrite(rewritten).expect(rewritten), rewritten);
        }
    }

    #[test]
    fn malformed_references_name_their_place() {
        for (text, place) in [
            ("{{secret:a", 0),
            ("x {{secret:}}", 2),
            ("{{secret:a}} {{secret:A}}", 13),
            ("{{secret: a}}", 0),
            ("{{secret:a {{secret:b}}", 0),
            ("secret://", 0),
            ("p=secret://Db", 2),
            ("p=secret://dB", 2),
            ("secret://é", 0),
        ] {
            match references(text) {
                Err(SecretError::Reference { at }) => assert_eq!(at, place, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_longest_text_is_searched_and_a_longer_one_refused() {
        let longest = " ".repeat(TEXT_BYTES_MAX - 12) + "{{secret:a}}";
        assert_eq!(references(&longest).expect("fits").len(), 1);
        assert_eq!(references(&(longest + " ")).expect_err("too long").code(), "SEC-016");
    }
}
