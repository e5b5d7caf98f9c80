//! Passwords by rule.
//!
//! Every character is drawn evenly from all that the rule allows, and a password that misses a class or holds a word of
//! the object's own is thrown away as a whole. So each password that fits is as likely as any other, which putting
//! classes into fixed places would spoil.

use identitymesh_model::Object;
use identitymesh_model::rules::{CharacterClass, PasswordRule};
use zeroize::{Zeroize as _, Zeroizing};

use crate::PasswordError;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGIT: &str = "0123456789";
/// No quotes, blanks, slashes, brackets or signs that shells and spreadsheets take for their own at the start of a cell.
const SYMBOL: &str = "!#%*?_.:;,";
const LOOK_ALIKES: &str = "lI1O0.,:;";

/// Shortest word that a password must not hold; Active Directory draws the line there too.
const WORD_LETTERS_MIN: usize = 3;
/// Most words that are looked for.
const WORDS_MAX: usize = 1_000;
/// Longest text that is taken apart into words, in bytes.
const TEXT_BYTES_MAX: usize = 256;
/// How many passwords are tried.
const ATTEMPTS_MAX: usize = 10_000;

/// Words that no password of an object may hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Avoided(Vec<String>);

impl Avoided {
    /// The words of three letters or more in the texts of `objects`, in whatever case: names, account names, numbers.
    #[must_use]
    pub fn words_of<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Self {
        let mut words: Vec<String> = Vec::new();
        let objects = objects.into_iter().collect::<Vec<_>>();
        let values =
            objects.iter().flat_map(|object| object.iter()).flat_map(|(_, values)| values.as_slice());
        for text in values.filter_map(|value| value.as_text()).filter(|text| text.len() <= TEXT_BYTES_MAX) {
            for word in text.split(|letter: char| !letter.is_alphanumeric()) {
                if word.chars().count() >= WORD_LETTERS_MIN && words.len() < WORDS_MAX {
                    words.push(word.to_lowercase());
                }
            }
        }
        words.sort_unstable();
        words.dedup();
        Self(words)
    }

    fn is_in(&self, password: &str) -> bool {
        let mut folded = password.to_lowercase();
        let found = self.0.iter().any(|word| folded.contains(word.as_str()));
        folded.zeroize();
        found
    }
}

/// A password that fits `rule` and holds none of `avoided`; `fill` gives random bytes.
///
/// # Errors
/// `PWD-001` when there are no random bytes, or none fits.
pub fn generate(
    rule: &PasswordRule,
    avoided: &Avoided,
    mut fill: impl FnMut(&mut [u8]) -> Result<(), PasswordError>,
) -> Result<Zeroizing<String>, PasswordError> {
    let classes: Vec<Vec<u8>> = rule.classes.iter().map(|class| letters(*class, rule.look_alikes)).collect();
    let mut every = classes.concat();
    every.sort_unstable();
    every.dedup();
    if every.is_empty() {
        return Err(PasswordError::NoneFits { length: rule.length });
    }
    for _ in 0..ATTEMPTS_MAX {
        let password = draw(usize::from(rule.length), &every, &mut fill)?;
        let has_all = classes.iter().all(|class| password.bytes().any(|byte| class.contains(&byte)));
        if has_all && !avoided.is_in(&password) {
            return Ok(password);
        }
    }
    Err(PasswordError::NoneFits { length: rule.length })
}

fn letters(class: CharacterClass, look_alikes: bool) -> Vec<u8> {
    let all = match class {
        CharacterClass::Lower => LOWER,
        CharacterClass::Upper => UPPER,
        CharacterClass::Digit => DIGIT,
        CharacterClass::Symbol => SYMBOL,
    };
    all.bytes().filter(|letter| look_alikes || !LOOK_ALIKES.as_bytes().contains(letter)).collect()
}

