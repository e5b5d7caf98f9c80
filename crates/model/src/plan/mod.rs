//! Plans: what a sync would change, so specific that carrying it out leaves nothing to decide.
//!
//! A plan is data. It is printed as stable text, serialised, hashed, compared, stored and carried out; it is the same
//! for the same snapshot, rules and limits. Every change in it names its reason.

mod item;
mod object;
mod text;

pub use item::{Edit, ItemAction, ItemChange, ItemPlan, Operation, Turn, set_difference};
pub use object::{
    Before, EdgeChange, IndexKey, KeyChange, LeavePlan, LinkChange, MeshChange, Note, NoteKind, ObjectPlan,
    Plan, Reason, SetBefore, SpacePlan, Wake,
};
pub use text::{PlanNames, write_plan};
