//! Date patterns, from the way administrators write them to the way the calendar library does.
//!
//! `yyyy-MM-dd HH:mm:ss` as in .NET and PowerShell is the way; a pattern that contains a percent sign is taken as
//! strftime already. Letters that mean nothing must stand in quotes, so that a mistyped pattern is found when the
//! rule is saved and not in the target.

use crate::bounds::DATE_PATTERN_BYTES_MAX;

const SPECIFIERS: [(&str, &str); 26] = [
    ("yyyy", "%Y"),
    ("yy", "%y"),
    ("MMMM", "%B"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("M", "%-m"),
    ("dddd", "%A"),
    ("ddd", "%a"),
    ("dd", "%d"),
    ("d", "%-d"),
    ("HH", "%H"),
    ("H", "%-H"),
    ("hh", "%I"),
    ("h", "%-I"),
    ("mm", "%M"),
    ("m", "%-M"),
    ("ss", "%S"),
    ("s", "%-S"),
    ("ffffff", "%6f"),
    ("fff", "%3f"),
    ("ff", "%2f"),
    ("f", "%1f"),
    ("tt", "%p"),
    ("zzz", "%:z"),
    ("K", "%:z"),
    ("Z", "Z"),
];

/// The strftime form of a pattern.
///
/// # Errors
/// A sentence saying what in it means nothing.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    if pattern.is_empty() {
        return Err("it is empty".to_owned());
    }
    if pattern.len() > DATE_PATTERN_BYTES_MAX {
        return Err(format!("it has {} bytes, {DATE_PATTERN_BYTES_MAX} are allowed", pattern.len()));
    }
    if pattern.contains('%') {
        return strftime(pattern);
    }
    let mut out = String::with_capacity(2 * pattern.len());
    let mut rest = pattern;
    while let Some(char) = rest.chars().next() {
        if matches!(char, '\'' | '"') {
            let (quoted, after) =
                rest[1..].split_once(char).ok_or_else(|| format!("the quote {char} is not closed"))?;
            out.push_str(quoted);
            rest = after;
            continue;
        }
        let run = rest.len() - rest.trim_start_matches(char).len();
        let (letters, after) = rest.split_at(run);
        match SPECIFIERS.iter().find(|(known, _)| *known == letters) {
            Some((_, specifier)) => out.push_str(specifier),
            // The T of ISO 8601 is written without quotes everywhere.
            None if char.is_ascii_alphabetic() && letters != "T" => {
                return Err(format!(
                    "{letters:?} means nothing; use yyyy MM dd HH mm ss, and quotes around words"
                ));
            }
            None => out.push_str(letters),
        }
        rest = after;
    }
    Ok(out)
}

/// Only specifiers that both write and read, and depend on nothing but the moment.
fn strftime(pattern: &str) -> Result<String, String> {
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        if char != '%' {
            continue;
        }
        let specifier = chars.by_ref().find(|char| !matches!(char, '-' | '_' | '^' | '0'..='9' | '.' | ':'));
        if !specifier.is_some_and(|specifier| "%YymBbdeHIMSfpjAaFTDRz".contains(specifier)) {
            return Err(format!("%{} is not supported", specifier.map(String::from).unwrap_or_default()));
        }
    }
    Ok(pattern.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_translated_or_refused() {
        for (pattern, expected) in [
            ("yyyy-MM-dd", "%Y-%m-%d"),
            ("yyyyMMddHHmmss'.0Z'", "%Y%m%d%H%M%S.0Z"),
            ("d.M.yy", "%-d.%-m.%y"),
            ("yyyy-MM-ddTHH:mm:ss.fffZ", "%Y-%m-%dT%H:%M:%S.%3fZ"),
            ("dddd, d MMMM yyyy 'at' h:mm tt", "%A, %-d %B %Y at %-I:%M %p"),
            ("%d/%m/%Y", "%d/%m/%Y"),
        ] {
            assert_eq!(translate(pattern).as_deref(), Ok(expected), "{pattern}");
        }
        for pattern in
            ["", "YYYY-MM-DD", "yyyy 'open", "%Q", "%", "yyyyy", &"-".repeat(DATE_PATTERN_BYTES_MAX + 1)]
        {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }
}
