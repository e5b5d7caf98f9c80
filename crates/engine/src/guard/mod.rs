//! The mass-change guard: which classes of queued changes are over their limits, and what held objects have in common.
//!
//! A class is one operation on one object type of one target, or the part of it that stands below a container or
//! touches an attribute. Its size is the net effect of the whole queue, counted before the first change is sent, so a
//! limit is never noticed in the middle. Only the class that is over its limit is held. Changes that somebody approved
//! or rejected take no part: a person has decided on them.

mod common;
mod decide;
mod measure;

pub use common::{Common, Sight, Usual};
pub use decide::{Count, Population};
pub use measure::{Measure, Sought, measures, missing_measures};
