//! The names of the people of a sample company: lists from many languages, how they combine, how they
//! lose their accents, and which spoil the naive handling of names (apostrophes, blanks, double names, ł, ø, ß).

mod compose;
mod fold;
mod given;
mod surnames;

pub(crate) use compose::{Name, married_surname, random_name};
pub(crate) use fold::{mail_local_part, without_accents};
