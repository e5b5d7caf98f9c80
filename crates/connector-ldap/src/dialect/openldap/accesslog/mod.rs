//! Changes by the log of writes that the overlay `accesslog` keeps.
//!
//! Content synchronisation tells of a changed entry by sending all of it; the log has the change itself, so one member
//! more in a group of any size costs one small record. Places are change numbers (CSN), one for each server that takes
//! writes: they mean the same on all of them, so another server's log goes on where the first one's ended. A log that
//! was trimmed past the place, or a server that stands before it, refuses it.

mod delta;
mod reading;
mod record;

pub(super) use delta::AccessLog;
