//! Draws a name from the lists, now and then a double one.

use std::borrow::Cow;

use super::given::GIVEN_NAMES;
use super::surnames::SURNAMES;
use crate::rng::Rng;

/// Percent of people with a hyphenated surname of two.
const DOUBLE_SURNAME_PERCENT: usize = 4;

/// A given name and a surname; borrowed from the lists unless composed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) given: &'static str,
    pub(crate) surname: Cow<'static, str>,
}

pub(crate) fn random_name(rng: &mut Rng) -> Name {
    let given = *rng.pick(GIVEN_NAMES);
    let surname = *rng.pick(SURNAMES);
    let surname =
        if rng.percent(DOUBLE_SURNAME_PERCENT) { doubled(surname, rng) } else { Cow::Borrowed(surname) };
    Name { given, surname }
}

/// The surname after a marriage: another one, or the old one with another behind it; never the same.
pub(crate) fn married_surname(current: &str, rng: &mut Rng) -> Cow<'static, str> {
    loop {
        let other = *rng.pick(SURNAMES);
        if other == current {
            continue;
        }
        let is_double_already = current.contains(['-', ' ']);
        return if is_double_already || rng.percent(70) {
            Cow::Borrowed(other)
        } else {
            Cow::Owned(format!("{current}-{other}"))
        };
    }
}

fn doubled(surname: &'static str, rng: &mut Rng) -> Cow<'static, str> {
    let second = *rng.pick(SURNAMES);
    if second == surname || surname.contains(' ') || second.contains(' ') {
        Cow::Borrowed(surname)
    } else {
        Cow::Owned(format!("{surname}-{second}"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn lists_are_long_and_without_repetition() {
        assert!(GIVEN_NAMES.len() >= 150);
        assert!(SURNAMES.len() >= 250);
        assert_eq!(GIVEN_NAMES.iter().collect::<HashSet<_>>().len(), GIVEN_NAMES.len());
        assert_eq!(SURNAMES.iter().collect::<HashSet<_>>().len(), SURNAMES.len());
    }

    #[test]
    fn marriage_always_changes_the_surname() {
        let mut rng = Rng::new(5);
        for _ in 0..2_000 {
            let name = random_name(&mut rng);
            assert_ne!(married_surname(&name.surname, &mut rng), name.surname);
        }
    }
}
