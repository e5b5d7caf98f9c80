//! Functions on lists. A single value is a list of one, absent an empty list.
//!
//! Attributes are sets and come in their sorted order, so `First` and `Last` mean the smallest and the greatest of
//! an attribute's values; lists made by `Split` or written out keep their order until they become an attribute.

use std::sync::Arc;

use super::Call;
use super::table::{FunctionDoc, I, L, Run, once};
use crate::data::Data;
use crate::environment::Kinds;
use crate::errors::Fault;

const FAMILY: &str = "Lists";
const LIST: super::Parameter = once("list", L);

pub(super) const FUNCTIONS: &[FunctionDoc] = &[
    FunctionDoc::new(FAMILY, "First", "First(list)", &[LIST], Kinds::SCALAR, Run::Body(first))
        .help("The first value of the list; absent when it is empty")
        .example("First(['b', 'a'])", "\"b\""),
    FunctionDoc::new(FAMILY, "Last", "Last(list)", &[LIST], Kinds::SCALAR, Run::Body(last))
        .help("The last value of the list; absent when it is empty")
        .example("Last(['b', 'a'])", "\"a\""),
    FunctionDoc::new(FAMILY, "Count", "Count(list)", &[LIST], I, Run::Body(count))
        .taking_absent()
        .help("How many values there are; 0 when absent")
        .example("Count(['b', 'a'])", "2"),
    FunctionDoc::new(FAMILY, "Distinct", "Distinct(list)", &[LIST], L, Run::Body(distinct))
        .help("The list with each value once, where it stood first")
        .example("Distinct(['b', 'a', 'b'])", "[\"b\", \"a\"]"),
    FunctionDoc::new(FAMILY, "Sort", "Sort(list)", &[LIST], L, Run::Body(sort))
        .help("The list in ascending order, text by code point")
        .example("Sort(['b', 'a', 'C'])", "[\"C\", \"a\", \"b\"]"),
];

fn first<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    Ok(call.list(0).first().cloned().unwrap_or_default())
}

fn last<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    Ok(call.list(0).last().cloned().unwrap_or_default())
}

fn count<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    Ok(Data::Integer(i64::try_from(call.list(0).len()).expect("a count in memory fits")))
}

fn distinct<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let mut seen = std::collections::BTreeSet::new();
    let list = call.list(0);
    Ok(Data::list(list.iter().filter(|item| seen.insert(*item)).cloned().collect()))
}

fn sort<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let mut items = Arc::unwrap_or_clone(call.list(0));
    items.sort();
    Ok(Data::list(items))
}
