//! The functions of the transform language, one module for each family.
//!
//! The table in each module is the truth: the compiler checks arguments against it, the documentation is compared
//! with it, the command line prints it. A function sees only arguments of the kinds that its table names.

mod bits;
mod call;
mod convert;
mod dates;
mod directory;
mod encode;
mod letters;
mod lists;
mod logic;
mod names;
mod password;
mod patterns;
mod phone;
mod regexes;
mod table;
mod text;

pub(crate) use call::{Bounded, Call, bounded};
pub(crate) use dates::prepare as prepare_date;
pub(crate) use regexes::{PatternCache, compile as compile_pattern};
pub(crate) use table::{ALIASES, Form, Prepared, Run, accepted, find};
pub use table::{Example, FunctionDoc, Occurs, Parameter, library};
