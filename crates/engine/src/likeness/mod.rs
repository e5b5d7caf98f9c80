//! How alike two objects are: the scores by which fuzzy joins decide, and the blocks within which they look.
//!
//! Pure and the same on every machine: a likeness is a whole number of thousandths, a score a whole number from 0 to
//! 100, rounded down. Values are normalised and cut before they are compared, so a comparison has a bounded cost.

mod compare;
mod soundex;

pub(crate) use compare::{Ready, date, likeness, ready};
pub(crate) use soundex::soundex;
