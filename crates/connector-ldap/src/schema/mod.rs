//! The server's schema: read from its subschema entry, resolved, and turned into object types.
//!
//! Definitions come from outside: one that cannot be read is left out, and so are the attributes that only it would
//! have described. Everything has a bound.

mod catalog;
mod definition;
mod directory;
mod type_map;

pub(crate) use directory::{ASSERTION, Directory, PAGED_RESULTS, POST_READ};
pub(crate) use type_map::TypeMap;
#[cfg(test)]
pub(crate) use type_map::tests::test_map;
