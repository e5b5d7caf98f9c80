//! Flags in integers, such as userAccountControl.
//!
//! The second argument is always a mask, not the number of a bit: `BitSet(userAccountControl, 2)` disables an
//! account, `BitClear(userAccountControl, 2)` enables it, and `BitAnd(userAccountControl, 2) != 0` asks.

use super::Call;
use super::table::{FunctionDoc, I, Run, once};
use crate::data::Data;
use crate::errors::Fault;

const FAMILY: &str = "Flags";
const NUMBER: super::Parameter = once("number", I);
const MASK: super::Parameter = once("mask", I);

pub(super) const FUNCTIONS: &[FunctionDoc] = &[
    FunctionDoc::new(FAMILY, "BitAnd", "BitAnd(number, mask)", &[NUMBER, MASK], I, Run::Body(bit_and))
        .help("The bits that are set in both")
        .example("BitAnd(514, 2)", "2"),
    FunctionDoc::new(FAMILY, "BitOr", "BitOr(number, mask)", &[NUMBER, MASK], I, Run::Body(bit_or))
        .help("The bits that are set in either")
        .example("BitOr(512, 2)", "514"),
    FunctionDoc::new(FAMILY, "BitSet", "BitSet(number, mask)", &[NUMBER, MASK], I, Run::Body(bit_or))
        .help("The number with the bits of the mask set")
        .example("BitSet(512, 0x2)", "514"),
    FunctionDoc::new(FAMILY, "BitClear", "BitClear(number, mask)", &[NUMBER, MASK], I, Run::Body(bit_clear))
        .help("The number with the bits of the mask cleared")
        .example("BitClear(514, 2)", "512"),
];

fn bit_and<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    Ok(Data::Integer(call.integer(0) & call.integer(1)))
}

fn bit_or<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    Ok(Data::Integer(call.integer(0) | call.integer(1)))
}

fn bit_clear<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    Ok(Data::Integer(call.integer(0) & !call.integer(1)))
}
