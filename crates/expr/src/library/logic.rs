//! Choosing: what is evaluated only when it is needed, and reading attributes by name.
//!
//! `Coalesce`, `IfEmpty`, `Iif` and `Switch` evaluate only the arguments they need, so that a `Unique` in a branch
//! that is not taken takes no name. An absent condition counts as false.

use std::sync::Arc;

use super::Call;
use super::table::{B, Form, FunctionDoc, L, Run, T, once, optional, repeated};
use crate::data::Data;
use crate::environment::Kinds;
use crate::errors::Fault;

const FAMILY: &str = "Choosing and reading";
const ANY: Kinds = Kinds::ANY;

pub(super) const FUNCTIONS: &[FunctionDoc] = &[
    FunctionDoc::new(FAMILY, "attr", "attr(\"name\")", &[once("name", T)], ANY, Run::Form(Form::Attribute))
        .help("The attribute of that name, for names that are no identifiers")
        .example("attr('extension-attribute-1')", "absent"),
    FunctionDoc::new(FAMILY, "all", "all(\"name\")", &[once("name", T)], L, Run::Form(Form::AllValues))
        .help("All values of the attribute as a list, empty when it is absent; also all(mesh.name)")
        .example("all('proxyAddresses')", "absent"),
    FunctionDoc::new(FAMILY, "has", "has(value)", &[once("value", ANY)], B, Run::Form(Form::Has))
        .taking_absent()
        .help("Whether there is a value; the empty text is one, an empty list is none")
        .example("has(mail)", "false"),
    FunctionDoc::new(
        FAMILY,
        "Coalesce",
        "Coalesce(value, value, …)",
        &[once("value", ANY), repeated("value", ANY)],
        ANY,
        Run::Form(Form::Coalesce),
    )
    .taking_absent()
    .help("The first value that is not absent; the empty text counts as a value")
    .example("Coalesce(mail, 'none@corp.example')", "\"none@corp.example\""),
    FunctionDoc::new(
        FAMILY,
        "IfEmpty",
        "IfEmpty(value, default, …)",
        &[once("value", ANY), once("default", ANY), repeated("default", ANY)],
        ANY,
        Run::Form(Form::IfEmpty),
    )
    .taking_absent()
    .help("The first value that is neither absent nor text of only blanks")
    .example("IfEmpty(' ', 'unknown')", "\"unknown\""),
    FunctionDoc::new(
        FAMILY,
        "Iif",
        "Iif(condition, then, else)",
        &[once("condition", B), once("then", ANY), once("else", ANY)],
        ANY,
        Run::Form(Form::If),
    )
    .taking_absent()
    .help("The second argument when the condition is true, otherwise the third; also written condition ? then : else")
    .example("Iif(1 < 2, 'yes', 'no')", "\"yes\""),
    FunctionDoc::new(
        FAMILY,
        "Switch",
        "Switch(value, case, result, …[, default])",
        &[once("value", ANY), once("case", ANY), once("result", ANY), repeated("case, result or default", ANY)],
        ANY,
        Run::Form(Form::Switch),
    )
    .taking_absent()
    .help("The result beside the first case that equals the value, otherwise the default, otherwise absent")
    .example("Switch('M', 'F', 'Ms', 'M', 'Mr', '')", "\"Mr\""),
    FunctionDoc::new(
        FAMILY,
        "Lookup",
        "Lookup(value, table[, default])",
        &[once("value", Kinds::SCALAR), once("table", Kinds::MAP), optional("default", ANY)],
        ANY,
        Run::Body(lookup),
    )
    .taking_absent()
    .help("What the table, written {'key': 'value', …}, has for the value, otherwise the default, otherwise absent")
    .example("Lookup('AT', {'AT': 'Austria', 'DE': 'Germany'}, 'Elsewhere')", "\"Austria\""),
];

fn lookup<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let key = call.take(0);
    // A reference is looked up by the text of its key.
    let key = if let Data::Reference(text) = key { Data::Text(text) } else { key };
    let Data::Map(table) = call.take(1) else { return Ok(Data::Absent) };
    match find(&table, &key) {
        Some(found) => Ok(found.clone()),
        None if call.has(2) => Ok(call.take(2)),
        None => Ok(Data::Absent),
    }
}

fn find<'t, 'a>(table: &'t Arc<Vec<(Data<'a>, Data<'a>)>>, key: &Data<'a>) -> Option<&'t Data<'a>> {
    let at = table.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
    Some(&table[at].1)
}
