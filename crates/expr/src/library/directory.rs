//! Distinguished names (RFC 4514): escaping a value, and taking names apart at commas that are not escaped.
//!
//! Only the text is looked at: types and values are not compared or normalised here. A comma behind a backslash or
//! in the quotes of the old form belongs to the value.

use std::fmt::Write as _;

use super::Call;
use super::call::part;
use super::table::{FunctionDoc, Run, T, once};
use crate::data::Data;
use crate::errors::Fault;

const FAMILY: &str = "Directory names";

pub(super) const FUNCTIONS: &[FunctionDoc] = &[
    FunctionDoc::new(FAMILY, "EscapeDn", "EscapeDn(text)", &[once("text", T)], T, Run::Body(escape_dn))
        .help("The text fit to stand as a value in a DN")
        .example("EscapeDn('Smith, Ann')", "\"Smith\\\\, Ann\""),
    FunctionDoc::new(FAMILY, "DnParent", "DnParent(dn)", &[once("dn", T)], T, Run::Body(dn_parent))
        .help("The DN of the container; absent when there is none")
        .example("DnParent('CN=Ann,OU=Sales,DC=corp')", "\"OU=Sales,DC=corp\""),
    FunctionDoc::new(FAMILY, "DnRdn", "DnRdn(dn)", &[once("dn", T)], T, Run::Body(dn_rdn))
        .help("The first part of the DN, with its type and still escaped; absent when empty")
        .example("DnRdn('CN=Ann,OU=Sales,DC=corp')", "\"CN=Ann\""),
];

fn escape_dn<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let text = call.text(0);
    let last = text.chars().count().saturating_sub(1);
    let special = |char: char| char.is_control() || "\"+,;<>\\=".contains(char);
    if !text.contains(special) && !text.starts_with([' ', '#']) && !text.ends_with(' ') {
        return Ok(Data::text(text));
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (index, char) in text.chars().enumerate() {
        if char.is_control() {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                write!(out, "\\{byte:02X}").expect("a string takes what is written");
            }
            continue;
        }
        let at_edge = (index == 0 && matches!(char, ' ' | '#')) || (index == last && char == ' ');
        if at_edge || special(char) {
            out.push('\\');
        }
        out.push(char);
    }
    Ok(Data::text(out))
}

/// Where the first comma stands that separates two parts of the name.
fn separator(dn: &str) -> Option<usize> {
    let (mut escaped, mut quoted) = (false, false);
    for (at, char) in dn.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' | ';' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn dn_parent<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let dn = call.text(0);
    let Some(at) = separator(&dn) else { return Ok(Data::Absent) };
    let from = dn.len() - dn[at + 1..].trim_start().len();
    let to = dn.len();
    Ok(if from == to { Data::Absent } else { Data::text(part(dn, from, to)) })
}

fn dn_rdn<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let dn = call.text(0);
    let to = separator(&dn).unwrap_or(dn.len());
    Ok(if to == 0 { Data::Absent } else { Data::text(part(dn, 0, to)) })
}
