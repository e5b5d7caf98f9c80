//! Taking back what was done in a target.

mod back;
mod respell;

pub use back::{Around, Back, Stays, back};
pub use respell::{moved_references, respell};
