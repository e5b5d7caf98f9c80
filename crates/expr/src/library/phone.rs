//! Telephone numbers in the international form (E.164): a plus sign and at most 15 digits.
//!
//! This is tidying, not a numbering plan: it does not know which numbers exist, nor countries in which the leading
//! zero belongs to the number, such as Italy.

use super::Call;
use super::table::{FunctionDoc, Run, T, once};
use crate::data::Data;
use crate::errors::Fault;

const DIGITS_MAX: usize = 15;

pub(super) const FUNCTIONS: &[FunctionDoc] = &[FunctionDoc::new(
    "Telephone",
    "NormalizePhone",
    "NormalizePhone(text, country)",
    &[once("text", T), once("country", T)],
    T,
    Run::Body(normalize_phone),
)
.help("The number as + and digits: 00 becomes +, a leading 0 or nothing becomes the country's code, a zero in brackets goes; empty text is absent")
.example("NormalizePhone('0660 / 123 45-67', '43')", "\"+436601234567\"")];

fn normalize_phone<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let (text, country) = (call.text(0), call.text(1));
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Data::Absent);
    }
    let country = country.trim().trim_start_matches('+').trim_start_matches("00");
    if country.is_empty() || country.len() > 3 || !country.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::value(format!(
            "the country code must be 1 to 3 digits such as 43, but is {country:?}"
        )));
    }
    let international = trimmed.starts_with('+') || trimmed.starts_with("00");
    // Written +43 (0) 660, the bracketed zero is only dialled inside the country.
    let without_trunk = if international { trimmed.replacen("(0)", "", 1) } else { trimmed.to_owned() };
    let digits = digits(without_trunk.strip_prefix('+').unwrap_or(&without_trunk))
        .ok_or_else(|| Fault::value(format!("{trimmed:?} is not a telephone number")))?;
    let number = if trimmed.starts_with('+') {
        digits
    } else if let Some(rest) = digits.strip_prefix("00") {
        rest.to_owned()
    } else {
        format!("{country}{}", digits.strip_prefix('0').unwrap_or(&digits))
    };
    if number.is_empty() || number.len() > DIGITS_MAX {
        let count = number.len();
        return Err(Fault::value(format!(
            "{trimmed:?} has {count} digits, a telephone number has 1 to {DIGITS_MAX}"
        )));
    }
    Ok(Data::text(format!("+{number}")))
}

/// The digits alone, `None` when there is anything but digits and the usual separators.
fn digits(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len().min(2 * DIGITS_MAX));
    for char in text.chars() {
        match char {
            '0'..='9' => out.push(char),
            '(' | ')' | '-' | '.' | '/' | '\u{2010}'..='\u{2015}' => {}
            char if char.is_whitespace() => {}
            _ => return None,
        }
    }
    Some(out)
}
