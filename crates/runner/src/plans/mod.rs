//! Stored plans: what a preview found, kept by its content, and carried out exactly as it was kept.
//!
//! A plan is two files or three, called by the hash of its parts and of the configuration under which it was made: `HASH.json` says
//! what it is and what it would do, `HASH.parts` holds its parts, one a line. Beside each change stands the hash of what
//! it was made from. A plan under a configuration that is not in force yet brings that too, as `HASH.configuration`, and
//! its hash covers it. Carrying a plan out leaves out what is not as it was then, item by item, and says so of each; the
//! next sync looks at those again. Nothing else is decided anew.

mod apply;
mod basis;
mod carried;
mod file;

pub use apply::apply_plan;
pub use file::{PlanDirectory, PlanHead, PlanWriter, StoredPlan};
