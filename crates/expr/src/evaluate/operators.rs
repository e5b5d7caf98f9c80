//! What operators do with values of each kind, absent included.
//!
//! Comparing with something absent is false, save that absent equals absent. Adding something absent gives absent:
//! half a name is worse than none; `Concat` is there for those who want the rest. Integers never wrap around.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::bounds::LIST_COUNT_MAX;
use crate::data::Data;
use crate::environment::Kinds;
use crate::errors::Fault;
use crate::library::Bounded;
use crate::tree::{Arithmetic, Compare};

/// Absent, or an empty list, which an attribute cannot hold.
pub(super) fn is_nothing(data: &Data<'_>) -> bool {
    match data {
        Data::Absent => true,
        Data::List(items) => items.is_empty(),
        _ => false,
    }
}

pub(super) fn truth(data: &Data<'_>, place: &'static str) -> Result<bool, Fault> {
    match data {
        Data::Absent => Ok(false),
        Data::Boolean(truth) => Ok(*truth),
        other => {
            let hint = "; compare it, or use ToBoolean or has";
            Err(Fault::Kind { place: place.to_owned(), expected: Kinds::BOOLEAN, found: other.kind(), hint })
        }
    }
}

pub(super) fn compare<'a>(a: &Data<'a>, b: &Data<'a>, operator: Compare) -> Result<Data<'a>, Fault> {
    let order = match (a, b) {
        (Data::Absent, _) | (_, Data::Absent) => return Ok(Data::Boolean(false)),
        (Data::Integer(a), Data::Integer(b)) => a.cmp(b),
        (Data::Date(a), Data::Date(b)) => a.cmp(b),
        (Data::Boolean(a), Data::Boolean(b)) => a.cmp(b),
        (a, b) => match (a.as_text(), b.as_text()) {
            (Some(a), Some(b)) => a.cmp(b),
            _ => {
                let (expected, found) = (a.kind(), b.kind());
                let place = "the right side of the comparison".to_owned();
                return Err(Fault::Kind { place, expected, found, hint: expected.conversion_from(found) });
            }
        },
    };
    Ok(Data::Boolean(match operator {
        Compare::Less => order == Ordering::Less,
        Compare::LessEqual => order != Ordering::Greater,
        Compare::Greater => order == Ordering::Greater,
        Compare::GreaterEqual => order != Ordering::Less,
    }))
}

pub(super) fn arithmetic<'a>(a: &Data<'a>, b: &Data<'a>, operator: Arithmetic) -> Result<Data<'a>, Fault> {
    let (a, b) = match (a, b) {
        (Data::Absent, _) | (_, Data::Absent) => return Ok(Data::Absent),
        (Data::Integer(a), Data::Integer(b)) => (*a, *b),
        (Data::Integer(_), other) | (other, _) => {
            let (expected, found) = (Kinds::INTEGER, other.kind());
            let place = "an operand of arithmetic".to_owned();
            return Err(Fault::Kind { place, expected, found, hint: expected.conversion_from(found) });
        }
    };
    let result = match operator {
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Divide | Arithmetic::Remainder if b == 0 => {
            return Err(Fault::Arithmetic { detail: "an integer is divided by zero" });
        }
        Arithmetic::Divide => a.checked_div(b),
        Arithmetic::Remainder => a.checked_rem(b),
    };
    result.map(Data::Integer).ok_or(OVERFLOW)
}

const OVERFLOW: Fault = Fault::Arithmetic { detail: "the result does not fit an integer of 64 bits" };

/// Integers add up, lists are put together, and text with anything that reads as text is one text.
pub(super) fn sum(operands: Vec<Data<'_>>) -> Result<Data<'_>, Fault> {
    if operands.contains(&Data::Absent) {
        return Ok(Data::Absent);
    }
    let kinds = operands.iter().fold(Kinds::empty(), |kinds, operand| kinds | operand.kind());
    if kinds == Kinds::INTEGER {
        let numbers =
            operands.iter().map(|operand| if let Data::Integer(number) = operand { *number } else { 0 });
        let total = numbers.into_iter().try_fold(0_i64, i64::checked_add);
        return total.map(Data::Integer).ok_or(OVERFLOW);
    }
    if kinds.contains(Kinds::LIST) {
        return joined(operands);
    }
    let mut out = Bounded::default();
    for operand in &operands {
        match operand {
            Data::Text(text) | Data::Reference(text) => out.push(text)?,
            Data::Integer(number) => out.push(&number.to_string())?,
            other => {
                let (expected, found) = (Kinds::TEXT, other.kind());
                let place = "an operand of +".to_owned();
                return Err(Fault::Kind { place, expected, found, hint: expected.conversion_from(found) });
            }
        }
    }
    Ok(out.finish())
}

/// Lists one after the other; a single value is a list of one.
fn joined(operands: Vec<Data<'_>>) -> Result<Data<'_>, Fault> {
    let mut items = Vec::new();
    for operand in operands {
        match operand {
            Data::List(list) => items.extend(Arc::unwrap_or_clone(list)),
            single => items.push(single),
        }
        if items.len() > LIST_COUNT_MAX {
            return Err(Fault::list_too_large());
        }
    }
    Ok(Data::list(items))
}

/// Whether a list holds the item, a table has it as a key, or a single value equals it.
pub(super) fn is_in(item: &Data<'_>, list: &Data<'_>) -> bool {
    match list {
        Data::Absent => false,
        Data::List(items) => items.iter().any(|known| known.same_as(item)),
        Data::Map(entries) => entries.iter().any(|(key, _)| key.same_as(item)),
        single => single.same_as(item),
    }
}

pub(super) fn index<'a>(value: &Data<'a>, key: &Data<'a>) -> Result<Data<'a>, Fault> {
    match (value, key) {
        (Data::Absent, _) | (_, Data::Absent) => Ok(Data::Absent),
        (Data::Map(entries), key) => {
            let found = entries.iter().find(|(known, _)| known.same_as(key));
            Ok(found.map_or(Data::Absent, |(_, value)| value.clone()))
        }
        (Data::List(items), Data::Integer(index)) => {
            let found = usize::try_from(*index).ok().and_then(|index| items.get(index));
            Ok(found.cloned().unwrap_or_default())
        }
        // A set that happens to hold one value reads as that value.
        (single, Data::Integer(0)) => Ok(single.clone()),
        (_, Data::Integer(_)) => Ok(Data::Absent),
        (Data::List(_), other) => Err(Fault::Kind {
            place: "the index of a list".to_owned(),
            expected: Kinds::INTEGER,
            found: other.kind(),
            hint: "",
        }),
        (other, _) => {
            let (expected, found) = (Kinds::MAP, other.kind());
            Err(Fault::Kind { place: "what has members".to_owned(), expected, found, hint: "" })
        }
    }
}