/// `length` letters, each as likely as any other: bytes beyond the last whole multiple are not used.
fn draw(
    length: usize,
    letters: &[u8],
    fill: &mut impl FnMut(&mut [u8]) -> Result<(), PasswordError>,
) -> Result<Zeroizing<String>, PasswordError> {
    // Reserved at once: growing would leave a part behind in freed memory.
    let mut password = Zeroizing::new(String::with_capacity(length));
    let count = u8::try_from(letters.len()).expect("the letters of all classes are fewer than a byte counts");
    let usable = u8::MAX - u8::MAX % count;
    let mut bytes = Zeroizing::new([0_u8; 64]);
    while password.len() < length {
        fill(bytes.as_mut_slice())?;
        let fitting = bytes.iter().filter(|byte| **byte < usable);
        for byte in fitting.take(length - password.len()) {
            password.push(char::from(letters[usize::from(byte % count)]));
        }
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use identitymesh_model::Name;
    use identitymesh_model::rules::SealedFile;

    use super::*;
    use crate::fill_from_system;

    fn rule(length: u16, classes: &[CharacterClass]) -> PasswordRule {
        PasswordRule {
            length,
            classes: classes.to_vec(),
            look_alikes: false,
            must_change: true,
            include: Vec::new(),
            sealed_file: SealedFile { directory: "x".into(), recipients: vec!["age1".into()] },
        }
    }

    const ALL: [CharacterClass; 4] =
        [CharacterClass::Lower, CharacterClass::Upper, CharacterClass::Digit, CharacterClass::Symbol];

    #[test]
    fn every_class_is_in_it_and_nothing_else() {
        for length in [8, 16, 128] {
            for _ in 0..200 {
                let password = generate(&rule(length, &ALL), &Avoided::default(), fill_from_system).unwrap();
                assert_eq!(password.len(), usize::from(length));
                for letters in [LOWER, UPPER, DIGIT, SYMBOL] {
                    assert!(password.chars().any(|letter| letters.contains(letter)), "{letters}");
                }
                assert!(!password.chars().any(|letter| LOOK_ALIKES.contains(letter)));
            }
        }
        let digits = generate(&rule(8, &[CharacterClass::Digit]), &Avoided::default(), fill_from_system);
        assert!(digits.unwrap().bytes().all(|byte| byte.is_ascii_digit()));
    }

    #[test]
    fn look_alikes_come_where_they_are_allowed() {
        let mut rule = rule(128, &ALL);
        rule.look_alikes = true;
        let drawn: String = (0..20)
            .map(|_| generate(&rule, &Avoided::default(), fill_from_system).unwrap().to_string())
            .collect();
        assert!(LOOK_ALIKES.chars().all(|letter| drawn.contains(letter)));
    }

    #[test]
    fn letters_are_drawn_evenly() {
        let mut counts = [0_usize; 8];
        for _ in 0..500 {
            let drawn = generate(&rule(64, &[CharacterClass::Digit]), &Avoided::default(), fill_from_system);
            for byte in drawn.unwrap().bytes() {
                counts[usize::from(byte - b'2')] += 1;
            }
        }
        // 32,000 draws of eight digits: the mean is 4,000, and six standard deviations are about 355.
        assert!(counts.iter().all(|count| count.abs_diff(4_000) < 360), "{counts:?}");
    }

    #[test]
    fn words_of_the_object_are_avoided_in_whatever_case() {
        let mut object = Object::new();
        object.set(Name::literal("sn"), "O'Neill-Smith");
        object.set(Name::literal("id"), "P2345");
        object.set(Name::literal("initials"), "Jo");
        let avoided = Avoided::words_of([&object]);
        assert_eq!(avoided.0, ["neill", "p2345", "smith"]);
        assert!(avoided.is_in("xxSMiThxx") && !avoided.is_in("xxJoxx"));
        // Every password of this source spells the same word.
        let mut spelled = Object::new();
        spelled.set(Name::literal("sn"), "aaa");
        let only_a = |bytes: &mut [u8]| {
            bytes.fill(0);
            Ok(())
        };
        let lower = rule(8, &[CharacterClass::Lower]);
        let refused = generate(&lower, &Avoided::words_of([&spelled]), only_a).unwrap_err();
        assert!(refused.to_string().starts_with("PWD-001: no password of 8"), "{refused}");
        assert_eq!(*generate(&lower, &Avoided::default(), only_a).unwrap(), "aaaaaaaa");
    }

    #[test]
    fn without_random_bytes_there_is_no_password() {
        let none = |_: &mut [u8]| Err(PasswordError::Crypto { what: "asking for random bytes" });
        assert!(generate(&rule(16, &ALL), &Avoided::default(), none).is_err());
    }
}
