//! Why something was as it was: the inputs of that moment, through the rules of that moment, once more.
//!
//! Inputs are walked back to in the store's history, rules are compiled from the configuration that was in force when
//! the run began. Whether that is what really happened is not believed but compared with what was recorded: the
//! canonical text and hash of the audit's row, or the rule and values of a link. Where something is not kept any more
//! the answer says what.

mod link;
mod moment;
mod not;
mod sent;
mod state;
mod values;

pub use link::{LinkAgain, link_again};
pub use moment::{Agreement, Moment};
pub use not::{LinkThen, NotThen, ObjectThen, not_linked, not_sent};
pub use sent::{Made, SentAgain, sent_again};
pub(crate) use state::view;
pub use values::{Again, again};
