//! The runner on its bad days: real runs over a real SQLite store, with systems in memory that fail on demand.
//!
//! In every one of these nothing is lost and nobody is deleted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod acts;
mod again;
mod again_not;
mod anomaly;
mod asked_again;
mod decisions;
mod disk;
mod found;
mod groups;
mod guard;
mod interrupted;
mod mended;
mod missing;
mod parts;
mod passwords;
mod place;
mod plans;
mod plans_of_rules;
mod preview;
mod reevaluation;
mod referents;
mod returning;
mod seen;
mod source;
mod starts;
mod target;
mod undo;
mod undo_property;
mod values;
mod waiting;
