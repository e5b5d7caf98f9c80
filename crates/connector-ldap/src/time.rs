//! generalizedTime (RFC 4517, section 3.3.13) to and from timestamps.
//!
//! Reading takes every form that the RFC allows: minutes and seconds may be missing, the last unit may have a
//! fraction, the zone is `Z` or an offset. A leap second is held at :59. Writing gives whole seconds in UTC,
//! with a fraction only where there is one.

use identitymesh_model::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// The moment that `text` names, `None` when it is no generalizedTime.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let zone = text.find(['Z', '+', '-'])?;
    let (local, offset_micros) = (&text[..zone], offset(&text[zone..])?);
    let (whole, fraction) = match local.find(['.', ',']) {
        Some(at) => (&local[..at], Some(&local[at + 1..])),
        None => (local, None),
    };
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(whole.len(), 10 | 12 | 14) {
        return None;
    }
    let field =
        |from: usize, to: usize| whole.get(from..to).map_or(Some(0), |digits| digits.parse::<i8>().ok());
    let (minute, second) = (field(10, 12)?, field(12, 14)?);
    let date = Date::new(whole[..4].parse().ok()?, field(4, 6)?, field(6, 8)?).ok()?;
    let second = if second == 60 { 59 } else { second };
    let moment = date.to_datetime(jiff::civil::Time::new(field(8, 10)?, minute, second, 0).ok()?);
    let unit_micros: i64 = match whole.len() {
        10 => 3_600_000_000,
        12 => 60_000_000,
        _ => 1_000_000,
    };
    let fraction_micros = fraction.map_or(Some(0), |digits| fraction_of(digits, unit_micros))?;
    let utc = Timestamp::from(Offset::UTC.to_timestamp(moment).ok()?);
    Timestamp::from_micros(utc.as_micros() + fraction_micros - offset_micros).ok()
}

/// `Z`, `+hh` or `+hhmm` in microseconds east of Greenwich.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, digits) = text.split_at_checked(1)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 2 | 4) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 =
        digits.get(2..).filter(|text| !text.is_empty()).map_or(Some(0), |text| text.parse().ok())?;
    let micros = (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) * 60_000_000)?;
    Some(if sign == "-" { -micros } else { micros })
}

fn fraction_of(digits: &str, unit_micros: i64) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Nine digits are finer than a microsecond of any unit; more would only overflow.
    let digits = &digits[..digits.len().min(9)];
    let scale = 10_i128.pow(u32::try_from(digits.len()).ok()?);
    i64::try_from(digits.parse::<i128>().ok()? * i128::from(unit_micros) / scale).ok()
}

/// `20260302081530Z`, `None` for years that generalizedTime cannot write.
pub(crate) fn format(at: Timestamp) -> Option<String> {
    let moment = Offset::UTC.to_datetime(at.to_jiff());
    let year = u16::try_from(moment.year()).ok()?;
    let mut text = format!("{year:04}{:02}{:02}", moment.month(), moment.day());
    text.push_str(&format!("{:02}{:02}{:02}", moment.hour(), moment.minute(), moment.second()));
    let micros = at.as_micros().rem_euclid(1_000_000);
    if micros != 0 {
        text.push_str(format!(".{micros:06}").trim_end_matches('0'));
    }
    text.push('Z');
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_standard_is_read() {
        for (text, expected) in [
            ("20260302081530Z", "2026-03-02T08:15:30Z"),
            ("20260302081530.5Z", "2026-03-02T08:15:30.5Z"),
            ("20260302081530,123456789Z", "2026-03-02T08:15:30.123456Z"),
            ("202603020815Z", "2026-03-02T08:15:00Z"),
            ("2026030208.5Z", "2026-03-02T08:30:00Z"),
            ("20260302091530+0100", "2026-03-02T08:15:30Z"),
            ("20260302031530-05", "2026-03-02T08:15:30Z"),
            ("20261231235960Z", "2026-12-31T23:59:59Z"),
            ("00010101000000Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(parse(text).map(|at| at.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        for text in [
            "",
            "Z",
            "20260302081530",
            "2026030208153Z",
            "20261302081530Z",
            "20260230081530Z",
            "20260302241530Z",
            "20260302081561Z",
            "20260302081530.Z",
            "20260302081530.xZ",
            "20260302081530+1",
            "20260302081530+2400",
            "20260302081530ZZ",
            "+0260302081530Z",
            "20260302081530+é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(micros in -62_135_596_800_000_000_i64..253_402_207_200_000_000) {
            let at = Timestamp::from_micros(micros).unwrap();
            assert_eq!(parse(&format(at).unwrap()), Some(at));
        }

        #[test]
        fn no_text_ends_the_task(text: String) {
            let _read = parse(&text);
        }
    }

    #[test]
    fn years_outside_four_digits_are_not_written() {
        assert_eq!(format("-000001-01-01T00:00:00Z".parse().unwrap()), None);
    }
}
