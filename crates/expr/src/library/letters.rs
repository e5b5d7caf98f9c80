//! From the letters of the world to fewer of them.
//!
//! `RemoveDiacritics` keeps the script and what is no letter; `ToAscii` transliterates every script and leaves out
//! what it cannot; `Slug` makes a name that fits everywhere. German ä becomes a, as in a passport's second line it
//! does not: where ae is wanted, replace it first.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::Call;
use super::table::{FunctionDoc, Run, T, once};
use crate::data::Data;
use crate::errors::Fault;

const FAMILY: &str = "Letters";

pub(super) const FUNCTIONS: &[FunctionDoc] = &[
    FunctionDoc::new(
        FAMILY,
        "RemoveDiacritics",
        "RemoveDiacritics(text)",
        &[once("text", T)],
        T,
        Run::Body(remove_diacritics),
    )
    .help("The text without accents; letters such as ł, ø, ß, æ become plain ones, other scripts stay")
    .example("RemoveDiacritics('Łódź, Ærø, Straße')", "\"Lodz, AEro, Strasse\""),
    FunctionDoc::new(FAMILY, "ToAscii", "ToAscii(text)", &[once("text", T)], T, Run::Body(to_ascii))
        .help("The text in plain ASCII, other scripts transliterated; what has no likeness is left out")
        .example("ToAscii('Жанна Müller')", "\"Zhanna Muller\""),
    FunctionDoc::new(FAMILY, "Slug", "Slug(text)", &[once("text", T)], T, Run::Body(slug))
        .help("The text as small ASCII letters and digits, everything between them one hyphen")
        .example("Slug('R&D / Forschung & Entwicklung')", "\"r-d-forschung-entwicklung\""),
];

fn remove_diacritics<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let text = call.text(0);
    if text.is_ascii() {
        return Ok(Data::text(text));
    }
    let mut out = String::with_capacity(text.len());
    // Only marks above or below letters of alphabets are accents: Indic vowel signs carry the word.
    for char in text.nfd() {
        match plain(char) {
            Some(letters) => out.push_str(letters),
            None if is_combining_mark(char) && is_accent(char) => {}
            None => out.push(char),
        }
    }
    Ok(Data::text(out.nfc().collect::<String>()))
}

const fn is_accent(char: char) -> bool {
    matches!(char, '\u{0300}'..='\u{036F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Latin letters that do not decompose into a plain one and a mark.
const fn plain(char: char) -> Option<&'static str> {
    Some(match char {
        'ß' => "ss",
        'ẞ' => "SS",
        'æ' => "ae",
        'Æ' => "AE",
        'œ' => "oe",
        'Œ' => "OE",
        'ø' => "o",
        'Ø' => "O",
        'ł' => "l",
        'Ł' => "L",
        'đ' | 'ð' => "d",
        'Đ' | 'Ð' => "D",
        'þ' => "th",
        'Þ' => "Th",
        'ħ' => "h",
        'Ħ' => "H",
        'ŧ' => "t",
        'Ŧ' => "T",
        'ı' => "i",
        'ŋ' => "n",
        'Ŋ' => "N",
        'ĸ' => "k",
        'ſ' => "s",
        'ĳ' => "ij",
        'Ĳ' => "IJ",
        _ => return None,
    })
}

fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    // Composed first, so that a letter and its mark are one letter with a likeness.
    let composed = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect::<String>()),
    };
    Cow::Owned(deunicode::deunicode_with_tofu(&composed, "").trim_end().to_owned())
}

fn to_ascii<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let text = call.text(0);
    if text.is_ascii() {
        return Ok(Data::text(text));
    }
    Ok(Data::text(ascii(&text).into_owned()))
}

fn slug<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let text = call.text(0);
    let mut out = String::with_capacity(text.len());
    for char in ascii(&text).chars() {
        if char.is_ascii_alphanumeric() {
            out.push(char.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    Ok(Data::text(out))
}
