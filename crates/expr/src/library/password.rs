//! Initial passwords from the random bytes of the scope.
//!
//! At least one character of each class asked for, the rest from all of them, in random order, every choice without
//! bias. Characters that are confused in print (0 O, 1 l I) are left out (sync semantics, section 6).

use super::Call;
use super::table::{FunctionDoc, I, Run, T, once, repeated};
use crate::bounds::{PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN};
use crate::data::Data;
use crate::environment::Needs;
use crate::errors::Fault;
use crate::scope::RandomSource;

const CLASSES: [(&str, &str); 4] = [
    ("lower", "abcdefghijkmnopqrstuvwxyz"),
    ("upper", "ABCDEFGHJKLMNPQRSTUVWXYZ"),
    ("digit", "23456789"),
    ("symbol", "!#$%&*+-.:=?@_~"),
];

pub(super) const FUNCTIONS: &[FunctionDoc] = &[FunctionDoc::new(
    "Generated once",
    "RandomPassword",
    "RandomPassword(length[, class, …])",
    &[once("length", I), repeated("class", T)],
    T,
    Run::Body(random_password),
)
.needing(Needs::RANDOM)
.help("A password of 8 to 128 characters with at least one of each class: 'lower', 'upper', 'digit', 'symbol'; all four when none is named")
.example("Length(RandomPassword(16, 'lower', 'digit'))", "16")];

fn random_password<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let length = call.count(0, "the length")?;
    if !(PASSWORD_LENGTH_MIN..=PASSWORD_LENGTH_MAX).contains(&length) {
        let range = format!("{PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX}");
        return Err(Fault::value(format!("the length must be {range}, but is {length}")));
    }
    let classes = classes(call)?;
    let missing = || Fault::Unavailable {
        what: "RandomPassword",
        detail: "the scope holds no random bytes".to_owned(),
    };
    let random = call.scope.random.ok_or_else(missing)?;
    let every: Vec<char> = classes.iter().flat_map(|class| class.chars()).collect();
    let mut password = Vec::with_capacity(length);
    for class in &classes {
        let letters: Vec<char> = class.chars().collect();
        password.push(letters[below(random, letters.len())?]);
    }
    while password.len() < length {
        password.push(every[below(random, every.len())?]);
    }
    for index in (1..length).rev() {
        password.swap(index, below(random, index + 1)?);
    }
    Ok(Data::text(password.into_iter().collect::<String>()))
}

fn classes(call: &mut Call<'_, '_>) -> Result<Vec<&'static str>, Fault> {
    let mut chosen: Vec<&str> = Vec::new();
    for index in 1..call.arguments.len() {
        if !call.has(index) {
            continue;
        }
        let name = call.text(index);
        let known = CLASSES.iter().find(|(known, _)| *known == &*name);
        let (_, letters) = known
            .ok_or_else(|| Fault::value(format!("{name:?} is no class: lower, upper, digit or symbol")))?;
        if !chosen.contains(letters) {
            chosen.push(letters);
        }
    }
    Ok(if chosen.is_empty() { CLASSES.map(|(_, letters)| letters).to_vec() } else { chosen })
}

/// A number below `bound`, each as likely as the others; `bound` is at most 256.
fn below(random: &dyn RandomSource, bound: usize) -> Result<usize, Fault> {
    let fair = 256 - 256 % bound;
    // A fair source gives a usable byte at once in most cases; one that never does is broken.
    for _ in 0..256 {
        let mut byte = [0];
        random.fill(&mut byte).map_err(|detail| Fault::Unavailable { what: "RandomPassword", detail })?;
        if usize::from(byte[0]) < fair {
            return Ok(usize::from(byte[0]) % bound);
        }
    }
    Err(Fault::Unavailable { what: "RandomPassword", detail: "the random bytes are not random".to_owned() })
}
