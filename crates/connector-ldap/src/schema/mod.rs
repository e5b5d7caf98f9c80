//! The server's schema: read from its subschema entry, resolved, and turned into object types.
//!
//! Definitions come from outside: one that cannot be read is left out, and so are the attributes that only it would
//! have described. Everything has a bound.

mod catalog;
mod definition;
mod directory;
mod type_map;

pub(crate) use catalog::{AttributeFacts, Catalog};
pub(crate) use definition::Definition;
pub(crate) use directory::{ASSERTION, DOMAIN_SCOPE, Directory, PAGED_RESULTS, PERMISSIVE_MODIFY, POST_READ};
#[cfg(test)]
pub(crate) use type_map::tests::test_map;
pub(crate) use type_map::{ACCOUNT_CONTROL, TypeMap};
