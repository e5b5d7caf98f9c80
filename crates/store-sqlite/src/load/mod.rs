//! Rows into records: management-space objects and mesh objects with all that belongs to them.
//!
//! Used by readers, and by the writer where a lease hands out objects. Batches of ids are handed to SQLite as one
//! array and joined in the order asked, which costs one statement for a batch and not one for an id.

mod memory;
mod mesh;
mod narrow;
mod space;

pub(crate) use memory::{Loader, Memory, id_array, place, text_array, uid_array};
pub(crate) use space::{SPACE_ROWS, Sets, parse_drift};
