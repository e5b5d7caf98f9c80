//! One bounded part of a sync: seeds in, plan out.
//!
//! The stages follow each other for all seeds at once, so that what each stage needs of the state around is asked in
//! bulk: links that end, joins, lives that begin or end, attribute flow, projection. Within a part, objects are taken
//! in the order of their ids.

mod attributes;
mod emit;
pub(crate) mod explain;
mod finish;
mod index;
mod join;
mod joining;
mod lifecycle;
mod links;
mod narrow;
mod neighbours;
mod part;
mod planner;
mod probe;
mod project;
pub(crate) mod reasons;
mod references;
pub(crate) mod replay;
mod resolve;
mod target;
mod work;

pub use neighbours::{Neighbours, Referred};
pub use planner::{Outcome, PlanContext, Planner, Seeds, SetTrace};
