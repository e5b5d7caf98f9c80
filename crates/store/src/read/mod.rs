//! What the product asks a store.
//!
//! [`Reader`] is everything; who needs less of it says so by asking for one of the smaller traits behind it.

mod answers;
mod guard;
mod joins;
mod lists;
mod past;
mod reader;

pub use answers::{Cursor, Hashed, Known, News, Referred, Referrer, Todo, Traced};
pub use guard::GuardReader;
pub use joins::JoinReader;
pub use lists::ListReader;
pub use past::PastReader;
pub use reader::Reader;
