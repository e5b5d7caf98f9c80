//! One bounded part of a sync: seeds in, plan out.
//!
//! The stages follow each other for all seeds at once, so that what each stage needs of the state around is asked in
//! bulk: links that end, joins, lives that begin or end, attribute flow, projection. Within a part, objects are taken
//! in the order of their ids.

mod active;
mod alike;
mod apart;
mod attributes;
mod difference;
mod emit;
pub(crate) mod explain;
mod finish;
mod fit;
mod index;
mod join;
mod joining;
mod leave;
mod lifecycle;
mod links;
mod names;
mod narrow;
mod neighbours;
mod orders;
mod part;
mod planner;
mod probe;
mod project;
pub(crate) mod reasons;
mod reconsider;
mod references;
mod reindex;
pub(crate) mod replay;
mod resolve;
mod returning;
mod spread;
mod target;
mod work;

pub(crate) use alike::{parts, prepare, score};
pub(crate) use index::keys_in;
pub use names::names_of;
pub use neighbours::{Neighbours, Referred};
pub use orders::{Carried, Orders};
pub use planner::{Outcome, PlanContext, Planner, Seeds, SetTrace};
pub(crate) use probe::{Prober, anchor_key};
pub use reconsider::Asking;
