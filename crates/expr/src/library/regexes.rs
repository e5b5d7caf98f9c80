//! Regular expressions, which match in time linear in the text.
//!
//! Text and compiled size of a pattern are bounded. A pattern written out is compiled with the expression; one made
//! at run time is kept in a small cache. Look-around and back-references do not exist, because they are what makes
//! other engines run for ever.

use std::borrow::Cow;
use std::collections::HashMap;

use regex::{Captures, Regex, RegexBuilder};

use super::Call;
use super::call::Bounded;
use super::table::{B, FunctionDoc, I, L, Prepared, Run, T, once, optional};
use crate::bounds::{PATTERN_BYTES_MAX, PATTERN_CACHE_COUNT_MAX, PATTERN_COMPILED_BYTES_MAX, TEXT_BYTES_MAX};
use crate::data::Data;
use crate::errors::Fault;

const FAMILY: &str = "Regular expressions";
const PATTERN: super::Parameter = once("pattern", T);

pub(super) const FUNCTIONS: &[FunctionDoc] = &[
    FunctionDoc::new(FAMILY, "RegexMatch", "RegexMatch(text, pattern)", &[once("text", T), PATTERN], B, Run::Pattern(matches))
        .taking_absent()
        .help("Whether the pattern is found in the text; false when the text is absent")
        .example("RegexMatch('EMP-0042', '^EMP-[0-9]+$')", "true"),
    FunctionDoc::new(
        FAMILY,
        "RegexReplace",
        "RegexReplace(text, pattern, new)",
        &[once("text", T), PATTERN, once("new", T)],
        T,
        Run::Pattern(replace),
    )
    .help("The text with every match replaced; $1 or ${name} in new stand for groups, $$ for a dollar")
    .example("RegexReplace('Smith, Ann', '(\\\\w+), (\\\\w+)', '$2 $1')", "\"Ann Smith\""),
    FunctionDoc::new(
        FAMILY,
        "RegexExtract",
        "RegexExtract(text, pattern[, group])",
        &[once("text", T), PATTERN, optional("group", I)],
        T,
        Run::Pattern(extract),
    )
    .help("The first match: its group of that number, otherwise its first group, otherwise all of it; absent when there is none")
    .example("RegexExtract('CN=Ann,OU=Sales', 'OU=([^,]+)')", "\"Sales\""),
    FunctionDoc::new(FAMILY, "Filter", "Filter(list, pattern)", &[once("list", L), PATTERN], L, Run::Pattern(filter))
        .help("The texts of the list in which the pattern is found; for other conditions use list.filter(x, condition)")
        .example("Filter(['SMTP:a@b', 'smtp:c@d'], '^SMTP:')", "[\"SMTP:a@b\"]"),
];

/// Compiles a pattern within its bounds.
///
/// # Errors
/// A sentence why it cannot be used.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(format!("it has {} bytes, {PATTERN_BYTES_MAX} are allowed", pattern.len()));
    }
    let built = RegexBuilder::new(pattern)
        .size_limit(PATTERN_COMPILED_BYTES_MAX)
        .dfa_size_limit(PATTERN_COMPILED_BYTES_MAX)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it repeats so much that it would take too much memory".to_owned(),
        // The last line of the library's message says what is wrong, those before it draw where.
        other => {
            other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    })
}

/// Patterns made at run time, compiled; forgotten all at once when there are too many.
#[derive(Debug, Default)]
pub(crate) struct PatternCache(HashMap<String, Regex>);

impl PatternCache {
    fn get(&mut self, pattern: &str) -> Result<Regex, Fault> {
        if let Some(known) = self.0.get(pattern) {
            return Ok(known.clone());
        }
        let compiled = compile(pattern)
            .map_err(|detail| Fault::value(format!("the pattern {pattern:?} cannot be used: {detail}")))?;
        if self.0.len() >= PATTERN_CACHE_COUNT_MAX {
            self.0.clear();
        }
        self.0.insert(pattern.to_owned(), compiled.clone());
        Ok(compiled)
    }
}

fn pattern<'c>(call: &mut Call<'c, '_>) -> Result<Cow<'c, Regex>, Fault> {
    if let Some(Prepared::Regex(regex)) = call.prepared {
        return Ok(Cow::Borrowed(regex));
    }
    let text = call.text(1);
    call.patterns.get(&text).map(Cow::Owned)
}

fn matches<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    if !call.has(0) || !call.has(1) {
        return Ok(Data::Boolean(false));
    }
    let regex = pattern(call)?;
    Ok(Data::Boolean(regex.is_match(&call.text(0))))
}

fn replace<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let regex = pattern(call)?;
    let (text, new) = (call.text(0), call.text(2));
    let mut out = Bounded::default();
    let mut last = 0;
    if new.contains('$') {
        let groups = new.matches('$').count();
        let mut piece = String::new();
        for found in regex.captures_iter(&text) {
            let whole = found.get_match();
            out.push(&text[last..whole.start()])?;
            last = whole.end();
            // Checked before it is made: each group is at most the whole match.
            if groups.saturating_mul(whole.len()).saturating_add(new.len()) > 2 * TEXT_BYTES_MAX {
                return Err(Fault::text_too_large());
            }
            piece.clear();
            found.expand(&new, &mut piece);
            out.push(&piece)?;
        }
    } else {
        // Without groups there is no need to find them, which takes several times as long.
        for found in regex.find_iter(&text) {
            out.push(&text[last..found.start()])?;
            last = found.end();
            out.push(&new)?;
        }
    }
    if last == 0 && out.is_empty() {
        return Ok(Data::text(text));
    }
    out.push(&text[last..])?;
    Ok(out.finish())
}

fn extract<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let regex = pattern(call)?;
    let groups = regex.captures_len();
    let group = if call.has(2) { call.count(2, "the group")? } else { usize::from(groups > 1) };
    if group >= groups {
        return Err(Fault::value(format!("the pattern has {} groups, not {group}", groups - 1)));
    }
    let text = call.text(0);
    let range =
        regex.captures(&text).as_ref().and_then(|found: &Captures<'_>| found.get(group)).map(|m| m.range());
    Ok(range.map_or(Data::Absent, |range| Data::text(super::call::part(text, range.start, range.end))))
}

fn filter<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let regex = pattern(call)?;
    let found = |item: &&Data<'a>| item.as_text().is_some_and(|text| regex.is_match(text));
    Ok(Data::list(call.list(0).iter().filter(found).cloned().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_forgets_before_it_outgrows_its_bound() {
        let mut cache = PatternCache::default();
        for number in 0..3 * PATTERN_CACHE_COUNT_MAX {
            cache.get(&format!("a{number}")).unwrap();
            assert!(cache.0.len() <= PATTERN_CACHE_COUNT_MAX);
        }
        assert!(cache.get("(").is_err());
    }
}
