//! Previews: what a sync would change and what the next exports would send or hold, for a run, single objects, or rules
//! that are not in force yet (sync semantics, section 12).
//!
//! A preview is the same sync by the same engine, in a copy of the store that is thrown away: parts see what earlier
//! parts did, to the end of the to-do list, and the guard counts the queue that would be there. Of the real store it
//! holds nothing that could write ([`identitymesh_store::ReadOnly`]). It never writes to a connected system, and reads one
//! only where a run that imports is previewed.

mod groups;
mod profile;
mod watch;
mod work;

pub use groups::{Group, Groups};
pub use profile::PlannedRun;
pub use watch::PartSink;
pub use work::{Foreseen, Question, Sandbox, preview};
