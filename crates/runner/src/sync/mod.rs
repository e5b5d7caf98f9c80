//! Syncs: what was imported, into the mesh and on to the queues.
//!
//! A sync takes pending objects in parts. While one part is being written the next is planned; a plan that would need
//! what is still being written waits for it. After the pending objects the to-do list is worked off until it is
//! empty, so that what one object's change means for others happens in the same sync.

mod count;
mod decide;
mod in_flight;
mod narrow;
mod neighbours;
mod reevaluate;
mod rows;
mod work;

pub(crate) use count::count;
pub use decide::{JoinAsk, JoinDecided, decide_join};
pub(crate) use neighbours::MeshIds;
pub use reevaluate::{Reevaluated, reevaluate_joins};
pub(crate) use rows::rows;
pub(crate) use work::sync_objects;
pub use work::{SyncScope, sync};
