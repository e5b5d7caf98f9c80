//! Names that nobody else has.
//!
//! The candidates are tried as they are, in order; then the first of them with 2, 3, … behind it, shortened so that
//! name and counter fit. Looking and taking are one step of the [`crate::Uniqueness`] in the scope, and the number
//! of attempts is bounded (sync semantics, section 6).

use super::Call;
use super::call::text_of;
use super::table::{FunctionDoc, Run, T, once, repeated};
use crate::bounds::UNIQUE_ATTEMPTS_MAX;
use crate::data::Data;
use crate::environment::Needs;
use crate::errors::Fault;
use crate::scope::Uniqueness;

pub(super) const FUNCTIONS: &[FunctionDoc] = &[FunctionDoc::new(
    "Generated once",
    "Unique",
    "Unique(candidate, …[, length])",
    &[once("candidate", T), repeated("candidate or length", T)],
    T,
    Run::Body(unique),
)
.needing(Needs::UNIQUE)
.taking_absent()
.help("The first candidate that is free, otherwise the first one with 2, 3, … behind it; an integer at the end is the greatest length")
.example("Unique('asmith', 'anns', 20)", "\"asmith\"")];

fn unique<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let missing =
        || Fault::Unavailable { what: "Unique", detail: "the scope holds no list of names".to_owned() };
    let names = call.scope.names.ok_or_else(missing)?;
    let last = call.arguments.len() - 1;
    let length = match call.arguments[last] {
        Data::Integer(_) if last > 0 => call.count(last, "the length")?,
        _ => usize::MAX,
    };
    if length == 0 {
        return Err(Fault::value("the length must not be 0"));
    }
    let candidates: Vec<String> = call
        .arguments
        .iter_mut()
        .take(if length == usize::MAX { last + 1 } else { last })
        .map(std::mem::take)
        .filter(|candidate| *candidate != Data::Absent)
        .map(|candidate| shortened(&text_of(candidate), length).to_owned())
        .filter(|candidate| !candidate.is_empty())
        .collect();
    let Some(base) = candidates.first() else { return Ok(Data::Absent) };
    let counted = (2_usize..).map(|counter| with_counter(base, counter, length));
    let attempts = candidates.iter().cloned().chain(counted).take(UNIQUE_ATTEMPTS_MAX);
    first_free(names, attempts).map(Data::text)
}

fn first_free(names: &dyn Uniqueness, attempts: impl Iterator<Item = String>) -> Result<String, Fault> {
    let (mut count, mut last) = (0, String::new());
    for attempt in attempts {
        // A counter longer than the whole name leaves no name.
        if attempt.is_empty() {
            break;
        }
        match names.claim(&attempt) {
            Ok(true) => return Ok(attempt),
            Ok(false) => (count, last) = (count + 1, attempt),
            Err(detail) => return Err(Fault::Unavailable { what: "Unique", detail }),
        }
    }
    Err(Fault::NoneFree { attempts: count, last })
}

fn shortened(text: &str, length: usize) -> &str {
    let to = text.char_indices().nth(length).map_or(text.len(), |(at, _)| at);
    &text[..to]
}

/// The base with a counter, empty when not one character of the base would be left.
fn with_counter(base: &str, counter: usize, length: usize) -> String {
    let counter = counter.to_string();
    let room = length.saturating_sub(counter.len());
    let kept = shortened(base, room);
    if kept.is_empty() { String::new() } else { format!("{kept}{counter}") }
}
