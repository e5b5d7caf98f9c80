//! Undo: what runs wrote to targets is taken back by changes that pass the guard like all others.
//!
//! Values come from sources by rules, so what is taken back would be done again by the next sync. That is found out
//! beforehand by planning as if the undo were done, and rejected: it stays undone until it is another change. Why it is
//! so is in `docs/decisions/0006-undo-by-inverse-and-rejection.md`.

mod around;
mod imagine;
mod plan;
mod preview;
mod select;

pub use plan::{UndoEntry, UndoPlan, UndoStays, plan_undo, undo};
pub use preview::{UndoForeseen, preview_undo};
pub use select::UndoScope;
