//! Reading only what changed where a server writes down what was written: what every such log has in common.
//!
//! The log says which entries were touched; what they are now is asked of the directory itself, so that reading is right
//! however much is still happening. Only changes of memberships are taken from the log, because a group may be large and
//! its change small. A family implements [`Log`]: where it stands, whether everything after that is still there, and
//! its records in the order in which they happened.

mod changes;
mod record;
mod teller;

pub(crate) use changes::{Changes, Log};
pub(crate) use record::{Kind, Record, Step, StepKind};
pub(crate) use teller::{Manners, ask, one};
