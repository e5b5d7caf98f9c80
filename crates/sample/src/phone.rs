//! Phone numbers as people type them: one number, many spellings.
//!
//! The digits belong to the person and the place; only the spelling differs from source to source, so that
//! a rule which normalises numbers finds the two sources in agreement.

use crate::organisation::Location;
use crate::rng::mix;

/// The desk number of the person with this `number`, spelt in the way that `style` chooses.
pub(crate) fn desk_number(location: &Location, number: u32, style: u64) -> String {
    let Location { country_code: country, area_code: area, trunk_prefix: trunk, .. } = location;
    let exchange = 5550 + number % 10;
    let extension = number / 10 % 10_000;
    match style % 7 {
        0 => format!("+{country} {area} {exchange} {extension:04}"),
        1 => format!("00{country} {area} {exchange}{extension:04}"),
        2 => format!("{trunk}{area}/{exchange}-{extension:04}"),
        3 => format!("({trunk}{area}) {exchange}{extension:04}"),
        4 => format!("+{country} (0){area} {exchange}-{extension:04}"),
        5 => format!("{trunk}{area}.{exchange}.{extension:04}"),
        _ => format!(" +{country}{area}{exchange}{extension:04} "),
    }
}

/// The mobile number of the person with this `number`.
pub(crate) fn mobile_number(location: &Location, number: u32, style: u64) -> String {
    let Location { country_code: country, mobile_prefix: prefix, trunk_prefix: trunk, .. } = location;
    let subscriber = mix(u64::from(number)) % 10_000_000;
    match style % 4 {
        0 => format!("+{country} {prefix} {subscriber:07}"),
        1 => format!("{trunk}{prefix} {:03} {:04}", subscriber / 10_000, subscriber % 10_000),
        2 => format!("{trunk}{prefix}-{subscriber:07}"),
        _ => format!("00{country}{prefix}{subscriber:07}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organisation::LOCATIONS;

    #[test]
    fn spellings_differ_and_digits_agree() {
        let berlin = &LOCATIONS[0];
        assert_eq!(desk_number(berlin, 123_456, 0), "+49 30 5556 2345");
        assert_eq!(desk_number(berlin, 123_456, 3), "(030) 55562345");
        assert_eq!(desk_number(&LOCATIONS[2], 123_456, 2), "12/5556-2345");
        for style in 0..7 {
            let digits: String =
                desk_number(berlin, 123_456, style).chars().filter(char::is_ascii_digit).collect();
            assert!(digits.ends_with("3055562345"), "{digits}");
        }
    }
}
