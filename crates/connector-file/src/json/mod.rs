//! JSON: one object a line, or one array of objects.

mod elements;
mod flatten;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::{JsonReader, sample};
pub(crate) use write::{value_to_json, write_objects};
